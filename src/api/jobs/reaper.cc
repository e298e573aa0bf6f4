#include "api/jobs/reaper.h"

#include <string>

#include "api/commands.h"
#include "api/drills.h"
#include "api/events.h"
#include "api/safety_backup.h"
#include "base/log.h"

namespace manman::api {
namespace {

constexpr int kBatch = 100;
constexpr const char* kActor = "reaper";
// A run that begins so much later than it was due: the process was stopped, or its machine slept.
constexpr std::chrono::seconds kStoodStill{5};

std::string seconds(std::chrono::milliseconds duration) {
  return std::to_string((duration.count() + 999) / 1000) + " s";
}

Result<int64_t> server_of(db::Transaction& tx, int64_t sgc_id) {
  return TRY(db::server_game_configs::get(tx, sgc_id))
  .server_id;
}

// The backup of this id as the reaper has left it; nothing when a report was faster.
Result<std::optional<Backup>> reap_backup(const Context& context, db::Transaction& tx,
                                          int64_t backup_id) {
  Backup backup = TRY(db::backups::get(tx, backup_id));
  const int64_t now_ms = context.clock.now_ms();
  if (!is_active(backup.status) || backup.lease_until_ms > now_ms) return std::nullopt;
  const Deployment deployment =
      TRY(deployment_of(tx, context.config.profiles, backup.sgc_id, backup.policy_id));
  const bool again = backup.attempt < context.config.max_attempts && deployment.handled;
  const auto after =
      next(backup.status, again ? BackupEvent::kLeaseExpiredRetry : BackupEvent::kLeaseExpired);
  if (!after) return std::nullopt;
  backup.status = *after;
  if (again) {
    backup.attempt++;
    backup.lease_until_ms = now_ms + context.config.lease.count();
    backup.progress_bytes = 0;
    TRY(order_backup(tx, deployment, backup, now_ms));
  } else {
    backup.finished_at = now_ms / 1000;
    backup.error_message =
        "host lost: server " + std::to_string(TRY(server_of(tx, backup.sgc_id))) +
        " said nothing for " + seconds(context.config.lease) + " in attempt " +
        std::to_string(backup.attempt) + " of " + std::to_string(context.config.max_attempts);
    if (!deployment.handled) backup.error_message += "; " + deployment.handled.error().message;
  }
  TRY(db::backups::update(tx, backup));
  if (is_active(backup.status)) return backup;
  TRY(safety_backup_ended(context, tx, backup));
  TRY(note_end(context, tx, backup, kActor));
  return backup;
}

Result<std::optional<Session>> reap_session(const Context& context, db::Transaction& tx,
                                            int64_t session_id) {
  Session session = TRY(db::sessions::get(tx, session_id));
  const int64_t now_ms = context.clock.now_ms();
  const bool stopping = session.status == SessionStatus::kStopping;
  const auto after = next(session.status, SessionEvent::kLeaseExpired);
  if (!after || session.lease_until_ms > now_ms) return std::nullopt;
  session.status = *after;
  session.ended_at = now_ms / 1000;
  session.error_message = "host lost: server " +
                          std::to_string(TRY(server_of(tx, session.sgc_id))) +
                          " said nothing about the " + (stopping ? "stop" : "start") + " for " +
                          seconds(context.config.lease);
  TRY(db::sessions::update(tx, session));
  TRY(note_event(context, tx,
                 {.kind = EventKind::kSessionLost,
                  .actor = kActor,
                  .sgc_id = session.sgc_id,
                  .session_id = session.session_id,
                  .message = session.error_message}));
  return session;
}

Result<std::optional<Drill>> reap_drill(const Context& context, db::Transaction& tx,
                                        int64_t drill_id) {
  Drill drill = TRY(db::drills::hold(tx, drill_id));
  if (drill.lease_until_ms > context.clock.now_ms()) return std::nullopt;
  const std::string why = "host lost: server " + std::to_string(drill.server_id) +
                          " said nothing for " + seconds(context.config.lease);
  if (!TRY(give_up_drill(context, tx, drill, DrillEvent::kLeaseExpired, why))) return std::nullopt;
  return drill;
}

}  // namespace

Reaper::Reaper(const Context& context, std::function<bool()> hears)
    : context_(context),
      hears_(std::move(hears)),
      ticker_("reaper", context.config.job_interval, [this] { run_once(); }) {}

void Reaper::start() {
  heard_since_ms_ = context_.clock.now_ms();
  last_run_ = std::chrono::steady_clock::now();
  ticker_.start();
}

void Reaper::run_once() {
  const auto idle = std::chrono::steady_clock::now() - last_run_;
  const bool stood_still = idle > context_.config.job_interval + kStoodStill;
  const int64_t now_ms = context_.clock.now_ms();
  if (stood_still || !hears_() || !context_.database.ping()) heard_since_ms_ = now_ms;
  const int64_t heard_ms = now_ms - heard_since_ms_;
  if (heard_ms >= context_.config.lease.count()) {
    if (const auto done = reap_backups(); !done)
      log_warn({}, "reaper, backups: {}", done.error().text());
    if (const auto done = reap_sessions(); !done)
      log_warn({}, "reaper, sessions: {}", done.error().text());
    if (const auto done = reap_drills(); !done)
      log_warn({}, "reaper, drills: {}", done.error().text());
  }
  if (heard_ms >= context_.config.offline_after.count())
    if (const auto done = mark_offline(); !done)
      log_warn({}, "reaper, servers: {}", done.error().text());
  last_run_ = std::chrono::steady_clock::now();
}

Result<void> Reaper::reap_backups() {
  const auto expired = TRY(context_.database.look([&](db::Transaction& tx) {
    return db::backups::expired(tx, context_.clock.now_ms(), kBatch);
  }));
  for (const Backup& row : expired) {
    const auto reaped = TRY(context_.database.transact(
        [&](db::Transaction& tx) { return reap_backup(context_, tx, row.backup_id); }));
    if (!reaped) continue;
    const About about{.backup_id = row.backup_id, .sgc_id = row.sgc_id};
    if (is_active(reaped->status)) {
      context_.counters.backups_retried++;
      log_warn(about, "its host is silent; attempt {} of {} ordered", reaped->attempt,
               context_.config.max_attempts);
      context_.commands_waiting();
    } else {
      context_.counters.backups_lost++;
      context_.backup_ended(*reaped);
      log_error(about, "{}", reaped->error_message);
    }
  }
  return {};
}

Result<void> Reaper::reap_sessions() {
  const auto expired = TRY(context_.database.look([&](db::Transaction& tx) {
    return db::sessions::expired(tx, context_.clock.now_ms(), kBatch);
  }));
  for (const Session& row : expired) {
    const auto reaped = TRY(context_.database.transact(
        [&](db::Transaction& tx) { return reap_session(context_, tx, row.session_id); }));
    if (!reaped) continue;
    context_.counters.sessions_lost++;
    log_error({.session_id = row.session_id, .sgc_id = row.sgc_id}, "{}", reaped->error_message);
  }
  return {};
}

Result<void> Reaper::reap_drills() {
  const auto expired = TRY(context_.database.look([&](db::Transaction& tx) {
    return db::drills::expired(tx, context_.clock.now_ms(), kBatch);
  }));
  for (const Drill& row : expired) {
    const auto reaped = context_.database.transact(
        [&](db::Transaction& tx) { return reap_drill(context_, tx, row.drill_id); });
    if (!reaped && reaped.error().code == Code::kNotFound) continue;  // its backup is gone
    if (!reaped) return std::unexpected(reaped.error());
    if (*reaped) drill_ended(context_, **reaped);
  }
  return {};
}

Result<void> Reaper::mark_offline() {
  const int64_t before_s = (context_.clock.now_ms() - context_.config.offline_after.count()) / 1000;
  const auto marked = TRY(context_.database.transact(
      db::Isolation::kStatement, [&](db::Transaction& tx) -> Result<std::vector<int64_t>> {
        auto lost = TRY(db::servers::mark_offline(tx, before_s));
        for (const int64_t server_id : lost)
          TRY(note_event(
              context_, tx,
              {.kind = EventKind::kHostLost,
               .actor = kActor,
               .server_id = server_id,
               .message = "not heard of for " + seconds(context_.config.offline_after)}));
        return lost;
      }));
  for (const int64_t server_id : marked) log_warn({}, "server {} went offline", server_id);
  return {};
}

}  // namespace manman::api
