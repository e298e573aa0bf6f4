#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace manman::host {

enum class JobKind {
  kBackup,
  kSession,  // a session from its start to its end
  kStop,     // stopping or killing one
  kUndo,     // putting back what a restore replaced
  kExpire,   // removing it for good
  kCancel,   // ending a backup; remembered, so that none comes after it
  kDrill,    // a restore drill
};
std::string_view to_text(JobKind kind);

// What makes a command the same when it arrives twice.
struct JobKey {
  JobKind kind = JobKind::kBackup;
  int64_t id = 0;  // of the backup (kBackup, kCancel), the drill or the session
  int attempt = 1;

  auto operator<=>(const JobKey&) const = default;
  std::string text() const;  // "backup-5-1"
};

enum class Phase {
  kReceived,  // what has been done by then is undone or done again
  kSwapping,  // the data is ready and is being put in place; goes on only forwards
  kRunning,   // the game was launched
  kFinal,     // the last report is known and waits for its delivery
};

// One job in the journal.
struct Record {
  JobKey key;
  int64_t sequence = 0;  // order of arrival
  int64_t sgc_id = 0;
  std::string command;  // the body as it came
  Phase phase = Phase::kReceived;

  int starts = 0;               // of hosts that found the job unfinished
  bool upload_begun = false;    // the store may hold an upload, or an object, of this backup
  bool quiesced = false;        // the game may have been told to stop saving
  std::string staged_identity;  // of the folder that is to become game/; set in kSwapping
  std::string replaced_data;    // of a session: what the restore did, once known
  bool stop_asked = false;      // of a session: its end is not a crash
  std::string too_late;         // of a session: why its game must not be launched any more

  std::string report_key;  // of the last report; set in kFinal
  std::string report_body;
  bool remember = true;  // keep the record after the delivery, to know the command again

  std::string to_json() const;
  // Of a damaged text: kDataLoss.
  static Result<Record> parse(std::string_view json);
};

}  // namespace manman::host
