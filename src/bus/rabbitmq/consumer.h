#pragma once

#include <deque>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "bus/rabbitmq/link.h"
#include "bus/rabbitmq/publisher.h"
#include "bus/rabbitmq/topology.h"

namespace manman::rabbitmq {

// A subscription: a connection that takes messages in and sends acknowledgements out, and a thread
// or several that have them handled, for as long as that takes.
class Consumer final : public Subscription, private Link::Work {
 public:
  // Connects; an error is final. `publisher` takes the dead letters.
  static Result<std::unique_ptr<Consumer>> open(const Settings& settings,
                                                std::shared_ptr<Publisher> publisher,
                                                QueueSpec queue, Handler handler, int side_by_side);
  Consumer(const Settings& settings, std::shared_ptr<Publisher> publisher, QueueSpec queue,
           Handler handler, int side_by_side);
  ~Consumer() override;

  bool connected() override { return state_.lock()->connected; }

 private:
  // A message is the broker's again once the connection on which it came is lost.
  struct Taken {
    Delivered delivered;
    uint64_t connection = 0;
  };
  struct State {
    std::deque<Taken> inbox;     // at most the prefetch
    std::set<std::string> busy;  // routing keys of messages that are being handled
    std::vector<uint64_t> acks;  // to be sent
    uint64_t connection = 0;     // counts them
    bool connected = false;
    bool stopping = false;
  };

  Result<void> prepare(Connection& connection) override;
  Result<void> serve(Connection& connection) override;
  void lost(const Error& error) override;

  void run();
  // The oldest message whose routing key is not busy, and now is. Nothing when the subscription
  // ends.
  std::optional<Taken> next();
  static std::deque<Taken>::iterator find_free(State& state);
  // Until it is acknowledged, or no longer ours.
  void settle(Taken taken);
  Handled handle(const Delivered& delivered) const;
  Result<void> bury(const Delivered& delivered, const std::string& reason);
  void acknowledge(const Taken& taken);
  // False when the message is no longer ours, or the subscription ends.
  bool pause(const Taken& taken, int retry);

  const Settings settings_;
  const std::shared_ptr<Publisher> publisher_;
  const QueueSpec queue_;
  const Handler handler_;
  const int side_by_side_;
  Sync<State> state_;
  std::unique_ptr<Link> link_;
  std::vector<std::thread> threads_;
};

}  // namespace manman::rabbitmq
