#include "api/status/consumer.h"

#include "api/status/apply.h"
#include "base/failpoint.h"
#include "base/log.h"

namespace manman::api {
namespace {

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
  if (message.routing_key.starts_with("health.host.")) {
    const auto health = TRY(HostHealth::parse(message.body));
    TRY(check_key(message, host_health_key(health.server_id)));
    return apply(context, health);
  }
  return fail(Code::kInvalidArgument, "nothing is known of such messages");
}

}  // namespace

Result<void> StatusConsumer::start() {
  const auto handler = [this](const Message& message) { return handle(message); };
  const auto of_jobs = [this](const Message& message) {
    Handled handled = handle(message);
    stuck_ = handled.verdict == Verdict::kRetry;
    return handled;
  };
  status_ = TRY(
      context_.bus.subscribe("manman-status", {"status.backup.*", "status.session.*"}, of_jobs));
  health_ = TRY(context_.bus.subscribe("manman-health", {"health.host.*"}, handler));
  return {};
}

bool StatusConsumer::hears() {
  return status_->connected() && health_->connected() && !stuck_;
}

void StatusConsumer::stop() {
  status_.reset();
  health_.reset();
}

Handled StatusConsumer::handle(const Message& message) {
  const auto effect = apply_message(context_, message);
  if (!effect && effect.error().code == Code::kInvalidArgument) {
    context_.counters.status_rejected++;
    log_warn({}, "{} rejected: {}", message.routing_key, effect.error().message);
    return {Verdict::kReject, effect.error().message};
  }
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
  if (message.routing_key.starts_with("health.")) return {};
  if (const auto passed = failpoint::pass("api.status.applied"); !passed)
    return {Verdict::kRetry, passed.error().message};
  return {};
}

}  // namespace manman::api
