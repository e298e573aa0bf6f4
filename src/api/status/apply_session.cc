#include <optional>

#include "api/events.h"
#include "api/policy_runs.h"
#include "api/status/apply.h"
#include "base/log.h"
#include "db/repositories.h"

namespace manman::api {
namespace {

std::unexpected<Error> contradiction(const SessionReport& report, const std::string& what) {
  return fail(Code::kInvalidArgument, "session " + std::to_string(report.session_id) + ": " + what);
}

Result<std::optional<SessionEvent>> event_of(const SessionReport& report) {
  if (report.status.empty()) return std::nullopt;  // only replaced_data is reported
  if (report.status == "starting") return SessionEvent::kHostStarting;
  if (report.status == "running") return SessionEvent::kHostRunning;
  if (report.status == "stopping") return SessionEvent::kHostStopping;
  if (report.status == "stopped") return SessionEvent::kHostStopped;
  if (report.status == "crashed") return SessionEvent::kHostCrashed;
  if (report.status == "completed") return SessionEvent::kHostCompleted;
  return contradiction(report, "status '" + report.status + "' is not one of a session");
}

Result<void> check_against(db::Transaction& tx, const SessionReport& report, const Session& row) {
  if (report.sgc_id != 0 && report.sgc_id != row.sgc_id)
    return contradiction(report, "reported for SGC " + std::to_string(report.sgc_id) +
                                     ", but it is of SGC " + std::to_string(row.sgc_id));
  const auto sgc = TRY(db::server_game_configs::get(tx, row.sgc_id));
  if (report.server_id != 0 && report.server_id != sgc.server_id)
    return contradiction(report, "reported by server " + std::to_string(report.server_id) +
                                     ", but it runs on server " + std::to_string(sgc.server_id));
  return {};
}

// It says that the host is at it, and nothing more.
bool is_renewal(SessionEvent event) {
  return event == SessionEvent::kHostStarting || event == SessionEvent::kHostStopping;
}

bool take_status(const Context& context, const SessionReport& report, SessionEvent event,
                 Session& row) {
  const auto after = next(row.status, event);
  if (!after) return false;
  const int64_t now_ms = context.clock.now_ms();
  const bool was_lost = row.status == SessionStatus::kLost;
  row.status = *after;
  if (was_lost && is_live(row.status)) {
    row.ended_at = 0;
    row.error_message.clear();
  }
  if (report.progress_bytes > 0) row.progress_bytes = report.progress_bytes;
  if (report.total_bytes > 0) row.total_bytes = report.total_bytes;
  if (is_renewal(event)) {
    row.lease_until_ms = now_ms + context.config.lease.count();
  } else if (event == SessionEvent::kHostRunning) {
    if (row.started_at == 0) row.started_at = now_ms / 1000;
  } else {
    row.ended_at = now_ms / 1000;
    row.exit_code = report.exit_code;
    row.error_message = report.error_message;
  }
  return true;
}

// The host tells what became of the data that a restore replaced.
Result<std::optional<ReplacedData>> after_report(const SessionReport& report, ReplacedData state) {
  const bool open = state == ReplacedData::kKept || state == ReplacedData::kUndoing;
  if (report.replaced_data.empty() || report.replaced_data == "none") return std::nullopt;
  if (report.replaced_data == "kept") {
    if (state == ReplacedData::kNone) return ReplacedData::kKept;
    // The restore's own reports may come again while an undo is at work; they carry a status. One
    // without, but with a reason, says that the undo has failed.
    if (state == ReplacedData::kUndoing && report.status.empty() && !report.error_message.empty())
      return ReplacedData::kKept;
    return std::nullopt;
  }
  if (report.replaced_data == "undone")
    return open ? std::optional(ReplacedData::kUndone) : std::nullopt;
  if (report.replaced_data == "removed")
    return open || state == ReplacedData::kNone ? std::optional(ReplacedData::kRemoved)
                                                : std::nullopt;
  return contradiction(report, "replaced_data '" + report.replaced_data + "' is not known");
}

Result<Effect> apply_in(const Context& context, db::Transaction& tx, const SessionReport& report,
                        std::optional<SessionEvent> event) {
  auto found = db::sessions::hold(tx, report.session_id);
  if (!found && found.error().code == Code::kNotFound) return Effect::kUnknownRow;
  Session row = TRY(std::move(found));
  TRY(check_against(tx, report, row));
  bool changed = event && take_status(context, report, *event, row);
  if (changed && !is_live(row.status)) {
    TRY(note_session_end(tx, row, context.clock.now_s()));
    TRY(note_session_ended(context, tx, row, "host"));
  }
  if (const auto replaced = TRY(after_report(report, row.replaced_data))) {
    row.replaced_data = *replaced;
    if (!event && !report.error_message.empty()) row.error_message = report.error_message;
    changed = true;
  }
  if (!changed) return Effect::kIgnored;
  TRY(db::sessions::update(tx, row));
  return Effect::kApplied;
}

}  // namespace

Result<Effect> apply(const Context& context, const SessionReport& report) {
  const auto event = TRY(event_of(report));
  const Effect effect =
      TRY(context.database.transact(db::Isolation::kStatement, [&](db::Transaction& tx) {
        return apply_in(context, tx, report, event);
      }));
  if (effect == Effect::kApplied && !(event && is_renewal(*event)))
    log_info({.session_id = report.session_id, .sgc_id = report.sgc_id}, "{}{}{}{}", report.status,
             report.replaced_data.empty() ? "" : ", replaced data " + report.replaced_data,
             report.error_message.empty() ? "" : ": ", report.error_message);
  return effect;
}

}  // namespace manman::api
