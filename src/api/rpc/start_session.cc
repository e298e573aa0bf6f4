#include <algorithm>

#include "api/commands.h"
#include "api/events.h"
#include "api/fields.h"
#include "api/rpc/answer.h"
#include "api/rpc/backup_archive.h"
#include "api/rpc/service.h"
#include "api/rpc/to_proto.h"
#include "api/safety_backup.h"
#include "api/sgc_state.h"
#include "archive/archive.h"
#include "archive/path.h"
#include "base/failpoint.h"
#include "base/log.h"

namespace manman::api {
namespace {

// Enough for every session of an SGC that could possibly be open.
constexpr int kMaxOpen = 100;
constexpr int kMaxPaths = 1000;
constexpr size_t kMaxPathsBytes = 64 << 10;
constexpr std::string_view kSaveData = "game";  // what all entries of a backup stand under

Result<Backup> backup_to_restore(db::Transaction& tx, const v1::StartSessionRequest& request) {
  if (request.restore_from_backup_id() == 0) return Backup{};
  const Backup backup = TRY(db::backups::get(tx, request.restore_from_backup_id()));
  if (backup.sgc_id != request.server_game_config_id())
    return bad_field("restore_from_backup_id", "backup " + std::to_string(backup.backup_id) +
                                                   " is of SGC " + std::to_string(backup.sgc_id) +
                                                   ", not of SGC " +
                                                   std::to_string(request.server_game_config_id()));
  if (backup.status != BackupStatus::kCompleted)
    return fail(Code::kFailedPrecondition, "backup " + std::to_string(backup.backup_id) + " is " +
                                               std::string(wire_text(backup.status)) +
                                               "; only a completed one can be restored");
  return backup;
}

std::string path_field(int number) {
  return "restore_paths[" + std::to_string(number) + "]";
}

Result<std::vector<std::string>> paths_to_restore(const v1::StartSessionRequest& request) {
  std::vector<std::string> paths;
  if (request.restore_paths_size() == 0) return paths;
  if (request.restore_from_backup_id() == 0)
    return bad_field("restore_paths", "are of a backup: restore_from_backup_id is needed too");
  size_t bytes = 0;
  for (int i = 0; i < request.restore_paths_size(); i++) {
    paths.push_back(archive::clean_path(request.restore_paths(i)));
    bytes += paths.back().size();
    if (!archive::check_path(paths.back()) || !archive::is_at_or_below(paths.back(), kSaveData))
      return bad_field(path_field(i), "must be " + std::string(kSaveData) + ", or a path below it");
  }
  if (request.restore_paths_size() > kMaxPaths || bytes > kMaxPathsBytes)
    return bad_field("restore_paths", "must be at most " + std::to_string(kMaxPaths) +
                                          ", of 65536 bytes in all; name folders");
  return paths;
}

// Before anything is stopped or replaced. An archive without an index would have to be read as a
// whole for this; there the host finds out, before it changes anything.
Result<void> check_paths_are_there(const Context& context, const v1::StartSessionRequest& request,
                                   const std::vector<std::string>& paths) {
  if (paths.empty()) return {};
  const Backup backup = TRY(
      context.database.look([&](db::Transaction& tx) { return backup_to_restore(tx, request); }));
  const std::string name = "backup " + std::to_string(backup.backup_id);
  const auto source = TRY(in(name, open_archive(context.store, backup, Reading::kHereAndThere)));
  std::vector<bool> found(paths.size());
  const auto listed = archive::list(
      *source,
      [&](const archive::Entry& entry) {
        for (size_t i = 0; i < paths.size(); i++)
          if (!found[i]) found[i] = archive::is_at_or_below(entry.path, paths[i]);
        return std::ranges::find(found, false) != found.end();
      },
      archive::WithoutIndex::kRefuse);
  if (!listed && listed.error().code == Code::kFailedPrecondition) return {};
  TRY(in(name, listed));
  const auto missing = std::ranges::find(found, false);
  if (missing == found.end()) return {};
  return std::unexpected(Error{
      Code::kNotFound, name + ": no entry " + paths[static_cast<size_t>(missing - found.begin())] +
                           " in its archive"}
                             .with_hint("'manman backup ls " + std::to_string(backup.backup_id) +
                                        "' shows what it holds"));
}

Result<void> check_none_alive(const std::vector<Session>& live) {
  if (live.empty()) return {};
  const Session& session = live.front();
  return std::unexpected(
      Error{Code::kFailedPrecondition, "session " + std::to_string(session.session_id) +
                                           " of SGC " + std::to_string(session.sgc_id) + " is " +
                                           std::string(wire_text(session.status))}
          .with_hint("stop it first, or start with force (--force), which stops it"));
}

// Stops what lives; the new session's command follows behind on the host's lane.
Result<void> stop_all(db::Transaction& tx, const Deployment& deployment,
                      const std::vector<Session>& live, int64_t now_ms, int64_t lease_until_ms) {
  for (Session session : live) {
    const auto after = next(session.status, SessionEvent::kStop);
    if (!after || session.status == SessionStatus::kStopping) continue;  // ordered already
    session.status = *after;
    session.lease_until_ms = lease_until_ms;
    TRY(db::sessions::update(tx, session));
    TRY(order_session(tx, deployment, SessionCommand::Kind::kStop, session.session_id, now_ms));
  }
  return {};
}

// A session that was given up because its host was silent may yet come up there. Two games on one
// folder would spoil it, so the host is told to stop the lost one before it starts the new one.
Result<void> stop_lost(db::Transaction& tx, const Deployment& deployment, int64_t now_ms) {
  const auto lost = TRY(
      db::sessions::list(tx, {.sgc_id = deployment.sgc.sgc_id, .statuses = {SessionStatus::kLost}},
                         db::Page{.size = kMaxOpen}));
  for (const Session& session : lost)
    TRY(order_session(tx, deployment, SessionCommand::Kind::kStop, session.session_id, now_ms));
  return {};
}

Result<Session> start(const Context& context, const v1::StartSessionRequest& request) {
  const auto paths = TRY(paths_to_restore(request));
  TRY(check_paths_are_there(context, request, paths));
  return context.database.transact([&](db::Transaction& tx) -> Result<Session> {
    const int64_t sgc_id = request.server_game_config_id();
    const Deployment deployment = TRY(deployment_of(tx, context.config.profiles, sgc_id));
    if (!deployment.sgc.active)
      return fail(Code::kFailedPrecondition, "SGC " + std::to_string(sgc_id) + " is inactive");
    const Backup restored = TRY(backup_to_restore(tx, request));
    const auto live = TRY(
        db::sessions::list(tx, {.sgc_id = sgc_id, .live_only = true}, db::Page{.size = kMaxOpen}));
    if (!request.force()) TRY(check_none_alive(live));
    TRY(check_no_backup(tx, sgc_id));
    TRY(check_no_undo(tx, sgc_id));

    const int64_t now_ms = context.clock.now_ms();
    TRY(stop_lost(tx, deployment, now_ms));
    const int64_t lease_until_ms = now_ms + context.config.lease.count();
    TRY(stop_all(tx, deployment, live, now_ms, lease_until_ms));
    // The host looks at the start only when the stops before it are done.
    const int64_t stopping_ms =
        static_cast<int64_t>(live.size()) * deployment.launch.handling.stop_grace_seconds * 1000;
    const int64_t safety_backup_id = TRY(begin_safety_backup(context, tx, restored));
    Session session{.sgc_id = sgc_id, .created_at = now_ms / 1000};
    session.restored_from_backup_id = restored.backup_id;
    session.restored_paths = paths;
    session.lease_until_ms = lease_until_ms + stopping_ms;
    if (safety_backup_id != 0) {
      session = TRY(create_waiting(tx, std::move(session), safety_backup_id));
    } else {
      session = TRY(db::sessions::create(tx, session));
      TRY(order_start(tx, deployment, session, restored, now_ms, context.config.lease));
    }
    TRY(note_event(
        context, tx,
        {.kind = EventKind::kSessionOrdered,
         .server_id = deployment.server.server_id,
         .sgc_id = sgc_id,
         .session_id = session.session_id,
         .backup_id = restored.backup_id,
         .message =
             restored.backup_id == 0
                 ? "start"
                 : "start, restoring backup " + std::to_string(restored.backup_id) +
                       (paths.empty() ? ""
                                      : ", " + std::to_string(paths.size()) + " path(s) of it")}));
    return session;
  });
}

}  // namespace

grpc::Status Service::StartSession(grpc::ServerContext* call,
                                   const v1::StartSessionRequest* request,
                                   v1::StartSessionResponse* response) {
  return answer(call, "StartSession", [&](const Context& context) -> Result<void> {
    TRY(check_id("server_game_config_id", request->server_game_config_id()));
    TRY(check_optional_id("restore_from_backup_id", request->restore_from_backup_id()));
    const Session session = TRY(start(context, *request));
    context.commands_waiting();
    log_info({.backup_id = session.restored_from_backup_id,
              .session_id = session.session_id,
              .sgc_id = session.sgc_id},
             "session ordered{}{}", session.restored_from_backup_id == 0 ? "" : " with a restore",
             session.waits_for_backup_id == 0
                 ? ""
                 : ", after backup " + std::to_string(session.waits_for_backup_id));
    TRY(failpoint::pass("api.start_session.committed"));
    to_proto(session, response->mutable_session());
    return {};
  });
}

}  // namespace manman::api
