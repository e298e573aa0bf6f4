#include "bus/rabbitmq/consumer.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "base/retry.h"
#include "base/unique_name.h"
#include "bus/run_handler.h"

namespace manman::rabbitmq {
namespace {

using std::chrono::milliseconds;

constexpr Backoff kRetry{milliseconds(200), milliseconds(5000)};
// Short, as the end of the subscription waits for it.
constexpr milliseconds kBuryTimeout{1000};
constexpr size_t kMaxReasonBytes = 1000;

}  // namespace

Result<std::unique_ptr<Consumer>> Consumer::open(const Settings& settings,
                                                 std::shared_ptr<Publisher> publisher,
                                                 QueueSpec queue, Handler handler,
                                                 int side_by_side) {
  auto consumer = std::make_unique<Consumer>(settings, std::move(publisher), std::move(queue),
                                             std::move(handler), side_by_side);
  consumer->link_ = TRY(
      Link::create(consumer->settings_,
                   settings.config.client_name + " consume " + consumer->queue_.name, *consumer));
  TRY(consumer->link_->start());
  try {
    for (int i = 0; i < side_by_side; i++)
      consumer->threads_.emplace_back([raw = consumer.get()] { raw->run(); });
  } catch (const std::system_error& error) {
    return fail(Code::kResourceExhausted,
                "start a thread for queue " + consumer->queue_.name + ": " + error.what());
  }
  return consumer;
}

Consumer::Consumer(const Settings& settings, std::shared_ptr<Publisher> publisher, QueueSpec queue,
                   Handler handler, int side_by_side)
    : settings_(settings),
      publisher_(std::move(publisher)),
      queue_(std::move(queue)),
      handler_(std::move(handler)),
      side_by_side_(side_by_side) {}

Consumer::~Consumer() {
  state_.lock()->stopping = true;
  state_.notify_all();
  for (auto& thread : threads_) thread.join();
  if (link_) link_->stop();
}

Result<void> Consumer::prepare(Connection& connection) {
  TRY(declare_exchanges(connection));
  QueueSpec queue = queue_;
  // The broker may know the last connection, and its queue, for some time yet.
  if (queue.fleeting) queue.name += "-" + unique_name();
  TRY(declare_queue(connection, kWorkChannel, queue));
  const auto prefetch = std::min(settings_.config.prefetch * side_by_side_, 65535);
  ::amqp_basic_qos(connection.library(), kWorkChannel, 0, static_cast<uint16_t>(prefetch),
                   /*global=*/0);
  TRY(connection.answer(kWorkChannel));
  ::amqp_basic_consume(connection.library(), kWorkChannel, to_amqp(queue.name), amqp_empty_bytes,
                       /*no_local=*/0, /*no_ack=*/0, /*exclusive=*/0, amqp_empty_table);
  TRY(in("consume queue " + queue.name, connection.answer(kWorkChannel)));
  state_.lock()->connected = true;
  return {};
}

Result<void> Consumer::serve(Connection& connection) {
  while (auto event = TRY(connection.next())) {
    auto* delivered = std::get_if<Delivered>(&*event);
    if (delivered == nullptr) continue;
    auto state = state_.lock();
    state->inbox.push_back({std::move(*delivered), state->connection});
    state_.notify_all();
  }
  std::vector<uint64_t> acks;
  std::swap(acks, state_.lock()->acks);
  for (const uint64_t tag : acks) TRY(connection.acknowledge(tag));
  return {};
}

void Consumer::lost(const Error&) {
  {
    auto state = state_.lock();
    state->connection++;
    state->connected = false;
    state->inbox.clear();
    state->acks.clear();
  }
  state_.notify_all();
}

void Consumer::run() {
  while (auto taken = next()) {
    const std::string key = taken->delivered.message.routing_key;
    settle(std::move(*taken));
    state_.lock()->busy.erase(key);
    state_.notify_all();
  }
}

std::optional<Consumer::Taken> Consumer::next() {
  auto state = state_.lock();
  auto found = state->inbox.end();
  state.wait([&] {
    found = find_free(*state);
    return state->stopping || found != state->inbox.end();
  });
  if (state->stopping) return std::nullopt;
  Taken taken = std::move(*found);
  state->inbox.erase(found);
  state->busy.insert(taken.delivered.message.routing_key);
  return taken;
}

std::deque<Consumer::Taken>::iterator Consumer::find_free(State& state) {
  return std::ranges::find_if(state.inbox, [&](const Taken& taken) {
    return !state.busy.contains(taken.delivered.message.routing_key);
  });
}

void Consumer::settle(Taken taken) {
  Handled handled{Verdict::kRetry, ""};
  Message& message = taken.delivered.message;
  for (int tried = 0;; tried++) {
    if (handled.verdict != Verdict::kReject) {
      handled = handle(taken.delivered);
      if (handled.verdict == Verdict::kReject)
        log_error({}, "queue {}: {} goes to the dead letters: {}", queue_.name, message.routing_key,
                  handled.reason);
    }
    std::string reason = handled.reason;
    if (handled.verdict == Verdict::kReject) {
      const auto buried = bury(taken.delivered, handled.reason);
      if (buried) return acknowledge(taken);
      reason = buried.error().message;
    }
    if (handled.verdict == Verdict::kAck) return acknowledge(taken);
    log_warn({}, "queue {}: {} is to come again: {}", queue_.name, message.routing_key, reason);
    message.redelivered = true;
    if (!pause(taken, tried)) return;
  }
}

Handled Consumer::handle(const Delivered& delivered) const {
  const Message& message = delivered.message;
  if (delivered.body_bytes > message.body.size())
    return {Verdict::kReject, "the body of " + std::to_string(delivered.body_bytes) +
                                  " bytes is above the limit of " +
                                  std::to_string(settings_.config.max_body_bytes)};
  return run_handler(handler_, message);
}

Result<void> Consumer::bury(const Delivered& delivered, const std::string& reason) {
  const Message& message = delivered.message;
  Outgoing letter{.exchange = kDeadExchange,
                  .routing_key = message.routing_key,
                  .body = message.body,
                  .headers = {{"x-reason", reason.substr(0, kMaxReasonBytes)},
                              {"x-queue", queue_.name},
                              {"x-routing-key", message.routing_key}}};
  if (delivered.body_bytes > message.body.size())
    letter.headers.emplace_back("x-body-size", std::to_string(delivered.body_bytes));
  return in("the dead letter", publisher_->publish(std::move(letter), kBuryTimeout));
}

void Consumer::acknowledge(const Taken& taken) {
  {
    auto state = state_.lock();
    if (state->connection != taken.connection) return;
    state->acks.push_back(taken.delivered.tag);
  }
  link_->wake();
}

bool Consumer::pause(const Taken& taken, int retry) {
  auto state = state_.lock();
  const auto over = [&] { return state->stopping || state->connection != taken.connection; };
  return !state.wait_for(kRetry.wait_before_retry(retry), over);
}

}  // namespace manman::rabbitmq
