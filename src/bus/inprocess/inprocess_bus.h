#pragma once

#include <chrono>
#include <memory>

#include "bus/bus.h"

namespace manman {

struct DeadLetter {
  std::string queue;
  Message message;
  std::string reason;
};

struct InProcessBusOptions {
  std::chrono::milliseconds publish_timeout{30000};
  std::chrono::milliseconds redelivery_delay{200};
  size_t max_queued = 10000;  // messages in one queue; a publish beyond is kUnavailable
};

// A bus within one process. It has no disk of its own, so publish() returns success only after
// every bound queue's handler has acknowledged (or rejected) the message: what a crash takes was
// never confirmed, and comes again from the outbox or the host's journal. A publish that times
// out is kUnavailable and its message is withdrawn if no handler has it yet.
//
// A queue keeps its order: a message to be retried stands at the head until redelivery_delay has
// passed and its handler takes it, and those behind it wait. A queue whose subscriptions have gone
// keeps its messages; their publishers wait.
//
// Messages are handled one at a time also where a subscription allows more: what waits for a disk
// then is a database that takes one change at a time as well.
//
// A handler may publish, but not to a queue that only it consumes: that would wait for itself, and
// is kFailedPrecondition. Two handlers that publish to each other's queues wait for each other
// until the timeout. A Subscription may not be destroyed by its own handler.
class InProcessBus final : public Bus {
 public:
  explicit InProcessBus(InProcessBusOptions options = {});
  ~InProcessBus() override;  // all subscriptions must be gone

  Result<void> publish(const Message& message) override;
  Result<void> declare(const std::string& queue, const std::vector<std::string>& patterns) override;
  Result<std::unique_ptr<Subscription>> subscribe(const std::string& queue,
                                                  const std::vector<std::string>& patterns,
                                                  Handler handler, int side_by_side) override;
  using Bus::subscribe;
  Result<std::unique_ptr<Subscription>> listen(const std::string& name,
                                               const std::vector<std::string>& patterns,
                                               Handler handler) override;
  Result<void> ping() override;
  // The latest rejected messages, at most 1,000.
  std::vector<DeadLetter> dead_letters() const;

 private:
  struct State;

  Result<std::unique_ptr<Subscription>> consume(const std::string& queue,
                                                const std::vector<std::string>& patterns,
                                                Handler handler, bool own_queue);

  std::shared_ptr<State> state_;
};

}  // namespace manman
