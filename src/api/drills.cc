#include "api/drills.h"

#include "api/commands.h"
#include "base/log.h"

namespace manman::api {
namespace {

Result<void> check_game_can_tell(const Deployment& deployment) {
  TRY(deployment.handled);
  if (!deployment.launch.handling.ready.empty()) return {};
  return std::unexpected(Error{Code::kFailedPrecondition,
                               "SGC " + std::to_string(deployment.sgc.sgc_id) +
                                   " has no `ready`: how its game tells that it serves players is "
                                   "not known, so no drill can start it"}
                             .with_hint("say it with 'manman sgc update --ready REGEX', or in the "
                                        "game config or its profile"));
}

}  // namespace

Result<Drill> begin_drill(const Context& context, db::Transaction& tx, const DrillWish& wish) {
  const Backup backup = TRY(db::backups::hold(tx, wish.backup_id));
  if (backup.status != BackupStatus::kCompleted)
    return fail(Code::kFailedPrecondition, "backup " + std::to_string(backup.backup_id) + " is " +
                                               std::string(wire_text(backup.status)) +
                                               "; only a completed one can be drilled");
  const Deployment deployment =
      TRY(deployment_of(tx, context.config.profiles, backup.sgc_id, backup.policy_id));
  if (wish.server_id != 0) TRY(db::servers::get(tx, wish.server_id));
  if (wish.start_game) TRY(check_game_can_tell(deployment));
  const int64_t now_ms = context.clock.now_ms();
  const Drill drill = TRY(db::drills::create(
      tx, {.backup_id = backup.backup_id,
           .sgc_id = backup.sgc_id,
           .server_id = wish.server_id != 0 ? wish.server_id : deployment.server.server_id,
           .policy_id = wish.policy_id,
           .start_game = wish.start_game,
           .created_at = now_ms / 1000,
           .lease_until_ms = now_ms + context.config.lease.count()}));
  TRY(order_drill(tx, deployment, drill, backup, now_ms));
  return drill;
}

Result<bool> give_up_drill(const Context& context, db::Transaction& tx, Drill& drill,
                           DrillEvent event, const std::string& why) {
  const auto after = next(drill.status, event);
  if (!after) return false;
  drill.status = *after;
  drill.error_message = why;
  drill.finished_at = context.clock.now_s();
  TRY(db::drills::update(tx, drill));
  return true;
}

void drill_ended(const Context& context, const Drill& drill) {
  const About about{
      .backup_id = drill.backup_id, .sgc_id = drill.sgc_id, .server_id = drill.server_id};
  const std::string text = "drill " + std::to_string(drill.drill_id) + " " +
                           std::string(to_text(drill.status)) +
                           (drill.error_message.empty() ? "" : ": ") + drill.error_message;
  switch (drill.status) {
    case DrillStatus::kPassed:
      context.counters.drills_passed++;
      return log_info(about, "{}", text);
    case DrillStatus::kFailed:
      context.counters.drills_failed++;
      return log_error(about, "{}", text);
    default:
      context.counters.drills_given_up++;
      log_warn(about, "{}", text);
  }
}

}  // namespace manman::api
