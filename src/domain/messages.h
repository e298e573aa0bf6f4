#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "domain/catalog.h"
#include "domain/consistency.h"
#include "domain/handling.h"

// The bodies that travel over the bus: JSON, with fixed field names (docs/architecture.md, Bus).
// A parser ignores unknown fields; a body that is not JSON, lacks a required field or has one of
// the wrong type is kInvalidArgument naming the field.
namespace manman {

// How the host runs and talks to a game; part of several commands.
struct GameLaunch {
  std::string environment;  // of the server; part of the GSC directory's name
  std::string image;
  std::vector<std::string> argv;  // entrypoint, command and the words of args_template
  int entrypoint_words = 0;       // so many of them are the entrypoint
  std::map<std::string, std::string> env;
  Handling handling;      // in JSON its fields stand in the launch itself
  std::string data_path;  // where a container finds its save data; "" for the usual place
  std::vector<PortBinding> port_bindings;
};

// {"command":"backup_session", …}. Idempotent by (backup_id, attempt).
struct BackupCommand {
  int64_t backup_id = 0;
  int64_t session_id = 0;  // 0: the SGC has no session
  int64_t sgc_id = 0;
  int attempt = 1;
  std::string s3_key;
  std::string s3_url;
  GameLaunch launch;
  Compression compression;  // .tar.gz by default where the body has no "format" and "level"
  int64_t upload_bytes_per_second = 0;  // beside the host's own limit; 0: none
  bool fingerprint = false;             // is to be reported
  // When the data has the fingerprint that this backup had, none is made; "": one is in any case.
  std::string last_fingerprint;
  int64_t last_backup_id = 0;
  std::string mark;    // of the row; "": of an API that knows none
  std::string origin;  // for the archive's index, as JSON; "": none

  std::string to_json() const;
  static Result<BackupCommand> parse(std::string_view json);
};

// {"command":"cancel_backup", …}: of every attempt. Idempotent by backup_id.
struct CancelBackupCommand {
  int64_t backup_id = 0;
  int64_t sgc_id = 0;
  std::string s3_key;
  std::string s3_url;
  std::string mark;  // as BackupCommand's

  std::string to_json() const;
  static Result<CancelBackupCommand> parse(std::string_view json);
};

// {"command":"start_session", …, "restore_from":{"backup_id":5,"s3_url":"…"}}. Idempotent by
// session_id. With paths it is "start_session_with_paths", so that a host that knows nothing of
// them refuses it, and does not replace all that is there.
struct StartSessionCommand {
  int64_t session_id = 0;
  int64_t sgc_id = 0;
  int64_t restore_backup_id = 0;  // 0: no restore
  std::string restore_s3_url;     // as recorded in the backup's row
  int64_t restore_size_bytes = 0;
  int64_t restore_data_bytes = 0;          // of all files it holds; 0 when the row does not say
  std::string restore_sha256;              // "" when the row has none
  std::vector<std::string> restore_paths;  // of the archive: only these; all when empty
  int64_t lease_ms = 0;  // how long the API waits for a sign of the host; 0: it does not say
  GameLaunch launch;

  std::string to_json() const;
  static Result<StartSessionCommand> parse(std::string_view json);
};

// A completed backup, as its row has it.
struct StoredBackup {
  int64_t backup_id = 0;
  std::string s3_url;
  int64_t size_bytes = 0;
  int64_t data_bytes = 0;  // of all files it holds; 0 when the row does not say
  std::string sha256;      // "" when the row has none
};

// {"command":"drill_backup", …}. Idempotent by drill_id.
struct DrillCommand {
  int64_t drill_id = 0;
  int64_t sgc_id = 0;  // of the backup
  StoredBackup backup;
  bool start_game = false;
  GameLaunch launch;

  std::string to_json() const;
  static Result<DrillCommand> parse(std::string_view json);
};

// {"command":"stop_session"|"kill_session"|"undo_restore", …}.
struct SessionCommand {
  enum class Kind { kStop, kKill, kUndoRestore };
  Kind kind = Kind::kStop;
  int64_t session_id = 0;
  int64_t sgc_id = 0;
  GameLaunch launch;

  std::string to_json() const;
  static Result<SessionCommand> parse(std::string_view json);
};

// {"command":"send_input","session_id":…,"input":"…"}; the bytes travel base64 in "input_base64".
struct SendInputCommand {
  int64_t session_id = 0;
  int64_t sgc_id = 0;
  std::string environment;
  std::string input;

  std::string to_json() const;
  static Result<SendInputCommand> parse(std::string_view json);
};

// status.backup.{backup_id}. status: "running" (also renews the lease), "completed", "failed".
struct BackupReport {
  int64_t backup_id = 0;
  int64_t server_id = 0;
  int attempt = 1;
  std::string status;
  std::string s3_url;
  int64_t size_bytes = 0;
  std::string sha256;
  int64_t entries = 0;
  int64_t progress_bytes = 0;
  int64_t total_bytes = 0;
  std::string error_message;
  std::vector<std::string> warnings;
  ConsistencyVerdict verdict;  // in JSON its fields stand in the body itself
  // What was written. A host that does not say knows of .tar.gz by default alone.
  Compression compression;
  std::string mark;         // of the command; "": of a host that knows none
  std::string fingerprint;  // of the save data before it was read; "": not known
  // With the status "failed": no backup was needed, as error_message says, since nothing has
  // changed (then since unchanged_since_backup_id) or there is no data.
  bool skipped = false;
  int64_t unchanged_since_backup_id = 0;

  std::string to_json() const;
  static Result<BackupReport> parse(std::string_view json);
};

// status.session.{session_id}. status: "starting" and "stopping" (also renew the lease), "running",
// "stopped", "crashed", "completed"; "" when only replaced_data is reported.
struct SessionReport {
  int64_t session_id = 0;
  int64_t sgc_id = 0;
  int64_t server_id = 0;
  std::string status;
  int exit_code = 0;
  std::string error_message;
  std::string replaced_data;  // "" (says nothing), "none", "kept", "undone", "removed"
  int64_t progress_bytes = 0;
  int64_t total_bytes = 0;

  std::string to_json() const;
  static Result<SessionReport> parse(std::string_view json);
};

// status.drill.{drill_id}. status: "running" (also renews the lease), "passed", "failed" (by what
// is in the backup), "given-up" (it could not be done, which says nothing of the backup).
struct DrillReport {
  static constexpr size_t kMaxFindings = 100;
  static constexpr size_t kMaxFindingBytes = 500;  // of each text

  int64_t drill_id = 0;
  int64_t backup_id = 0;
  int64_t server_id = 0;
  std::string status;
  std::string error_message;
  std::vector<std::string> findings;  // the first
  int64_t finding_count = 0;          // all
  std::string examined;
  int64_t unexamined_count = 0;
  int64_t progress_bytes = 0;
  int64_t total_bytes = 0;

  std::string to_json() const;
  static Result<DrillReport> parse(std::string_view json);
};

// health.host.{server_id}.
struct HostHealth {
  int64_t server_id = 0;

  std::string to_json() const;
  static Result<HostHealth> parse(std::string_view json);
};

// The field "command" of a command's body.
Result<std::string> command_name(std::string_view json);

// Routing keys of exchange `manman`.
std::string command_key(int64_t server_id, std::string_view what);  // command.host.{id}.{what}
std::string backup_status_key(int64_t backup_id);
std::string session_status_key(int64_t session_id);
std::string drill_status_key(int64_t drill_id);
std::string host_health_key(int64_t server_id);
std::string command_queue(int64_t server_id);  // host-{id}-commands

}  // namespace manman
