#include <initializer_list>
#include <limits>

#include "domain/json_fields.h"
#include "domain/messages.h"

namespace manman {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

Result<std::string> one_of(const Fields& fields, std::string_view name,
                           std::initializer_list<std::string_view> allowed) {
  std::string text = TRY(fields.text_or_empty(name));
  std::string list;
  for (const std::string_view value : allowed) {
    if (text == value) return text;
    if (!value.empty()) list += (list.empty() ? "" : ", ") + std::string(value);
  }
  if (text.empty()) return std::unexpected(fields.wrong(name, "is missing"));
  return std::unexpected(fields.wrong(name, "must be one of " + list));
}

std::vector<std::string> without_nul(const std::vector<std::string>& texts) {
  std::vector<std::string> clean;
  for (const std::string& text : texts) clean.push_back(manman::without_nul(text));
  return clean;
}

Result<ConsistencyVerdict> verdict_from(const Fields& fields) {
  ConsistencyVerdict verdict;
  const auto consistency = consistency_from(TRY(fields.text_or_empty("consistency")));
  if (!consistency)
    return std::unexpected(
        fields.wrong("consistency", "must be consistent, crash-consistent or best-effort"));
  verdict.consistency = *consistency;
  verdict.evidence = TRY(fields.free_text("evidence"));
  verdict.pause_ms = TRY(fields.count("pause_ms"));
  verdict.changed_files = TRY(fields.free_texts("changed_files"));
  verdict.changed_count = TRY(fields.count("changed_count"));
  return verdict;
}

}  // namespace

std::string BackupReport::to_json() const {
  ordered_json body;
  body["backup_id"] = backup_id;
  body["server_id"] = server_id;
  body["attempt"] = attempt;
  body["status"] = status;
  body["s3_url"] = s3_url;
  body["size_bytes"] = size_bytes;
  body["sha256"] = sha256;
  body["entries"] = entries;
  body["progress_bytes"] = progress_bytes;
  body["total_bytes"] = total_bytes;
  body["error_message"] = manman::without_nul(error_message);
  body["warnings"] = without_nul(warnings);
  body["format"] = compression.format_text();
  body["level"] = compression.level_text();
  body["consistency"] = to_text(verdict.consistency);
  body["evidence"] = manman::without_nul(verdict.evidence);
  body["pause_ms"] = verdict.pause_ms;
  body["changed_files"] = without_nul(verdict.changed_files);
  body["changed_count"] = verdict.changed_count;
  if (!fingerprint.empty()) body["fingerprint"] = fingerprint;
  if (!mark.empty()) body["mark"] = mark;
  if (skipped) body["skipped"] = skipped;
  if (unchanged_since_backup_id != 0) body["unchanged_since_backup_id"] = unchanged_since_backup_id;
  return dump(body);
}

Result<BackupReport> BackupReport::parse(std::string_view text) {
  const json body = TRY(parse_object(text));
  const Fields fields(body);
  BackupReport report;
  report.backup_id = TRY(fields.id("backup_id"));
  report.server_id = TRY(fields.count("server_id"));
  report.attempt = TRY(fields.integer("attempt", 1, std::numeric_limits<int>::max(), 1));
  report.status = TRY(one_of(fields, "status", {"running", "completed", "failed"}));
  report.s3_url = TRY(fields.text_or_empty("s3_url"));
  if (report.status == "completed" && !fields.has("size_bytes")) {
    return std::unexpected(fields.wrong("size_bytes", "is missing"));
  }
  report.size_bytes = TRY(fields.count("size_bytes"));
  report.sha256 = TRY(fields.text_or_empty("sha256"));
  report.entries = TRY(fields.count("entries"));
  report.progress_bytes = TRY(fields.count("progress_bytes"));
  report.total_bytes = TRY(fields.count("total_bytes"));
  report.error_message = TRY(fields.free_text("error_message"));
  report.warnings = TRY(fields.free_texts("warnings"));
  report.compression = TRY(compression_from(fields));
  report.verdict = TRY(verdict_from(fields));
  report.fingerprint = TRY(fields.text_or_empty("fingerprint"));
  report.mark = TRY(fields.text_or_empty("mark"));
  report.skipped = TRY(fields.boolean("skipped"));
  report.unchanged_since_backup_id = TRY(fields.count("unchanged_since_backup_id"));
  return report;
}

std::string SessionReport::to_json() const {
  ordered_json body;
  body["session_id"] = session_id;
  body["sgc_id"] = sgc_id;
  body["server_id"] = server_id;
  body["status"] = status;
  body["exit_code"] = exit_code;
  body["error_message"] = manman::without_nul(error_message);
  body["replaced_data"] = replaced_data;
  body["progress_bytes"] = progress_bytes;
  body["total_bytes"] = total_bytes;
  return dump(body);
}

Result<SessionReport> SessionReport::parse(std::string_view text) {
  const json body = TRY(parse_object(text));
  const Fields fields(body);
  SessionReport report;
  report.session_id = TRY(fields.id("session_id"));
  report.sgc_id = TRY(fields.count("sgc_id"));
  report.server_id = TRY(fields.count("server_id"));
  report.replaced_data =
      TRY(one_of(fields, "replaced_data", {"", "none", "kept", "undone", "removed"}));
  report.status =
      TRY(one_of(fields, "status",
                 {"", "starting", "running", "stopping", "stopped", "crashed", "completed"}));
  // What became of the replaced data may be reported by itself.
  if (report.status.empty() && report.replaced_data.empty()) {
    return std::unexpected(fields.wrong("status", "is missing"));
  }
  report.exit_code = TRY(fields.integer("exit_code", std::numeric_limits<int>::min(),
                                        std::numeric_limits<int>::max(), 0));
  report.error_message = TRY(fields.free_text("error_message"));
  report.progress_bytes = TRY(fields.count("progress_bytes"));
  report.total_bytes = TRY(fields.count("total_bytes"));
  return report;
}

std::string DrillReport::to_json() const {
  ordered_json body;
  body["drill_id"] = drill_id;
  body["backup_id"] = backup_id;
  body["server_id"] = server_id;
  body["status"] = status;
  body["error_message"] = manman::without_nul(error_message);
  body["findings"] = without_nul(findings);
  body["finding_count"] = finding_count;
  body["examined"] = examined;
  body["unexamined_count"] = unexamined_count;
  body["progress_bytes"] = progress_bytes;
  body["total_bytes"] = total_bytes;
  return dump(body);
}

Result<DrillReport> DrillReport::parse(std::string_view text) {
  const json body = TRY(parse_object(text));
  const Fields fields(body);
  DrillReport report;
  report.drill_id = TRY(fields.id("drill_id"));
  report.backup_id = TRY(fields.id("backup_id"));
  report.server_id = TRY(fields.count("server_id"));
  report.status = TRY(one_of(fields, "status", {"running", "passed", "failed", "given-up"}));
  report.error_message = TRY(fields.free_text("error_message"));
  report.findings = TRY(fields.free_texts("findings"));
  if (report.findings.size() > kMaxFindings)
    return std::unexpected(
        fields.wrong("findings", "must be at most " + std::to_string(kMaxFindings)));
  report.finding_count = TRY(fields.count("finding_count"));
  report.examined = TRY(fields.free_text("examined"));
  report.unexamined_count = TRY(fields.count("unexamined_count"));
  report.progress_bytes = TRY(fields.count("progress_bytes"));
  report.total_bytes = TRY(fields.count("total_bytes"));
  return report;
}

std::string HostHealth::to_json() const {
  ordered_json body;
  body["server_id"] = server_id;
  return dump(body);
}

Result<HostHealth> HostHealth::parse(std::string_view text) {
  const json body = TRY(parse_object(text));
  HostHealth health;
  health.server_id = TRY(Fields(body).id("server_id"));
  return health;
}

}  // namespace manman
