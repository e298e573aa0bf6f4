#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "db/columns.h"

// The tables, column by column, for table.h.
namespace manman::db {

struct ServerRow {
  static constexpr std::string_view kTable = "servers";
  static constexpr std::string_view kId = "server_id";
  static constexpr std::string_view kThing = "server";
  int64_t id = 0;
  std::string name;
  std::string environment;
  int is_default = 0;
  std::string status;
  int64_t last_seen = 0;
  int max_concurrent_backups = 0;
  int64_t max_total_bytes = 0;
  int max_manual_per_hour = 0;

  void visit(auto&& column) {
    column("name", name);
    column("environment", environment);
    column("is_default", is_default);
    column("status", status);
    column("last_seen", last_seen);
    column("max_concurrent_backups", max_concurrent_backups);
    column("max_total_bytes", max_total_bytes);
    column("max_manual_per_hour", max_manual_per_hour);
  }
};

struct GameRow {
  static constexpr std::string_view kTable = "games";
  static constexpr std::string_view kId = "game_id";
  static constexpr std::string_view kThing = "game";
  int64_t id = 0;
  std::string name;
  std::string steam_app_id;

  void visit(auto&& column) {
    column("name", name);
    column("steam_app_id", steam_app_id);
  }
};

struct GameConfigRow {
  static constexpr std::string_view kTable = "game_configs";
  static constexpr std::string_view kId = "config_id";
  static constexpr std::string_view kThing = "game config";
  int64_t id = 0;
  int64_t game_id = 0;
  std::string name;
  std::string image;
  std::string args_template;
  std::string env_template;
  std::string entrypoint;
  std::string command;
  std::string data_path;
  std::string format;
  std::string level;
  std::string profile;
  std::string handling;

  void visit(auto&& column) {
    column("game_id", game_id);
    column("name", name);
    column("image", image);
    column("args_template", args_template);
    column("env_template", env_template);
    column("entrypoint", entrypoint);
    column("command", command);
    column("data_path", data_path);
    column("format", format);
    column("level", level);
    column("profile", profile);
    column("handling", handling);
  }
};

struct ServerGameConfigRow {
  static constexpr std::string_view kTable = "server_game_configs";
  static constexpr std::string_view kId = "sgc_id";
  static constexpr std::string_view kThing = "server game config";
  int64_t id = 0;
  int64_t server_id = 0;
  int64_t game_config_id = 0;
  std::string port_bindings;
  std::string status;
  std::string profile;
  std::string handling;
  int max_concurrent_backups = 0;
  int64_t max_total_bytes = 0;
  int max_manual_per_hour = 0;

  void visit(auto&& column) {
    column("server_id", server_id);
    column("game_config_id", game_config_id);
    column("port_bindings", port_bindings);
    column("status", status);
    column("profile", profile);
    column("handling", handling);
    column("max_concurrent_backups", max_concurrent_backups);
    column("max_total_bytes", max_total_bytes);
    column("max_manual_per_hour", max_manual_per_hour);
  }
};

struct SessionRow {
  static constexpr std::string_view kTable = "sessions";
  static constexpr std::string_view kId = "session_id";
  static constexpr std::string_view kThing = "session";
  int64_t id = 0;
  int64_t sgc_id = 0;
  int64_t server_id = 0;  // of the SGC
  std::string created_at;
  int64_t started_at = 0;
  int64_t ended_at = 0;
  int exit_code = 0;
  std::string status;
  OptionalId restored_from_backup_id;
  std::string restored_paths;
  std::string error_message;
  std::string replaced_data;
  int64_t lease_until_ms = 0;
  int64_t progress_bytes = 0;
  int64_t total_bytes = 0;
  OptionalId waits_for_backup_id;

  void visit(auto&& column) {
    column("sgc_id", sgc_id);
    column("server_id", server_id);
    column("created_at", created_at);
    column("started_at", started_at);
    column("ended_at", ended_at);
    column("exit_code", exit_code);
    column("status", status);
    column("restored_from_backup_id", restored_from_backup_id);
    column("restored_paths", restored_paths);
    column("error_message", error_message);
    column("replaced_data", replaced_data);
    column("lease_until_ms", lease_until_ms);
    column("progress_bytes", progress_bytes);
    column("total_bytes", total_bytes);
    column("waits_for_backup_id", waits_for_backup_id);
  }
};

struct BackupRow {
  static constexpr std::string_view kTable = "backups";
  static constexpr std::string_view kId = "backup_id";
  static constexpr std::string_view kThing = "backup";
  int64_t id = 0;
  OptionalId session_id;
  int64_t sgc_id = 0;
  std::string s3_url;
  int64_t size_bytes = 0;
  std::string description;
  std::string created_at;
  std::string status;
  std::string error_message;
  int attempt = 0;
  int64_t lease_until_ms = 0;
  std::string sha256;
  int64_t progress_bytes = 0;
  int64_t total_bytes = 0;
  int64_t started_at = 0;
  int64_t finished_at = 0;
  int64_t entries = 0;
  std::string warnings;
  std::string format;
  std::string level;
  std::string consistency;
  std::string evidence;
  int64_t pause_ms = 0;
  std::string changed_files;
  int64_t changed_count = 0;
  OptionalId policy_id;
  std::string fingerprint;
  int pinned = 0;
  int64_t verified_at = 0;
  std::string verified_how;
  int64_t verify_failed_at = 0;
  std::string verify_error;
  int64_t looked_at = 0;
  int64_t verify_lease_ms = 0;
  std::string verify_failed_how;
  std::string verify_due;
  std::string mark;
  int64_t adopted_at = 0;

  void visit(auto&& column) {
    column("session_id", session_id);
    column("server_game_config_id", sgc_id);
    column("s3_url", s3_url);
    column("size_bytes", size_bytes);
    column("description", description);
    column("created_at", created_at);
    column("status", status);
    column("error_message", error_message);
    column("attempt", attempt);
    column("lease_until_ms", lease_until_ms);
    column("sha256", sha256);
    column("progress_bytes", progress_bytes);
    column("total_bytes", total_bytes);
    column("started_at", started_at);
    column("finished_at", finished_at);
    column("entries", entries);
    column("warnings", warnings);
    column("format", format);
    column("level", level);
    column("consistency", consistency);
    column("evidence", evidence);
    column("pause_ms", pause_ms);
    column("changed_files", changed_files);
    column("changed_count", changed_count);
    column("policy_id", policy_id);
    column("fingerprint", fingerprint);
    column("pinned", pinned);
    column("verified_at", verified_at);
    column("verified_how", verified_how);
    column("verify_failed_at", verify_failed_at);
    column("verify_error", verify_error);
    column("looked_at", looked_at);
    column("verify_lease_ms", verify_lease_ms);
    column("verify_failed_how", verify_failed_how);
    column("verify_due", verify_due);
    column("mark", mark);
    column("adopted_at", adopted_at);
  }
};

// What of a backup the store is held against.
struct PlacedRow {
  static constexpr std::string_view kTable = "backups";
  static constexpr std::string_view kId = "backup_id";
  static constexpr std::string_view kThing = "backup";
  int64_t id = 0;
  int64_t sgc_id = 0;
  std::string s3_url;
  int64_t size_bytes = 0;
  std::string status;
  int attempt = 0;
  std::string mark;

  void visit(auto&& column) {
    column("server_game_config_id", sgc_id);
    column("s3_url", s3_url);
    column("size_bytes", size_bytes);
    column("status", status);
    column("attempt", attempt);
    column("mark", mark);
  }
};

struct DrillRow {
  static constexpr std::string_view kTable = "drills";
  static constexpr std::string_view kId = "drill_id";
  static constexpr std::string_view kThing = "drill";
  int64_t id = 0;
  int64_t backup_id = 0;
  int64_t sgc_id = 0;
  OptionalId server_id;
  OptionalId policy_id;
  int start_game = 0;
  std::string status;
  std::string error_message;
  std::string findings;
  int64_t finding_count = 0;
  std::string examined;
  int64_t unexamined_count = 0;
  int64_t created_at = 0;
  int64_t started_at = 0;
  int64_t finished_at = 0;
  int64_t lease_until_ms = 0;
  int64_t progress_bytes = 0;
  int64_t total_bytes = 0;

  void visit(auto&& column) {
    column("backup_id", backup_id);
    column("sgc_id", sgc_id);
    column("server_id", server_id);
    column("policy_id", policy_id);
    column("start_game", start_game);
    column("status", status);
    column("error_message", error_message);
    column("findings", findings);
    column("finding_count", finding_count);
    column("examined", examined);
    column("unexamined_count", unexamined_count);
    column("created_at", created_at);
    column("started_at", started_at);
    column("finished_at", finished_at);
    column("lease_until_ms", lease_until_ms);
    column("progress_bytes", progress_bytes);
    column("total_bytes", total_bytes);
  }
};

struct PolicyRow {
  static constexpr std::string_view kTable = "backup_policies";
  static constexpr std::string_view kId = "policy_id";
  static constexpr std::string_view kThing = "policy";
  int64_t id = 0;
  int64_t sgc_id = 0;
  std::string name;
  int every_minutes = 0;
  std::string cron;
  std::string zone;
  int jitter_seconds = 0;
  int at_session_end = 0;
  int before_restore = 0;
  int paused = 0;
  std::string format;
  std::string level;
  std::string handling;
  int64_t upload_bytes_per_second = 0;
  int skip_unchanged = 0;
  std::string keep;
  std::string verify;
  int verify_every_days = -1;
  int drill_every_days = 0;
  int drill_starts_game = 0;
  std::string created_at;
  int64_t updated_at = 0;
  int64_t next_due_at = 0;

  void visit(auto&& column) {
    column("sgc_id", sgc_id);
    column("name", name);
    column("every_minutes", every_minutes);
    column("cron", cron);
    column("zone", zone);
    column("jitter_seconds", jitter_seconds);
    column("at_session_end", at_session_end);
    column("before_restore", before_restore);
    column("paused", paused);
    column("format", format);
    column("level", level);
    column("handling", handling);
    column("upload_bytes_per_second", upload_bytes_per_second);
    column("skip_unchanged", skip_unchanged);
    column("keep", keep);
    column("verify", verify);
    column("verify_every_days", verify_every_days);
    column("drill_every_days", drill_every_days);
    column("drill_starts_game", drill_starts_game);
    column("created_at", created_at);
    column("updated_at", updated_at);
    column("next_due_at", next_due_at);
  }
};

struct PolicyRunRow {
  static constexpr std::string_view kTable = "policy_runs";
  static constexpr std::string_view kId = "run_id";
  static constexpr std::string_view kThing = "policy run";
  int64_t id = 0;
  int64_t policy_id = 0;
  std::string run_trigger;
  int64_t due_at = 0;
  int64_t of_session = 0;
  std::string outcome;
  std::string reason;
  OptionalId backup_id;
  int64_t missed_count = 0;
  int64_t noted_at = 0;
  int64_t look_again_at = 0;

  void visit(auto&& column) {
    column("policy_id", policy_id);
    column("run_trigger", run_trigger);
    column("due_at", due_at);
    column("of_session", of_session);
    column("outcome", outcome);
    column("reason", reason);
    column("backup_id", backup_id);
    column("missed_count", missed_count);
    column("noted_at", noted_at);
    column("look_again_at", look_again_at);
  }
};

struct EventRow {
  static constexpr std::string_view kTable = "events";
  static constexpr std::string_view kId = "event_id";
  static constexpr std::string_view kThing = "event";
  int64_t id = 0;
  int64_t at_ms = 0;
  std::string kind;
  std::string actor;
  int64_t server_id = 0;
  int64_t sgc_id = 0;
  int64_t session_id = 0;
  int64_t backup_id = 0;
  int64_t policy_id = 0;
  std::string message;

  void visit(auto&& column) {
    column("at_ms", at_ms);
    column("kind", kind);
    column("actor", actor);
    column("server_id", server_id);
    column("sgc_id", sgc_id);
    column("session_id", session_id);
    column("backup_id", backup_id);
    column("policy_id", policy_id);
    column("message", message);
  }
};

struct WebhookRow {
  static constexpr std::string_view kTable = "webhooks";
  static constexpr std::string_view kId = "webhook_id";
  static constexpr std::string_view kThing = "webhook";
  int64_t id = 0;
  std::string name;
  std::string url;
  std::string secret;
  int paused = 0;
  int64_t created_at = 0;
  int failures = 0;
  std::string last_error;
  int64_t retry_at_ms = 0;
  int64_t lease_until_ms = 0;

  void visit(auto&& column) {
    column("name", name);
    column("url", url);
    column("secret", secret);
    column("paused", paused);
    column("created_at", created_at);
    column("failures", failures);
    column("last_error", last_error);
    column("retry_at_ms", retry_at_ms);
    column("lease_until_ms", lease_until_ms);
  }
};

struct WebhookDeliveryRow {
  static constexpr std::string_view kTable = "webhook_deliveries";
  static constexpr std::string_view kId = "delivery_id";
  static constexpr std::string_view kThing = "webhook delivery";
  int64_t id = 0;
  int64_t webhook_id = 0;
  int64_t event_id = 0;
  std::string status;
  int attempts = 0;
  int64_t created_at_ms = 0;
  int64_t next_attempt_ms = 0;
  int64_t ended_at = 0;
  std::string last_error;

  void visit(auto&& column) {
    column("webhook_id", webhook_id);
    column("event_id", event_id);
    column("status", status);
    column("attempts", attempts);
    column("created_at_ms", created_at_ms);
    column("next_attempt_ms", next_attempt_ms);
    column("ended_at", ended_at);
    column("last_error", last_error);
  }
};

struct OutboxRow {
  static constexpr std::string_view kTable = "outbox";
  static constexpr std::string_view kId = "outbox_id";
  static constexpr std::string_view kThing = "outbox row";
  int64_t id = 0;
  std::string lane;
  std::string routing_key;
  std::string body;
  int64_t created_at_ms = 0;

  void visit(auto&& column) {
    column("lane", lane);
    column("routing_key", routing_key);
    column("body", body);
    column("created_at_ms", created_at_ms);
  }
};

}  // namespace manman::db
