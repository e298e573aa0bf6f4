#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace manman {

struct Message {
  std::string routing_key;
  std::string body;
  bool redelivered = false;
  // A queue that has kept it for so long may drop it (to the dead letters); 0: never.
  std::chrono::milliseconds expires_in{0};
  // Of this moment alone, as a sign of life is: for those that listen, nobody keeps it.
  bool fleeting = false;
};

// What a handler wants done with a message.
enum class Verdict {
  kAck,     // done, durably: it does not come again
  kRetry,   // not done: it comes again after a while
  kReject,  // can never be done: to the dead-letter queue with the reason
};

struct Handled {
  Verdict verdict = Verdict::kAck;
  std::string reason;  // for kRetry and kReject
};

using Handler = std::function<Handled(const Message&)>;

// Ends its subscription when destroyed, after a handler that is at work has returned. Messages
// not acknowledged stay in the queue.
class Subscription {
 public:
  virtual ~Subscription() = default;
  // Whether messages can come now, as far as is known without asking.
  virtual bool connected() = 0;
};

// Carries commands and status: a topic exchange with durable queues, at-least-once. Handlers must
// be idempotent. Thread-safe.
class Bus {
 public:
  virtual ~Bus() = default;

  // Success only once the message is safe: a restart of this process does not lose it. No queue
  // bound for the routing key is kUnavailable (retryable), as is a bus that is away. A fleeting
  // message is published once the bus has it, and to nobody where nobody listens.
  virtual Result<void> publish(const Message& message) = 0;
  // The same for each of them, as many as possible at once and in no set order; the results are in
  // the order of the messages.
  virtual std::vector<Result<void>> publish_each(const std::vector<Message>& messages) {
    std::vector<Result<void>> results;
    for (const Message& message : messages) results.push_back(publish(message));
    return results;
  }

  // Makes `queue` and binds it to `patterns` (AMQP topic patterns: words between dots, `*` is one
  // word, `#` any number), if that is not done yet. What is published from now on waits in it for
  // a subscription.
  virtual Result<void> declare(const std::string& queue,
                               const std::vector<std::string>& patterns) = 0;

  // Declares `queue` and consumes it. One message at a time per subscription, in order; several
  // subscriptions of one queue share its messages. Handlers run on threads of the bus; one that
  // throws counts as kRetry.
  Result<std::unique_ptr<Subscription>> subscribe(const std::string& queue,
                                                  const std::vector<std::string>& patterns,
                                                  Handler handler) {
    return subscribe(queue, patterns, std::move(handler), 1);
  }
  // The same, but up to side_by_side messages (1 to 64) may be handled at once, each with a routing
  // key of its own: those of one key still come one at a time, in order.
  virtual Result<std::unique_ptr<Subscription>> subscribe(const std::string& queue,
                                                          const std::vector<std::string>& patterns,
                                                          Handler handler, int side_by_side) = 0;

  // Hears what is published while the subscription is connected, one message at a time: all of it,
  // whoever else listens. Nothing is kept for later. `name` is for people.
  virtual Result<std::unique_ptr<Subscription>> listen(const std::string& name,
                                                       const std::vector<std::string>& patterns,
                                                       Handler handler) = 0;

  // Whether a message could be published now, as far as is known without asking: kUnavailable says
  // why not.
  virtual Result<void> ping() = 0;
};

// The pattern rule of AMQP's topic exchange.
bool topic_matches(std::string_view pattern, std::string_view routing_key);

}  // namespace manman
