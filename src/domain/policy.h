#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "domain/keep_rules.h"
#include "domain/schedule.h"
#include "domain/verify_rules.h"

namespace manman {

// A row of `backup_policies`: when backups of an SGC are made by themselves, how, and for how long
// they are kept. *_at are Unix seconds.
struct BackupPolicy {
  int64_t policy_id = 0;
  int64_t sgc_id = 0;
  std::string name;  // one of its kind among those of the SGC
  Schedule schedule;
  bool paused = false;
  // Of its archives; "" as Compression::parse takes them: the game config's.
  std::string format;
  std::string level;
  std::string handling;                 // a layer for merged_handling() over that of the SGC
  int64_t upload_bytes_per_second = 0;  // 0: no limit but the host's
  bool skip_unchanged = false;
  KeepRules keep;
  PolicyVerifyRules verify;
  int64_t created_at = 0;
  int64_t updated_at = 0;
  int64_t next_due_at = 0;  // 0: none, since it is paused or due at events alone
};

enum class RunTrigger { kSchedule, kManual, kSessionEnd, kBeforeRestore };

enum class RunOutcome {
  kWaiting,  // for its SGC or host; made as soon as that can be
  kStarted,  // its backup was ordered; what became of that is said by the backup
  kSkipped,  // no backup was needed
  kMissed,   // one or more due times at which nothing could be made
  kFailed,   // no backup could be ordered
};

// A person who asks for a backup gets one, and what a restore replaces is kept whatever it is.
inline bool may_be_skipped(RunTrigger trigger) {
  return trigger == RunTrigger::kSchedule || trigger == RunTrigger::kSessionEnd;
}

// As stored: "schedule", "manual", "session-end", "before-restore".
std::string_view to_text(RunTrigger trigger);
std::optional<RunTrigger> run_trigger_from(std::string_view text);
// "waiting", "started", "skipped", "missed", "failed"
std::string_view to_text(RunOutcome outcome);
std::optional<RunOutcome> run_outcome_from(std::string_view text);

// A row of `policy_runs`: what was made of one occasion on which a policy was due. One of each
// occasion: of a schedule its time, of an event its session.
struct PolicyRun {
  int64_t run_id = 0;
  int64_t policy_id = 0;
  RunTrigger trigger = RunTrigger::kSchedule;
  int64_t due_at = 0;      // of several that were missed: the first
  int64_t session_id = 0;  // of an event: the one that ended, or that restores
  RunOutcome outcome = RunOutcome::kWaiting;
  std::string reason;
  int64_t backup_id = 0;      // 0: none, or it is deleted
  int64_t missed_count = 0;   // due times, where the outcome is missed
  int64_t at = 0;             // when it came to this outcome
  int64_t look_again_at = 0;  // while it waits
};

}  // namespace manman
