#include "db/conditions.h"
#include "db/repositories.h"
#include "db/rows.h"
#include "db/table.h"
#include "domain/object_url.h"

namespace manman::db::backups {
namespace {

Result<BackupRow> to_row(const Backup& backup) {
  BackupRow row;
  row.id = backup.backup_id;
  row.session_id = backup.session_id;
  row.sgc_id = backup.sgc_id;
  row.s3_url = backup.s3_url;
  row.size_bytes = backup.size_bytes;
  row.description = backup.description;
  row.created_at = TRY(timestamp_of("backups.created_at", backup.created_at));
  row.status = to_text(backup.status);
  row.error_message = backup.error_message;
  row.attempt = backup.attempt;
  row.lease_until_ms = backup.lease_until_ms;
  row.sha256 = backup.sha256;
  row.progress_bytes = backup.progress_bytes;
  row.total_bytes = backup.total_bytes;
  row.started_at = backup.started_at;
  row.finished_at = backup.finished_at;
  row.entries = backup.entries;
  row.warnings = TRY(json_of("backups.warnings", backup.warnings));
  row.format = backup.compression.format_text();
  row.level = backup.compression.level_text();
  row.consistency = to_text(backup.verdict.consistency);
  row.evidence = backup.verdict.evidence;
  row.pause_ms = backup.verdict.pause_ms;
  row.changed_files = TRY(json_of("backups.changed_files", backup.verdict.changed_files));
  row.changed_count = backup.verdict.changed_count;
  row.policy_id = backup.policy_id;
  row.fingerprint = backup.fingerprint;
  row.pinned = backup.pinned ? 1 : 0;
  row.verified_at = backup.verification.verified_at;
  row.verified_how = to_text(backup.verification.how);
  row.verify_failed_at = backup.verification.failed_at;
  row.verify_error = backup.verification.error;
  row.looked_at = backup.verification.looked_at;
  row.verify_lease_ms = backup.verification.lease_until_ms;
  row.mark = backup.mark;
  row.adopted_at = backup.adopted_at;
  row.verify_failed_how = to_text(backup.verification.failed_how);
  row.verify_due = to_text(backup.verification.due);
  return row;
}

Result<Backup> to_domain(const BackupRow& row) {
  const auto status = backup_status_from(row.status);
  if (!status) return std::unexpected(damaged("backups.status", row.status));
  Backup backup;
  backup.backup_id = row.id;
  backup.session_id = row.session_id.get();
  backup.sgc_id = row.sgc_id;
  backup.s3_url = row.s3_url;
  backup.size_bytes = row.size_bytes;
  backup.description = row.description;
  backup.created_at = TRY(unix_seconds_from("backups.created_at", row.created_at));
  backup.status = *status;
  backup.error_message = row.error_message;
  backup.attempt = row.attempt;
  backup.lease_until_ms = row.lease_until_ms;
  backup.sha256 = row.sha256;
  backup.progress_bytes = row.progress_bytes;
  backup.total_bytes = row.total_bytes;
  backup.started_at = row.started_at;
  backup.finished_at = row.finished_at;
  backup.entries = row.entries;
  backup.warnings = TRY(texts_from("backups.warnings", row.warnings));
  backup.compression = TRY(compression_from("backups", row.format, row.level));
  const auto consistency = consistency_from(row.consistency);
  if (!consistency) return std::unexpected(damaged("backups.consistency", row.consistency));
  backup.verdict = {
    .consistency = *consistency,
    .evidence = row.evidence,
    .pause_ms = row.pause_ms,
    .changed_files = TRY(texts_from("backups.changed_files", row.changed_files)),
    .changed_count = row.changed_count
  };
  backup.policy_id = row.policy_id.get();
  backup.fingerprint = row.fingerprint;
  backup.pinned = row.pinned != 0;
  const auto how = verified_how_from(row.verified_how);
  if (!how) return std::unexpected(damaged("backups.verified_how", row.verified_how));
  const auto failed_how = verified_how_from(row.verify_failed_how);
  if (!failed_how)
    return std::unexpected(damaged("backups.verify_failed_how", row.verify_failed_how));
  const auto due = verified_how_from(row.verify_due);
  if (!due) return std::unexpected(damaged("backups.verify_due", row.verify_due));
  backup.verification = {.verified_at = row.verified_at,
                         .how = *how,
                         .failed_at = row.verify_failed_at,
                         .failed_how = *failed_how,
                         .error = row.verify_error,
                         .looked_at = row.looked_at,
                         .lease_until_ms = row.verify_lease_ms,
                         .due = *due};
  backup.mark = row.mark;
  backup.adopted_at = row.adopted_at;
  return backup;
}

Result<Placed> to_placed(const PlacedRow& row) {
  const auto status = backup_status_from(row.status);
  if (!status) return std::unexpected(damaged("backups.status", row.status));
  return Placed{row.id, row.sgc_id, row.s3_url, row.size_bytes, *status, row.attempt, row.mark};
}

Where active_of(int64_t sgc_id) {
  return Where().when("server_game_config_id = :sgc", "sgc", sgc_id).when(kBackupIsActive);
}

// Whether one backup of the SGC is active is the unique index's to say. Looking for it first would
// bring all that begin at once in each other's way, as they share a page of that index.
std::string one_active() {
  return "(server_game_config_id) WHERE " + std::string(kBackupIsActive);
}

Result<void> forbid_another_active(Transaction& tx, const Backup& backup) {
  const auto other = TRY(find_id<BackupRow>(tx, active_of(backup.sgc_id)));
  if (!other || *other == backup.backup_id) return {};
  return fail(Code::kFailedPrecondition, "backup " + std::to_string(*other) +
                                             " of server game config " +
                                             std::to_string(backup.sgc_id) + " is still at work");
}

}  // namespace

Result<Backup> create(Transaction& tx, const Backup& backup, const std::string& bucket) {
  TRY(require<ServerGameConfigRow>(tx, backup.sgc_id));
  if (backup.session_id != 0) TRY(require<SessionRow>(tx, backup.session_id));
  Backup made = backup;
  made.backup_id = TRY(next_id<BackupRow>(tx));
  made.s3_url =
      ObjectUrl{bucket, backup_key(made.sgc_id, made.backup_id, made.compression.format)}.text();
  if (TRY(insert_unless(tx, TRY(to_row(made)), one_active()))) return made;
  TRY(forbid_another_active(tx, made));
  return fail(Code::kAborted, "another backup of server game config " +
                                  std::to_string(made.sgc_id) + " was at work until now");
}

Result<Backup> get(Transaction& tx, int64_t backup_id) {
  return read_one<BackupRow>(tx, backup_id, to_domain);
}

Result<Backup> hold(Transaction& tx, int64_t backup_id) {
  return hold_one<BackupRow>(tx, backup_id, to_domain);
}

Result<std::vector<Backup>> list(Transaction& tx, const Filter& filter, const Page& page) {
  Where where;
  if (filter.sgc_id != 0) where.when("server_game_config_id = :sgc", "sgc", filter.sgc_id);
  if (filter.policy_id != 0) where.when("policy_id = :policy", "policy", filter.policy_id);
  if (filter.session_id != 0) where.when("session_id = :session", "session", filter.session_id);
  return read_all<BackupRow>(tx, where.page("backup_id", page), to_domain);
}

Result<std::optional<Backup>> active(Transaction& tx, int64_t sgc_id) {
  auto found = TRY(read_all<BackupRow>(tx, active_of(sgc_id), to_domain));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<void> update(Transaction& tx, const Backup& backup) {
  const Backup before = TRY(get(tx, backup.backup_id));
  if (!is_active(before.status) && is_active(backup.status)) TRY(forbid_another_active(tx, backup));
  return db::update(tx, TRY(to_row(backup)));
}

Result<std::vector<Backup>> expired(Transaction& tx, int64_t now_ms, int limit) {
  Where where;
  where.when(kBackupIsLeased).when("lease_until_ms <= :now", "now", now_ms);
  return read_all<BackupRow>(tx, where.order("lease_until_ms", limit), to_domain);
}

Result<std::vector<Backup>> to_verify(Transaction& tx, VerifiedHow due, int64_t now_ms, int limit) {
  Where where;
  where.when(kBackupIsToBeLookedAt)
      .when("verify_due = :due", "due", std::string(to_text(due)))
      .when("verify_lease_ms <= :now", "now", now_ms);
  return read_all<BackupRow>(tx, where.order("looked_at", limit), to_domain);
}

Result<std::vector<Backup>> to_verify_again(Transaction& tx, int64_t policy_id, int64_t before_s,
                                            int64_t now_ms, int limit) {
  Where where;
  where.when(kBackupIsStored)
      .when("looked_at <= :before", "before", before_s)
      .when("verify_lease_ms <= :now", "now", now_ms);
  if (policy_id != 0)
    where.when("policy_id = :policy", "policy", policy_id);
  else
    where.when(
        "NOT EXISTS (SELECT 1 FROM backup_policies p WHERE p.policy_id = backups.policy_id "
        "AND p.verify_every_days >= 0)");
  return read_all<BackupRow>(tx, where.order("looked_at", limit), to_domain);
}

Result<std::optional<Backup>> to_drill(Transaction& tx, int64_t policy_id) {
  Where where;
  where.when("policy_id = :policy", "policy", policy_id)
      .when("status = 'completed' AND verify_failed_at = 0");
  auto found = TRY(read_all<BackupRow>(tx, where.order("backup_id DESC", 1), to_domain));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<std::optional<Backup>> restorable(Transaction& tx, int64_t sgc_id) {
  Where where;
  where.when("server_game_config_id = :sgc", "sgc", sgc_id).when(kBackupIsRestorable);
  auto found = TRY(read_all<BackupRow>(tx, where.order("backup_id DESC", 1), to_domain));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<std::vector<Backup>> deleting(Transaction& tx, int limit) {
  Where where;
  where.when("status = 'deleting'");
  return read_all<BackupRow>(tx, where.order("backup_id", limit), to_domain);
}

Result<std::optional<Backup>> last_good(Transaction& tx, int64_t sgc_id) {
  Where where;
  where.when("server_game_config_id = :sgc", "sgc", sgc_id).when(kBackupIsGood);
  auto found = TRY(read_all<BackupRow>(tx, where.order("backup_id DESC", 1), to_domain));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<std::optional<Backup>> last_fingerprinted(Transaction& tx, int64_t policy_id) {
  Where where;
  where.when("policy_id = :policy", "policy", policy_id)
      .when("status = 'completed' AND verify_failed_at = 0 AND fingerprint <> ''");
  auto found = TRY(read_all<BackupRow>(tx, where.order("backup_id DESC", 1), to_domain));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<std::vector<Placed>> placed(Transaction& tx, const std::string& from,
                                   const std::string& until, const PlacedAfter& after, int limit) {
  const std::string url = "s3_url" + std::string(engine_of(tx).by_bytes());
  Where where;
  where.when(url + " >= :from_url", "from_url", from)
      .when(url + " < :until_url", "until_url", until);
  if (!after.s3_url.empty())
    where.when("(" + url + ", backup_id) > (:after_url, " + std::to_string(after.backup_id) + ")",
               "after_url", after.s3_url);
  return read_all<PlacedRow>(tx, where.order(url + ", backup_id", limit), to_placed);
}

Result<std::vector<Placed>> placed_at(Transaction& tx, const std::string& s3_url) {
  const std::string url = "s3_url" + std::string(engine_of(tx).by_bytes());
  return read_all<PlacedRow>(
      tx, Where().when(url + " = :url", "url", s3_url).order("backup_id", kMaxPlacedAt), to_placed);
}

Result<int64_t> count_outside(Transaction& tx, const std::string& from, const std::string& until) {
  return query(tx, [&](soci::session& sql) -> Result<int64_t> {
    const std::string url = "s3_url" + std::string(engine_of(tx).by_bytes());
    int64_t below = 0;
    int64_t above = 0;
    sql << "SELECT COUNT(*) FROM backups WHERE " + url + " < :from_url",
        soci::use(from, "from_url"), soci::into(below);
    sql << "SELECT COUNT(*) FROM backups WHERE " + url + " >= :until_url",
        soci::use(until, "until_url"), soci::into(above);
    return below + above;
  });
}

Result<bool> any(Transaction& tx) {
  return TRY(find_id<BackupRow>(tx, Where()))
  .has_value();
}

Result<bool> any_adopted(Transaction& tx, int64_t sgc_id, const std::string& from,
                         const std::string& until) {
  const std::string url = "s3_url" + std::string(engine_of(tx).by_bytes());
  const auto found = TRY(find_id<BackupRow>(
      tx, Where()
              .when("server_game_config_id = :sgc AND adopted_at > 0", "sgc", sgc_id)
              .when(url + " >= :from_url", "from_url", from)
              .when(url + " < :until_url", "until_url", until)));
  return found.has_value();
}

Result<int> move_adopted(Transaction& tx, int64_t from_sgc_id, int64_t to_sgc_id) {
  return query(tx, [&](soci::session& sql) -> Result<int> {
    soci::statement statement(sql);
    statement.exchange(soci::use(to_sgc_id, "to_sgc"));
    statement.exchange(soci::use(from_sgc_id, "from_sgc"));
    detail::run(statement,
                "UPDATE backups SET server_game_config_id = :to_sgc "
                "WHERE server_game_config_id = :from_sgc AND adopted_at > 0",
                true);
    return static_cast<int>(statement.get_affected_rows());
  });
}

Result<int64_t> adopt(Transaction& tx, const Backup& backup) {
  TRY(require<ServerGameConfigRow>(tx, backup.sgc_id));
  return adopt_row(tx, TRY(to_row(backup)));
}

Result<void> remove(Transaction& tx, int64_t backup_id) {
  // By their foreign keys sessions forget it, and its drills go with it.
  return erase_one<BackupRow>(tx, backup_id);
}

namespace {

Result<int64_t> number(Transaction& tx, const std::string& what, const Scope& scope,
                       std::string_view condition) {
  return query(tx, [&](soci::session& sql) -> Result<int64_t> {
    int64_t value = 0;
    int64_t id = scope.sgc_id != 0 ? scope.sgc_id : scope.server_id;
    soci::statement statement(sql);
    statement.exchange(soci::into(value));
    statement.exchange(soci::use(id, "id"));
    const std::string of_which =
        scope.sgc_id != 0 ? "server_game_config_id = :id"
                          : "server_game_config_id IN (SELECT sgc_id FROM server_game_configs "
                            "WHERE server_id = :id)";
    detail::run(
        statement,
        "SELECT " + what + " FROM backups WHERE " + of_which + " AND " + std::string(condition),
        true);
    return value;
  });
}

}  // namespace

Result<int64_t> active_of(Transaction& tx, const Scope& scope) {
  return number(tx, "COUNT(*)", scope, kBackupIsActive);
}

Result<int64_t> stored_bytes_of(Transaction& tx, const Scope& scope) {
  return number(tx, "CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT)", scope, kBackupIsStored);
}

}  // namespace manman::db::backups
