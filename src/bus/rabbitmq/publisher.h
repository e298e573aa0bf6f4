#pragma once

#include <deque>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "bus/rabbitmq/link.h"
#include "bus/rabbitmq/topology.h"

namespace manman::rabbitmq {

// Sends messages over one connection: those of many threads are under way at once, each thread
// waits for the broker's confirm of its own. Thread-safe.
class Publisher final : private Link::Work {
 public:
  // Connects; an error is final.
  static Result<std::shared_ptr<Publisher>> open(const Settings& settings);
  explicit Publisher(const Settings& settings) : settings_(settings) {}
  ~Publisher();

  // Sends all of them at once. The results are in the order of the messages.
  std::vector<Result<void>> publish(std::vector<Outgoing> messages,
                                    std::chrono::milliseconds timeout);
  Result<void> publish(Outgoing message, std::chrono::milliseconds timeout);
  Result<void> declare(QueueSpec queue);
  // Why nothing can be published now.
  Result<void> ready();
  // Ends what is under way, and all that comes later, with kUnavailable.
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  // A call of another thread, which may be gone when its deadline is over.
  struct Call {
    std::chrono::milliseconds timeout;
    Clock::time_point deadline = Clock::now() + timeout;
    std::variant<Outgoing, QueueSpec> request;
    std::promise<Result<void>> promise;
    std::future<Result<void>> result = promise.get_future();  // the caller's
    bool returned = false;
  };
  using CallPointer = std::shared_ptr<Call>;
  struct State {
    std::deque<CallPointer> waiting;
    std::map<uint64_t, CallPointer> unconfirmed;  // by tag
    uint64_t last_tag = 0;
    std::optional<Error> away;  // why calls fail at once
    bool stopped = false;
  };

  CallPointer begin(std::variant<Outgoing, QueueSpec> request, std::chrono::milliseconds timeout);
  Result<void> finish(const CallPointer& call);
  Result<void> prepare(Connection& connection) override;
  Result<void> serve(Connection& connection) override;
  void lost(const Error& error) override;
  Result<void> take_events(Connection& connection);
  void take(const Event& event);
  void settle(const Confirmed& confirmed);
  // Sends the call that has waited longest; false when there is none.
  Result<bool> send_next(Connection& connection);
  enum class Away {
    kBlocked,  // what was sent may still be confirmed
    kLost,
    kForever,
  };
  // Calls fail at once from now on, and so do those under way.
  void go_away(Away kind, const std::string& why);
  void come_back();

  const Settings settings_;
  Sync<State> state_;
  std::unique_ptr<Link> link_;
};

}  // namespace manman::rabbitmq
