#include "db/conditions.h"
#include "db/repositories.h"
#include "db/rows.h"
#include "db/table.h"

namespace manman::db::drills {
namespace {

Result<DrillRow> to_row(const Drill& drill) {
  DrillRow row;
  row.id = drill.drill_id;
  row.backup_id = drill.backup_id;
  row.sgc_id = drill.sgc_id;
  row.server_id = drill.server_id;
  row.policy_id = drill.policy_id;
  row.start_game = drill.start_game ? 1 : 0;
  row.status = to_text(drill.status);
  row.error_message = drill.error_message;
  row.findings = TRY(json_of("drills.findings", drill.findings));
  row.finding_count = drill.finding_count;
  row.examined = drill.examined;
  row.unexamined_count = drill.unexamined_count;
  row.created_at = drill.created_at;
  row.started_at = drill.started_at;
  row.finished_at = drill.finished_at;
  row.lease_until_ms = drill.lease_until_ms;
  row.progress_bytes = drill.progress_bytes;
  row.total_bytes = drill.total_bytes;
  return row;
}

Result<Drill> to_domain(const DrillRow& row) {
  const auto status = drill_status_from(row.status);
  if (!status) return std::unexpected(damaged("drills.status", row.status));
  Drill drill;
  drill.drill_id = row.id;
  drill.backup_id = row.backup_id;
  drill.sgc_id = row.sgc_id;
  drill.server_id = row.server_id.get();
  drill.policy_id = row.policy_id.get();
  drill.start_game = row.start_game != 0;
  drill.status = *status;
  drill.error_message = row.error_message;
  drill.findings = TRY(texts_from("drills.findings", row.findings));
  drill.finding_count = row.finding_count;
  drill.examined = row.examined;
  drill.unexamined_count = row.unexamined_count;
  drill.created_at = row.created_at;
  drill.started_at = row.started_at;
  drill.finished_at = row.finished_at;
  drill.lease_until_ms = row.lease_until_ms;
  drill.progress_bytes = row.progress_bytes;
  drill.total_bytes = row.total_bytes;
  return drill;
}

}  // namespace

Result<Drill> create(Transaction& tx, const Drill& drill) {
  Drill made = drill;
  made.drill_id = TRY(next_id<DrillRow>(tx));
  if (TRY(insert_unless(tx, TRY(to_row(made)), "(backup_id) WHERE " + std::string(kDrillIsActive))))
    return made;
  return fail(Code::kFailedPrecondition,
              "a drill of backup " + std::to_string(drill.backup_id) + " is at work already");
}

Result<Drill> get(Transaction& tx, int64_t drill_id) {
  return read_one<DrillRow>(tx, drill_id, to_domain);
}

Result<Drill> hold(Transaction& tx, int64_t drill_id) {
  return hold_one<DrillRow>(tx, drill_id, to_domain);
}

Result<std::vector<Drill>> list(Transaction& tx, const Filter& filter, const Page& page) {
  Where where;
  if (filter.backup_id != 0) where.when("backup_id = :backup", "backup", filter.backup_id);
  if (filter.sgc_id != 0) where.when("sgc_id = :sgc", "sgc", filter.sgc_id);
  return read_all<DrillRow>(tx, where.page("drill_id", page), to_domain);
}

Result<std::optional<Drill>> active(Transaction& tx, int64_t backup_id) {
  Where where;
  where.when("backup_id = :backup", "backup", backup_id).when(kDrillIsActive);
  auto found = TRY(read_all<DrillRow>(tx, where, to_domain));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<void> update(Transaction& tx, const Drill& drill) {
  return db::update(tx, TRY(to_row(drill)));
}

Result<std::vector<Drill>> expired(Transaction& tx, int64_t now_ms, int limit) {
  Where where;
  where.when(kDrillIsActive).when("lease_until_ms <= :now", "now", now_ms);
  return read_all<DrillRow>(tx, where.order("lease_until_ms", limit), to_domain);
}

}  // namespace manman::db::drills
