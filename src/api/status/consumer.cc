#include "api/status/consumer.h"

#include "api/status/apply.h"
#include "base/failpoint.h"
#include "base/log.h"

namespace manman::api {
namespace {

constexpr int kSideBySide = 8;
// A report that could not be applied comes again within this time.
constexpr std::chrono::seconds kStuck{10};

Result<void> check_key(const Message& message, const std::string& expected) {
  if (message.routing_key == expected) return {};
  return fail(Code::kInvalidArgument,
              "the body is about " + expected + ", but came as " + message.routing_key);
}

Result<Effect> apply_message(const Context& context, const Message& message) {
  if (message.routing_key.starts_with("status.backup.")) {
    const auto report = TRY(BackupReport::parse(message.body));
    TRY(check_key(message, backup_status_key(report.backup_id)));
    return apply(context, report);
  }
  if (message.routing_key.starts_with("status.session.")) {
    const auto report = TRY(SessionReport::parse(message.body));
    TRY(check_key(message, session_status_key(report.session_id)));
    return apply(context, report);
  }
  if (message.routing_key.starts_with("status.drill.")) {
    const auto report = TRY(DrillReport::parse(message.body));
    TRY(check_key(message, drill_status_key(report.drill_id)));
    return apply(context, report);
  }
  return fail(Code::kInvalidArgument, "nothing is known of such messages");
}

}  // namespace

Result<void> StatusConsumer::start() {
  const auto of_jobs = [this](const Message& message) {
    Handled handled = handle(message);
    if (handled.verdict == Verdict::kRetry) stuck_at_ = std::chrono::steady_clock::now();
    return handled;
  };
  status_ = TRY(context_.bus.subscribe("manman-status",
                                       {"status.backup.*", "status.session.*", "status.drill.*"},
                                       of_jobs, kSideBySide));
  health_ =
      TRY(context_.bus.listen("manman-health", {"health.host.*"},
                              [this](const Message& message) { return handle_health(message); }));
  heartbeats_.start();
  return {};
}

bool StatusConsumer::hears() {
  return status_->connected() && health_->connected() &&
         std::chrono::steady_clock::now() >= stuck_at_.load() + kStuck;
}

void StatusConsumer::stop() {
  status_.reset();
  health_.reset();
  heartbeats_.stop();
}

Handled StatusConsumer::handle_health(const Message& message) {
  const auto health = HostHealth::parse(message.body);
  if (!health) return reject(message, health.error());
  const auto checked = check_key(message, host_health_key(health->server_id));
  if (!checked) return reject(message, checked.error());
  heartbeats_.note(health->server_id);
  return {};
}

Handled StatusConsumer::reject(const Message& message, const Error& error) {
  context_.counters.status_rejected++;
  log_warn({}, "{} rejected: {}", message.routing_key, error.message);
  return {Verdict::kReject, error.message};
}

Handled StatusConsumer::handle(const Message& message) {
  const auto effect = apply_message(context_, message);
  if (!effect && effect.error().code == Code::kInvalidArgument)
    return reject(message, effect.error());
  if (!effect) {
    log_warn({}, "{} can't be applied now: {}", message.routing_key, effect.error().text());
    return {Verdict::kRetry, effect.error().message};
  }
  switch (*effect) {
    case Effect::kApplied:
      context_.counters.status_applied++;
      break;
    case Effect::kIgnored:
      context_.counters.status_ignored++;
      break;
    case Effect::kUnknownRow:
      context_.counters.status_unknown_row++;
      break;
  }
  if (const auto passed = failpoint::pass("api.status.applied"); !passed)
    return {Verdict::kRetry, passed.error().message};
  return {};
}

}  // namespace manman::api
