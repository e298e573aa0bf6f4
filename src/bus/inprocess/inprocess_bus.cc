#include "bus/inprocess/inprocess_bus.h"

#include <system_error>

#include "bus/inprocess/consumer.h"

namespace manman {

using inprocess::Consumer;
using inprocess::Exchange;
using inprocess::Publication;
using inprocess::Queue;

// Shared with the publishers and consumers, so that a publish that still waits outlives the bus.
struct InProcessBus::State {
  InProcessBusOptions options;
  std::shared_ptr<Sync<Exchange>> exchange = std::make_shared<Sync<Exchange>>();
};

namespace {

// The queues that the message goes to; an error when it can't go to all of them.
Result<std::vector<Queue*>> route(Exchange& exchange, const Message& message, size_t max_queued) {
  std::vector<Queue*> targets;
  for (auto& [name, queue] : exchange.queues) {
    if (!queue.accepts(message.routing_key)) continue;
    if (queue.size() >= max_queued)
      return fail(Code::kUnavailable, "queue " + name + " is full: " +
                                          std::to_string(queue.size()) + " messages wait in it");
    const std::string* own = Consumer::queue_of_this_thread();
    if (own != nullptr && *own == name && queue.consumers <= 1)
      return fail(
          Code::kFailedPrecondition,
          "the handler of queue " + name + " would wait for itself to take " + message.routing_key);
    targets.push_back(&queue);
  }
  if (targets.empty() && !message.fleeting)
    return fail(Code::kUnavailable, "no queue is bound for " + message.routing_key);
  return targets;
}

}  // namespace

InProcessBus::InProcessBus(InProcessBusOptions options) : state_(std::make_shared<State>()) {
  state_->options = options;
}

InProcessBus::~InProcessBus() {
  state_->exchange->lock()->closed = true;
  state_->exchange->notify_all();
}

Result<void> InProcessBus::publish(const Message& message) {
  const auto state = state_;
  auto exchange = state->exchange->lock();
  if (exchange->closed) return fail(Code::kUnavailable, "the bus has ended");
  const auto targets = TRY(route(*exchange, message, state->options.max_queued));
  auto publication = std::make_shared<Publication>();
  publication->unsettled = targets.size();
  for (Queue* queue : targets)
    queue->push({++exchange->last_sequence,
                 {.routing_key = message.routing_key,
                  .body = message.body,
                  .expires_in = message.expires_in},
                 publication});
  state->exchange->notify_all();

  exchange.wait_for(state->options.publish_timeout,
                    [&] { return publication->unsettled == 0 || exchange->closed; });
  if (publication->unsettled == 0) return {};
  publication->abandoned = true;
  for (Queue* queue : targets) queue->withdraw(*publication);
  state->exchange->notify_all();  // a consumer may wait for the redelivery of what is gone
  if (exchange->closed)
    return fail(Code::kUnavailable, "the bus ended before " + message.routing_key + " was handled");
  return fail(Code::kUnavailable, message.routing_key + " was not handled within " +
                                      std::to_string(state->options.publish_timeout.count()) +
                                      " ms");
}

Result<void> InProcessBus::declare(const std::string& queue,
                                   const std::vector<std::string>& patterns) {
  if (queue.empty()) return fail(Code::kInvalidArgument, "a queue needs a name");
  auto exchange = state_->exchange->lock();
  if (exchange->closed) return fail(Code::kUnavailable, "the bus has ended");
  exchange->queues[queue].patterns.insert(patterns.begin(), patterns.end());
  return {};
}

Result<std::unique_ptr<Subscription>> InProcessBus::subscribe(
    const std::string& queue, const std::vector<std::string>& patterns, Handler handler, int) {
  return consume(queue, patterns, std::move(handler), /*own_queue=*/false);
}

Result<std::unique_ptr<Subscription>> InProcessBus::listen(const std::string& name,
                                                           const std::vector<std::string>& patterns,
                                                           Handler handler) {
  const std::string number = std::to_string(state_->exchange->lock()->queues.size());
  return consume(name + " " + number, patterns, std::move(handler), /*own_queue=*/true);
}

Result<std::unique_ptr<Subscription>> InProcessBus::consume(
    const std::string& queue, const std::vector<std::string>& patterns, Handler handler,
    bool own_queue) {
  if (!handler) return fail(Code::kInvalidArgument, "queue " + queue + " needs a handler");
  TRY(declare(queue, patterns));
  try {
    return std::make_unique<Consumer>(state_->exchange, queue, std::move(handler),
                                      state_->options.redelivery_delay, own_queue);
  } catch (const std::system_error& error) {
    return fail(Code::kResourceExhausted,
                "start a thread for queue " + queue + ": " + error.what());
  }
}

Result<void> InProcessBus::ping() {
  if (state_->exchange->lock()->closed) return fail(Code::kUnavailable, "the bus has ended");
  return {};
}

std::vector<DeadLetter> InProcessBus::dead_letters() const {
  auto exchange = state_->exchange->lock();
  return {exchange->dead_letters.begin(), exchange->dead_letters.end()};
}

}  // namespace manman
