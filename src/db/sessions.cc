#include <algorithm>

#include "db/conditions.h"
#include "db/repositories.h"
#include "db/rows.h"
#include "db/table.h"

namespace manman::db::sessions {
namespace {

Result<SessionRow> to_row(Transaction& tx, const Session& session) {
  SessionRow row;
  row.id = session.session_id;
  row.sgc_id = session.sgc_id;
  row.server_id = TRY(server_game_configs::get(tx, session.sgc_id))
  .server_id;
  row.created_at = TRY(timestamp_of("sessions.created_at", session.created_at));
  row.started_at = session.started_at;
  row.ended_at = session.ended_at;
  row.exit_code = session.exit_code;
  row.status = to_text(session.status);
  row.restored_from_backup_id = session.restored_from_backup_id;
  row.restored_paths = TRY(json_of("sessions.restored_paths", session.restored_paths));
  row.error_message = session.error_message;
  row.replaced_data = to_text(session.replaced_data);
  row.lease_until_ms = session.lease_until_ms;
  row.progress_bytes = session.progress_bytes;
  row.total_bytes = session.total_bytes;
  row.waits_for_backup_id = session.waits_for_backup_id;
  return row;
}

Result<Session> to_domain(const SessionRow& row) {
  const auto status = session_status_from(row.status);
  if (!status) return std::unexpected(damaged("sessions.status", row.status));
  const auto replaced = replaced_data_from(row.replaced_data);
  if (!replaced) return std::unexpected(damaged("sessions.replaced_data", row.replaced_data));
  Session session;
  session.session_id = row.id;
  session.sgc_id = row.sgc_id;
  session.created_at = TRY(unix_seconds_from("sessions.created_at", row.created_at));
  session.started_at = row.started_at;
  session.ended_at = row.ended_at;
  session.exit_code = row.exit_code;
  session.status = *status;
  session.restored_from_backup_id = row.restored_from_backup_id.get();
  session.restored_paths = TRY(texts_from("sessions.restored_paths", row.restored_paths));
  session.error_message = row.error_message;
  session.replaced_data = *replaced;
  session.lease_until_ms = row.lease_until_ms;
  session.progress_bytes = row.progress_bytes;
  session.total_bytes = row.total_bytes;
  session.waits_for_backup_id = row.waits_for_backup_id.get();
  return session;
}

std::string one_of(const std::vector<SessionStatus>& statuses) {
  std::string list;
  for (const SessionStatus status : statuses) {
    list += (list.empty() ? "'" : ", '") + std::string(to_text(status)) + "'";
  }
  return "status IN (" + list + ")";
}

Where matching(const Filter& filter) {
  Where where;
  if (filter.sgc_id != 0) where.when("sgc_id = :sgc", "sgc", filter.sgc_id);
  if (filter.server_id != 0) where.when("server_id = :server", "server", filter.server_id);
  if (!filter.statuses.empty()) where.when(one_of(filter.statuses));
  // What is live is few among many. Of an SGC or a server, a partial index finds them; of all,
  // naming the rows first keeps a database from walking along the ids in search of them.
  const bool live_statuses =
      !filter.statuses.empty() && std::ranges::all_of(filter.statuses, is_live);
  if (filter.live_only || live_statuses) {
    const std::string live(kSessionIsLive);
    where.when(filter.sgc_id != 0 || filter.server_id != 0
                   ? live
                   : "session_id IN (SELECT session_id FROM sessions WHERE " + live + ")");
  }
  if (filter.started_after != 0) {
    where.when("started_at > :after", "after", filter.started_after);
  }
  if (filter.started_before != 0) {  // one that has not started is not before anything
    where.when("started_at > 0");
    where.when("started_at < :before", "before", filter.started_before);
  }
  return where;
}

}  // namespace

Result<Session> create(Transaction& tx, const Session& session) {
  if (session.restored_from_backup_id != 0) {
    TRY(require<BackupRow>(tx, session.restored_from_backup_id));
  }
  return get(tx, TRY(insert(tx, TRY(to_row(tx, session)))));
}

Result<void> pass_ids(Transaction& tx, int64_t last) {
  return db::pass_ids<SessionRow>(tx, last);
}

Result<Session> get(Transaction& tx, int64_t session_id) {
  return read_one<SessionRow>(tx, session_id, to_domain);
}

Result<Session> hold(Transaction& tx, int64_t session_id) {
  return hold_one<SessionRow>(tx, session_id, to_domain);
}

Result<std::vector<Session>> list(Transaction& tx, const Filter& filter, const Page& page) {
  return read_all<SessionRow>(tx, matching(filter).page("session_id", page), to_domain);
}

Result<void> update(Transaction& tx, const Session& session) {
  TRY(require<SessionRow>(tx, session.session_id));
  return db::update(tx, TRY(to_row(tx, session)));
}

Result<std::vector<Session>> expired(Transaction& tx, int64_t now_ms, int limit) {
  Where where;
  where.when(kSessionIsLeased).when("lease_until_ms <= :now", "now", now_ms);
  return read_all<SessionRow>(tx, where.order("lease_until_ms", limit), to_domain);
}

Result<std::vector<Session>> undoing(Transaction& tx, int64_t sgc_id) {
  Where where;
  where.when("sgc_id = :sgc", "sgc", sgc_id).when(kSessionIsUndoing);
  return read_all<SessionRow>(tx, std::move(where), to_domain);
}

Result<std::vector<Session>> restoring_from(Transaction& tx, int64_t backup_id) {
  Where where;
  where.when("restored_from_backup_id = :backup", "backup", backup_id)
      .when("status IN ('pending', 'starting')");
  return read_all<SessionRow>(tx, std::move(where), to_domain);
}

Result<std::vector<Session>> waiting_for(Transaction& tx, int64_t backup_id) {
  Where where;
  where.when("waits_for_backup_id = :backup", "backup", backup_id);
  return read_all<SessionRow>(tx, std::move(where), to_domain);
}

}  // namespace manman::db::sessions
