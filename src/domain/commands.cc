#include <limits>

#include "domain/base64.h"
#include "domain/game_launch.h"
#include "domain/json_fields.h"
#include "domain/messages.h"

namespace manman {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

Result<void> expect_command(const Fields& fields, std::string_view expected) {
  const std::string name = TRY(fields.text("command"));
  if (name == expected) return {};
  return std::unexpected(fields.wrong("command", "must be \"" + std::string(expected) + "\""));
}

constexpr std::string_view kStart = "start_session";
constexpr std::string_view kStartWithPaths = "start_session_with_paths";

struct KindName {
  SessionCommand::Kind kind;
  std::string_view name;
};
constexpr KindName kKinds[] = {
    {SessionCommand::Kind::kStop, "stop_session"},
    {SessionCommand::Kind::kKill, "kill_session"},
    {SessionCommand::Kind::kUndoRestore, "undo_restore"},
};

std::string_view name_of(SessionCommand::Kind kind) {
  for (const KindName& row : kKinds) {
    if (row.kind == kind) return row.name;
  }
  return "stop_session";
}

Result<SessionCommand::Kind> kind_from(const Fields& fields) {
  const std::string name = TRY(fields.text("command"));
  for (const KindName& row : kKinds) {
    if (row.name == name) return row.kind;
  }
  return std::unexpected(
      fields.wrong("command", "must be one of stop_session, kill_session, undo_restore"));
}

}  // namespace

Result<std::string> command_name(std::string_view text) {
  const json body = TRY(parse_object(text));
  return Fields(body).text("command");
}

std::string BackupCommand::to_json() const {
  ordered_json body;
  body["command"] = "backup_session";
  body["session_id"] = session_id;
  body["backup_id"] = backup_id;
  body["s3_key"] = s3_key;
  body["s3_url"] = s3_url;
  body["sgc_id"] = sgc_id;
  body["attempt"] = attempt;
  body["format"] = compression.format_text();
  body["level"] = compression.level_text();
  if (upload_bytes_per_second != 0) body["upload_bytes_per_second"] = upload_bytes_per_second;
  if (fingerprint) body["fingerprint"] = fingerprint;
  if (!last_fingerprint.empty()) {
    body["last_fingerprint"] = last_fingerprint;
    body["last_backup_id"] = last_backup_id;
  }
  body["mark"] = mark;
  body["origin"] = origin;
  body["launch"] = launch_to_json(launch);
  return dump(body);
}

Result<BackupCommand> BackupCommand::parse(std::string_view text) {
  const json body = TRY(parse_object(text));
  const Fields fields(body);
  TRY(expect_command(fields, "backup_session"));
  BackupCommand command;
  command.backup_id = TRY(fields.id("backup_id"));
  command.session_id = TRY(fields.count("session_id"));
  command.sgc_id = TRY(fields.count("sgc_id"));
  command.attempt = TRY(fields.integer("attempt", 1, std::numeric_limits<int>::max(), 1));
  command.s3_key = TRY(fields.text("s3_key"));
  command.s3_url = TRY(fields.text_or_empty("s3_url"));
  command.compression = TRY(compression_from(fields));
  command.upload_bytes_per_second = TRY(fields.count("upload_bytes_per_second"));
  command.fingerprint = TRY(fields.boolean("fingerprint"));
  command.last_fingerprint = TRY(fields.text_or_empty("last_fingerprint"));
  command.last_backup_id = TRY(fields.count("last_backup_id"));
  command.mark = TRY(fields.text_or_empty("mark"));
  command.origin = TRY(fields.text_or_empty("origin"));
  command.launch = TRY(launch_from(fields));
  return command;
}

std::string CancelBackupCommand::to_json() const {
  ordered_json body;
  body["command"] = "cancel_backup";
  body["backup_id"] = backup_id;
  body["sgc_id"] = sgc_id;
  body["s3_key"] = s3_key;
  body["s3_url"] = s3_url;
  body["mark"] = mark;
  return dump(body);
}

Result<CancelBackupCommand> CancelBackupCommand::parse(std::string_view text) {
  const json body = TRY(parse_object(text));
  const Fields fields(body);
  TRY(expect_command(fields, "cancel_backup"));
  CancelBackupCommand command;
  command.backup_id = TRY(fields.id("backup_id"));
  command.sgc_id = TRY(fields.id("sgc_id"));
  command.s3_key = TRY(fields.text("s3_key"));
  command.s3_url = TRY(fields.text_or_empty("s3_url"));
  command.mark = TRY(fields.text_or_empty("mark"));
  return command;
}

std::string StartSessionCommand::to_json() const {
  ordered_json body;
  body["command"] = restore_paths.empty() ? kStart : kStartWithPaths;
  body["session_id"] = session_id;
  body["sgc_id"] = sgc_id;
  if (restore_backup_id != 0) {
    ordered_json& restore = body["restore_from"];
    restore["backup_id"] = restore_backup_id;
    restore["s3_url"] = restore_s3_url;
    restore["size_bytes"] = restore_size_bytes;
    restore["data_bytes"] = restore_data_bytes;
    restore["sha256"] = restore_sha256;
    if (!restore_paths.empty()) restore["paths"] = restore_paths;
  }
  body["lease_ms"] = lease_ms;
  body["launch"] = launch_to_json(launch);
  return dump(body);
}

Result<StartSessionCommand> StartSessionCommand::parse(std::string_view text) {
  const json body = TRY(parse_object(text));
  const Fields fields(body);
  const bool with_paths = TRY(fields.text("command"))
  == kStartWithPaths;
  if (!with_paths) TRY(expect_command(fields, kStart));
  StartSessionCommand command;
  command.session_id = TRY(fields.id("session_id"));
  command.sgc_id = TRY(fields.count("sgc_id"));
  if (const auto restore = TRY(fields.object("restore_from"))) {
    command.restore_backup_id = TRY(restore->id("backup_id"));
    command.restore_s3_url = TRY(restore->text("s3_url"));
    command.restore_size_bytes = TRY(restore->count("size_bytes"));
    command.restore_data_bytes = TRY(restore->count("data_bytes"));
    command.restore_sha256 = TRY(restore->text_or_empty("sha256"));
    if (with_paths) command.restore_paths = TRY(restore->texts("paths"));
  }
  if (with_paths && command.restore_paths.empty())
    return std::unexpected(fields.wrong("restore_from.paths", "is missing"));
  command.lease_ms = TRY(fields.count("lease_ms"));
  command.launch = TRY(launch_from(fields));
  return command;
}

std::string DrillCommand::to_json() const {
  ordered_json body;
  body["command"] = "drill_backup";
  body["drill_id"] = drill_id;
  body["sgc_id"] = sgc_id;
  body["backup"] = {{"backup_id", backup.backup_id},
                    {"s3_url", backup.s3_url},
                    {"size_bytes", backup.size_bytes},
                    {"data_bytes", backup.data_bytes},
                    {"sha256", backup.sha256}};
  body["start_game"] = start_game;
  body["launch"] = launch_to_json(launch);
  return dump(body);
}

Result<DrillCommand> DrillCommand::parse(std::string_view text) {
  const json body = TRY(parse_object(text));
  const Fields fields(body);
  TRY(expect_command(fields, "drill_backup"));
  DrillCommand command;
  command.drill_id = TRY(fields.id("drill_id"));
  command.sgc_id = TRY(fields.id("sgc_id"));
  const auto backup = TRY(fields.object("backup"));
  if (!backup) return std::unexpected(fields.wrong("backup", "is missing"));
  command.backup.backup_id = TRY(backup->id("backup_id"));
  command.backup.s3_url = TRY(backup->text("s3_url"));
  command.backup.size_bytes = TRY(backup->count("size_bytes"));
  command.backup.data_bytes = TRY(backup->count("data_bytes"));
  command.backup.sha256 = TRY(backup->text_or_empty("sha256"));
  command.start_game = TRY(fields.boolean("start_game"));
  command.launch = TRY(launch_from(fields));
  return command;
}

std::string SessionCommand::to_json() const {
  ordered_json body;
  body["command"] = name_of(kind);
  body["session_id"] = session_id;
  body["sgc_id"] = sgc_id;
  body["launch"] = launch_to_json(launch);
  return dump(body);
}

Result<SessionCommand> SessionCommand::parse(std::string_view text) {
  const json body = TRY(parse_object(text));
  const Fields fields(body);
  SessionCommand command;
  command.kind = TRY(kind_from(fields));
  command.session_id = TRY(fields.id("session_id"));
  command.sgc_id = TRY(fields.count("sgc_id"));
  command.launch = TRY(launch_from(fields));
  return command;
}

std::string SendInputCommand::to_json() const {
  ordered_json body;
  body["command"] = "send_input";
  body["session_id"] = session_id;
  body["sgc_id"] = sgc_id;
  body["environment"] = environment;
  // "input" is for readers that know no other field; bytes that are not text survive in the next.
  body["input"] = input;
  body["input_base64"] = base64_encode(input);
  return dump(body);
}

Result<SendInputCommand> SendInputCommand::parse(std::string_view text) {
  const json body = TRY(parse_object(text));
  const Fields fields(body);
  TRY(expect_command(fields, "send_input"));
  SendInputCommand command;
  command.session_id = TRY(fields.id("session_id"));
  command.sgc_id = TRY(fields.count("sgc_id"));
  command.environment = TRY(fields.text_or_empty("environment"));
  if (fields.has("input_base64")) {
    const auto bytes = base64_decode(TRY(fields.text_or_empty("input_base64")));
    if (!bytes) return std::unexpected(fields.wrong("input_base64", "must be base64"));
    command.input = *bytes;
  } else {
    if (!fields.has("input")) return std::unexpected(fields.wrong("input", "is missing"));
    command.input = TRY(fields.text_or_empty("input"));
  }
  return command;
}

}  // namespace manman
