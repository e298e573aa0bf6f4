#include "bus/inprocess/consumer.h"

#include "base/log.h"
#include "bus/run_handler.h"

namespace manman::inprocess {
namespace {

constexpr size_t kMaxDeadLetters = 1000;
thread_local const std::string* handling_queue = nullptr;

}  // namespace

const std::string* Consumer::queue_of_this_thread() {
  return handling_queue;
}

Consumer::Consumer(std::shared_ptr<Sync<Exchange>> exchange, std::string queue, Handler handler,
                   std::chrono::milliseconds redelivery_delay, bool own_queue)
    : exchange_(std::move(exchange)),
      queue_(std::move(queue)),
      handler_(std::move(handler)),
      redelivery_delay_(redelivery_delay),
      own_queue_(own_queue),
      thread_([this] { run(); }) {
  exchange_->lock()->queues[queue_].consumers++;
}

Consumer::~Consumer() {
  {
    auto exchange = exchange_->lock();
    stopping_ = true;
    Queue& queue = exchange->queues[queue_];
    queue.consumers--;
    if (own_queue_) queue.close();
  }
  exchange_->notify_all();
  thread_.join();
}

void Consumer::run() {
  handling_queue = &queue_;
  while (auto entry = take()) {
    Handled handled = run_handler(handler_, entry->message);
    settle(std::move(*entry), std::move(handled));
  }
}

std::optional<Entry> Consumer::take() {
  auto exchange = exchange_->lock();
  Queue& queue = exchange->queues[queue_];
  for (;;) {
    if (stopping_) return std::nullopt;
    const auto ready_at = queue.ready_at();
    if (!ready_at) {
      exchange.wait([&] { return stopping_ || queue.ready_at(); });
      continue;
    }
    const auto now = std::chrono::steady_clock::now();
    if (*ready_at <= now) return queue.pop();
    // Another consumer or a publisher may take the head away meanwhile.
    exchange.wait_for(*ready_at - now, [&] { return stopping_ || queue.ready_at() != ready_at; });
  }
}

void Consumer::settle(Entry entry, Handled handled) {
  if (handled.verdict == Verdict::kRetry)
    log_warn({}, "queue {}: {} is to come again: {}", queue_, entry.message.routing_key,
             handled.reason);
  if (handled.verdict == Verdict::kReject)
    log_error({}, "queue {}: {} goes to the dead letters: {}", queue_, entry.message.routing_key,
              handled.reason);
  {
    auto exchange = exchange_->lock();
    if (handled.verdict == Verdict::kRetry) {
      // An abandoned one comes again from its publisher.
      if (!entry.publication->abandoned) {
        entry.message.redelivered = true;
        entry.not_before = std::chrono::steady_clock::now() + redelivery_delay_;
        exchange->queues[queue_].put_back(std::move(entry));
      }
    } else {
      entry.publication->unsettled--;
      if (handled.verdict == Verdict::kReject) {
        exchange->dead_letters.push_back(
            {queue_, std::move(entry.message), std::move(handled.reason)});
        if (exchange->dead_letters.size() > kMaxDeadLetters) exchange->dead_letters.pop_front();
      }
    }
  }
  exchange_->notify_all();
}

}  // namespace manman::inprocess
