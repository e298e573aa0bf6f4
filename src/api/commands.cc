#include "api/commands.h"

#include "api/game_config_fields.h"
#include "api/handling_fields.h"
#include "domain/object_url.h"
#include "domain/origin.h"

namespace manman::api {
namespace {

std::string_view routing_word(SessionCommand::Kind kind) {
  switch (kind) {
    case SessionCommand::Kind::kStop:
      return "session.stop";
    case SessionCommand::Kind::kKill:
      return "session.kill";
    case SessionCommand::Kind::kUndoRestore:
      return "session.undo_restore";
  }
  return "session.stop";
}

// What `get` finds, or nothing when there is no such row.
template <typename T>
Result<std::optional<T>> if_there(Result<T> row) {
  if (row) return std::optional<T>(*std::move(row));
  if (row.error().code == Code::kNotFound) return std::optional<T>();
  return std::unexpected(std::move(row).error());
}

Result<bool> backup_wanted(db::Transaction& tx, const BackupCommand& command) {
  const auto backup = TRY(if_there(db::backups::get(tx, command.backup_id)));
  return backup && is_active(backup->status) && backup->attempt == command.attempt;
}

Result<bool> start_wanted(db::Transaction& tx, const StartSessionCommand& command) {
  const auto session = TRY(if_there(db::sessions::get(tx, command.session_id)));
  // Starting a session that its own end has overtaken would run a game that nobody watches, and
  // might restore over newer data.
  return session && is_live(session->status);
}

Result<bool> drill_wanted(db::Transaction& tx, const DrillCommand& command) {
  const auto drill = TRY(if_there(db::drills::get(tx, command.drill_id)));
  return drill && is_active(drill->status);
}

Result<bool> session_command_wanted(db::Transaction& tx, const SessionCommand& command) {
  const auto session = TRY(if_there(db::sessions::get(tx, command.session_id)));
  if (!session) return false;
  if (command.kind == SessionCommand::Kind::kUndoRestore)
    return session->replaced_data == ReplacedData::kUndoing;
  return is_live(session->status) || session->status == SessionStatus::kLost;
}

Result<Origin> origin_of(db::Transaction& tx, const Deployment& deployment, const Backup& backup) {
  Origin origin{.mark = backup.mark,
                .backup_id = backup.backup_id,
                .session_id = backup.session_id,
                .created_at = backup.created_at,
                .description = backup.description,
                .policy = deployment.policy.name,
                .server = deployment.server};
  origin.sgc = deployment.sgc;
  origin.config = TRY(db::game_configs::get(tx, deployment.sgc.game_config_id));
  origin.game = TRY(db::games::get(tx, origin.config.game_id));
  for (const auto& [name, value] : std::exchange(origin.config.env, {}))
    origin.env_names.push_back(name);
  return origin;
}

// The backup that stands for this one when nothing has changed since.
Result<std::optional<Backup>> unchanged_since(db::Transaction& tx, const BackupPolicy& policy,
                                              const Backup& backup) {
  if (!policy.skip_unchanged) return std::nullopt;
  const auto run = TRY(db::policy_runs::of_backup(tx, backup.backup_id));
  if (!run || !may_be_skipped(run->trigger)) return std::nullopt;
  return db::backups::last_fingerprinted(tx, policy.policy_id);
}

}  // namespace

Result<Deployment> deployment_of(db::Transaction& tx, const Profiles& profiles, int64_t sgc_id,
                                 int64_t policy_id) {
  Deployment deployment;
  if (policy_id != 0) deployment.policy = TRY(db::policies::get(tx, policy_id));
  deployment.sgc = TRY(db::server_game_configs::get(tx, sgc_id));
  deployment.server = TRY(db::servers::get(tx, deployment.sgc.server_id));
  const GameConfig config = TRY(db::game_configs::get(tx, deployment.sgc.game_config_id));
  GameLaunch& launch = deployment.launch;
  launch.environment = deployment.server.environment;
  launch.image = config.image;
  launch.argv = TRY(argv_of(config));
  launch.entrypoint_words = static_cast<int>(config.entrypoint.size());
  launch.env = config.env;
  launch.data_path = config.data_path;
  launch.port_bindings = deployment.sgc.port_bindings;
  deployment.compression = TRY(
      Compression::parse(deployment.policy.format, deployment.policy.level, config.compression));
  if (auto handling =
          effective_handling(profiles, config, deployment.sgc, deployment.policy.handling)) {
    launch.handling = *std::move(handling);
  } else {
    Error why{Code::kFailedPrecondition,
              "SGC " + std::to_string(sgc_id) + ": " + handling.error().message};
    deployment.handled = std::unexpected(std::move(why).with_hint(
        "give every API the same --profiles, or the SGC another one with 'manman sgc update'"));
  }
  return deployment;
}

Result<Session> live_session(db::Transaction& tx, int64_t sgc_id) {
  const auto live =
      TRY(db::sessions::list(tx, {.sgc_id = sgc_id, .live_only = true}, db::Page{.size = 1}));
  return live.empty() ? Session{} : live.front();
}

Result<void> order_backup(db::Transaction& tx, const Deployment& deployment, const Backup& backup,
                          int64_t now_ms) {
  TRY(deployment.handled);
  const Session session = TRY(live_session(tx, backup.sgc_id));
  const ObjectUrl url = TRY(ObjectUrl::parse(backup.s3_url));
  BackupCommand command{.backup_id = backup.backup_id,
                        .session_id = session.session_id,
                        .sgc_id = backup.sgc_id,
                        .attempt = backup.attempt,
                        .s3_key = url.key,
                        .s3_url = backup.s3_url,
                        .launch = deployment.launch,
                        .compression = backup.compression};
  command.mark = backup.mark;
  command.origin = TRY(origin_of(tx, deployment, backup))
  .to_json();
  command.upload_bytes_per_second = deployment.policy.upload_bytes_per_second;
  command.fingerprint = deployment.policy.skip_unchanged;
  if (const auto last = TRY(unchanged_since(tx, deployment.policy, backup))) {
    command.last_backup_id = last->backup_id;
    command.last_fingerprint = last->fingerprint;
  }
  return db::outbox::add(tx, command_key(deployment.server.server_id, "backup"), command.to_json(),
                         now_ms);
}

Result<void> order_cancel(db::Transaction& tx, const Backup& backup, int64_t now_ms) {
  const auto sgc = TRY(db::server_game_configs::get(tx, backup.sgc_id));
  CancelBackupCommand command{.backup_id = backup.backup_id,
                              .sgc_id = backup.sgc_id,
                              .s3_key = {},
                              .s3_url = backup.s3_url,
                              .mark = backup.mark};
  command.s3_key = TRY(ObjectUrl::parse(backup.s3_url))
  .key;
  return db::outbox::add(tx, command_key(sgc.server_id, "backup.cancel"), command.to_json(),
                         now_ms);
}

Result<void> order_start(db::Transaction& tx, const Deployment& deployment, const Session& session,
                         const Backup& restored, int64_t now_ms, std::chrono::milliseconds lease) {
  TRY(deployment.handled);
  const StartSessionCommand command{.session_id = session.session_id,
                                    .sgc_id = session.sgc_id,
                                    .restore_backup_id = restored.backup_id,
                                    .restore_s3_url = restored.s3_url,
                                    .restore_size_bytes = restored.size_bytes,
                                    .restore_data_bytes = restored.total_bytes,
                                    .restore_sha256 = restored.sha256,
                                    .restore_paths = session.restored_paths,
                                    .lease_ms = lease.count(),
                                    .launch = deployment.launch};
  return db::outbox::add(tx, command_key(deployment.server.server_id, "session.start"),
                         command.to_json(), now_ms);
}

Result<void> order_drill(db::Transaction& tx, const Deployment& deployment, const Drill& drill,
                         const Backup& backup, int64_t now_ms) {
  TRY(deployment.handled);
  const DrillCommand command{.drill_id = drill.drill_id,
                             .sgc_id = backup.sgc_id,
                             .backup = {.backup_id = backup.backup_id,
                                        .s3_url = backup.s3_url,
                                        .size_bytes = backup.size_bytes,
                                        .data_bytes = backup.total_bytes,
                                        .sha256 = backup.sha256},
                             .start_game = drill.start_game,
                             .launch = deployment.launch};
  return db::outbox::add(tx, command_key(drill.server_id, "drill"), command.to_json(), now_ms);
}

Result<void> order_session(db::Transaction& tx, const Deployment& deployment,
                           SessionCommand::Kind kind, int64_t session_id, int64_t now_ms) {
  if (kind == SessionCommand::Kind::kStop) TRY(deployment.handled);
  const SessionCommand command{.kind = kind,
                               .session_id = session_id,
                               .sgc_id = deployment.sgc.sgc_id,
                               .launch = deployment.launch};
  return db::outbox::add(tx, command_key(deployment.server.server_id, routing_word(kind)),
                         command.to_json(), now_ms);
}

Result<bool> still_wanted(db::Transaction& tx, const db::outbox::Row& row) {
  const auto name = command_name(row.body);
  if (name && *name == "backup_session") {
    if (const auto command = BackupCommand::parse(row.body)) return backup_wanted(tx, *command);
  } else if (name && *name == "cancel_backup") {
    return true;  // whatever became of the row, the host may still be at work
  } else if (name && *name == "drill_backup") {
    if (const auto command = DrillCommand::parse(row.body)) return drill_wanted(tx, *command);
  } else if (name && (*name == "start_session" || *name == "start_session_with_paths")) {
    if (const auto command = StartSessionCommand::parse(row.body))
      return start_wanted(tx, *command);
  } else if (const auto command = SessionCommand::parse(row.body)) {
    return session_command_wanted(tx, *command);
  }
  return true;  // of another version of this program; its host knows what to do with it
}

Result<std::chrono::milliseconds> expires_in(db::Transaction& tx, const db::outbox::Row& row,
                                             int64_t now_ms, std::chrono::milliseconds lease) {
  int64_t lease_until_ms = 0;
  if (const auto start = StartSessionCommand::parse(row.body)) {
    const Session session = TRY(db::sessions::get(tx, start->session_id));
    lease_until_ms = session.lease_until_ms;
  } else if (const auto command = DrillCommand::parse(row.body)) {
    const Drill drill = TRY(db::drills::get(tx, command->drill_id));
    lease_until_ms = drill.lease_until_ms;
  } else {
    return std::chrono::milliseconds(0);
  }
  const std::chrono::milliseconds left(lease_until_ms - now_ms);
  // A lease that has ended and was not reaped yet gets another one from a reaper that has just
  // started.
  return left.count() > 0 ? left : lease;
}

}  // namespace manman::api
