#include "bus/rabbitmq/link.h"

#include <system_error>

#include "base/log.h"

namespace manman::rabbitmq {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr Backoff kBackoff{milliseconds(200), milliseconds(10000)};
constexpr milliseconds kGood = kBackoff.cap;  // a connection that lasts so long is no failure
constexpr milliseconds kStopLimit{1000};
constexpr milliseconds kCloseLimit{700};

}  // namespace

Result<std::unique_ptr<Link>> Link::create(const Settings& settings, std::string name, Work& work) {
  return std::make_unique<Link>(settings, std::move(name), work, TRY(Waker::create()));
}

Link::Link(const Settings& settings, std::string name, Work& work, std::unique_ptr<Waker> waker)
    : settings_(settings), name_(std::move(name)), work_(work), waker_(std::move(waker)) {}

Link::~Link() {
  stop();
}

Result<void> Link::start() {
  connection_ = TRY(connect_first());
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    return fail(Code::kResourceExhausted, "start a thread for " + name_ + ": " + error.what());
  }
  return {};
}

void Link::stop() {
  if (!thread_.joinable()) return;
  {
    auto state = state_.lock();
    state->stopping = true;
    state_.notify_all();
    waker_->wake();
    // There is nothing to be said over a connection that is only being made.
    if (!state->connected || !state.wait_for(kStopLimit, [&] { return state->ended; }))
      waker_->cut();
  }
  thread_.join();
}

Result<std::unique_ptr<Connection>> Link::connect_first() {
  // Processes that declare a new queue at once get in each other's way within the broker, and some
  // are told of an internal error; that passes soon. What the settings are wrong about does not.
  const auto deadline = steady_clock::now() + settings_.config.publish_timeout;
  for (int failures = 0;; failures++) {
    auto connection = TRY(Connection::open(settings_, name_, *waker_));
    const auto prepared = work_.prepare(*connection);
    if (prepared) return connection;
    work_.lost(prepared.error());
    if (!prepared.error().retryable || steady_clock::now() >= deadline)
      return std::unexpected(prepared.error());
    pause(kBackoff.wait_before_retry(failures));
  }
}

Result<std::unique_ptr<Connection>> Link::connect() {
  auto connection = TRY(Connection::open(settings_, name_, *waker_));
  TRY(work_.prepare(*connection));
  return connection;
}

void Link::run() {
  auto connected_at = steady_clock::now();
  for (int failures = 0; connection_;) {
    const auto served = serve_until_stop(*connection_);
    if (served) {
      connection_->close(kCloseLimit);
      break;
    }
    state_.lock()->connected = false;
    work_.lost(served.error());
    connection_.reset();
    log_warn({}, "RabbitMQ at {}: connection '{}' is lost: {}", settings_.endpoint.address(), name_,
             served.error().text());
    if (steady_clock::now() - connected_at >= kGood) failures = 0;
    connection_ = connect_again(failures);
    connected_at = steady_clock::now();
    state_.lock()->connected = connection_ != nullptr;
  }
  connection_.reset();
  state_.lock()->ended = true;
  state_.notify_all();
}

std::unique_ptr<Connection> Link::connect_again(int& failures) {
  for (bool told = false; pause(kBackoff.wait_before_retry(failures++));) {
    auto connected = connect();
    if (connected) {
      log_info({}, "RabbitMQ at {}: connection '{}' is there again", settings_.endpoint.address(),
               name_);
      return std::move(*connected);
    }
    work_.lost(connected.error());
    // One line for each time the broker goes away, not one for each try.
    if (!told && !stopping())
      log_warn({}, "RabbitMQ at {}: connection '{}' can't be made yet: {}",
               settings_.endpoint.address(), name_, connected.error().text());
    told = true;
  }
  return nullptr;
}

Result<void> Link::serve_until_stop(Connection& connection) {
  for (;;) {
    const bool last = stopping();
    TRY(work_.serve(connection));
    if (last) return {};
    connection.wait();
  }
}

bool Link::pause(milliseconds duration) {
  auto state = state_.lock();
  return !state.wait_for(duration, [&] { return state->stopping; });
}

}  // namespace manman::rabbitmq
