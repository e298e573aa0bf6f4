#include "bus/rabbitmq/publisher.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "base/log.h"

namespace manman::rabbitmq {
namespace {

constexpr int kSentBetweenReads = 64;

std::string describe(const std::variant<Outgoing, QueueSpec>& request) {
  if (const auto* message = std::get_if<Outgoing>(&request)) return message->routing_key;
  return "queue " + std::get<QueueSpec>(request).name;
}

}  // namespace

Result<std::shared_ptr<Publisher>> Publisher::open(const Settings& settings) {
  auto publisher = std::make_shared<Publisher>(settings);
  publisher->link_ =
      TRY(Link::create(publisher->settings_, settings.config.client_name + " publish", *publisher));
  TRY(publisher->link_->start());
  return publisher;
}

Publisher::~Publisher() {
  stop();
}

void Publisher::stop() {
  go_away(Away::kForever, "the bus has ended");
  if (link_) link_->stop();
}

std::vector<Result<void>> Publisher::publish(std::vector<Outgoing> messages,
                                             std::chrono::milliseconds timeout) {
  std::vector<CallPointer> calls;
  for (Outgoing& message : messages) calls.push_back(begin(std::move(message), timeout));
  std::vector<Result<void>> results;
  for (const CallPointer& call : calls) results.push_back(finish(call));
  return results;
}

Result<void> Publisher::publish(Outgoing message, std::chrono::milliseconds timeout) {
  return finish(begin(std::move(message), timeout));
}

Result<void> Publisher::declare(QueueSpec queue) {
  return finish(begin(std::move(queue), settings_.config.publish_timeout));
}

Result<void> Publisher::ready() {
  auto state = state_.lock();
  if (state->away) return std::unexpected(*state->away);
  return {};
}

Publisher::CallPointer Publisher::begin(std::variant<Outgoing, QueueSpec> request,
                                        std::chrono::milliseconds timeout) {
  const auto call = std::make_shared<Call>(timeout);
  call->request = std::move(request);
  {
    auto state = state_.lock();
    if (state->away) {
      call->promise.set_value(std::unexpected(state->away->in(describe(call->request))));
      return call;
    }
    state->waiting.push_back(call);
  }
  link_->wake();
  return call;
}

Result<void> Publisher::finish(const CallPointer& call) {
  if (call->result.wait_until(call->deadline) == std::future_status::ready)
    return call->result.get();
  return fail(Code::kUnavailable, describe(call->request) + " was not confirmed by RabbitMQ at " +
                                      settings_.endpoint.address() + " within " +
                                      std::to_string(call->timeout.count()) + " ms");
}

Result<void> Publisher::prepare(Connection& connection) {
  TRY(declare_exchanges(connection));
  ::amqp_confirm_select(connection.library(), kWorkChannel);
  TRY(connection.answer(kWorkChannel));
  state_.lock()->last_tag = 0;
  come_back();
  return {};
}

Result<void> Publisher::serve(Connection& connection) {
  for (;;) {
    TRY(take_events(connection));
    for (int sent = 0; sent < kSentBetweenReads; sent++)
      if (!TRY(send_next(connection))) return {};
  }
}

void Publisher::lost(const Error& error) {
  go_away(Away::kLost, error.message);
}

Result<void> Publisher::take_events(Connection& connection) {
  while (const auto event = TRY(connection.next())) take(*event);
  return {};
}

void Publisher::take(const Event& event) {
  if (const auto* confirmed = std::get_if<Confirmed>(&event)) {
    settle(*confirmed);
  } else if (const auto* returned = std::get_if<Returned>(&event)) {
    auto state = state_.lock();
    const auto found = state->unconfirmed.find(returned->tag);
    if (found != state->unconfirmed.end()) found->second->returned = true;
  } else if (const auto* blocked = std::get_if<Blocked>(&event)) {
    log_warn({}, "RabbitMQ at {} takes no messages for now: {}", settings_.endpoint.address(),
             blocked->reason);
    go_away(Away::kBlocked, "it takes no messages for now: " + blocked->reason);
  } else if (std::holds_alternative<Unblocked>(event)) {
    log_info({}, "RabbitMQ at {} takes messages again", settings_.endpoint.address());
    come_back();
  }
}

void Publisher::settle(const Confirmed& confirmed) {
  std::vector<CallPointer> calls;
  {
    auto state = state_.lock();
    auto& unconfirmed = state->unconfirmed;
    const auto first =
        confirmed.up_to ? unconfirmed.begin() : unconfirmed.lower_bound(confirmed.tag);
    const auto end = unconfirmed.upper_bound(confirmed.tag);
    for (auto it = first; it != end; it++) calls.push_back(std::move(it->second));
    unconfirmed.erase(first, end);
  }
  for (const auto& call : calls) {
    if (call->returned)
      call->promise.set_value(
          fail(Code::kUnavailable, "no queue is bound for " + describe(call->request)));
    else if (!confirmed.taken)
      call->promise.set_value(fail(
          Code::kUnavailable,
          describe(call->request) + " was refused by RabbitMQ at " + settings_.endpoint.address()));
    else
      call->promise.set_value({});
  }
}

Result<bool> Publisher::send_next(Connection& connection) {
  CallPointer call;
  uint64_t tag = 0;
  {
    auto state = state_.lock();
    if (state->waiting.empty()) return false;
    call = std::move(state->waiting.front());
    state->waiting.pop_front();
    if (call->deadline <= Clock::now()) return true;  // nobody waits for it
    if (std::holds_alternative<Outgoing>(call->request)) {
      tag = ++state->last_tag;
      state->unconfirmed.emplace(tag, call);
    }
  }
  if (const auto* message = std::get_if<Outgoing>(&call->request))
    TRY(connection.publish(*message, tag));
  else
    call->promise.set_value(declare_queue_apart(connection, std::get<QueueSpec>(call->request)));
  return true;
}

void Publisher::go_away(Away kind, const std::string& why) {
  const Error error =
      fail(Code::kUnavailable, "RabbitMQ at " + settings_.endpoint.address() + ": " + why).error();
  std::vector<CallPointer> calls;
  {
    auto state = state_.lock();
    if (state->stopped) return;
    state->stopped = kind == Away::kForever;
    state->away = error;
    std::ranges::move(state->waiting, std::back_inserter(calls));
    state->waiting.clear();
    if (kind != Away::kBlocked) {
      for (auto& [tag, call] : state->unconfirmed) calls.push_back(std::move(call));
      state->unconfirmed.clear();
    }
  }
  for (const auto& call : calls)
    call->promise.set_value(std::unexpected(error.in(describe(call->request))));
}

void Publisher::come_back() {
  auto state = state_.lock();
  if (!state->stopped) state->away.reset();
}

}  // namespace manman::rabbitmq
