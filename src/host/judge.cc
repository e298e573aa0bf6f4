#include "host/judge.h"

namespace manman::host {
namespace {

std::string counted(uint64_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

// How the game was brought to hold still, or that it was not.
std::string about_game(const Reading& reading) {
  if (!reading.game_ran) return "the game did not run";
  if (!reading.held) return "the game ran on";
  const std::string pause = " (" + std::to_string(reading.pause.count()) + " ms)";
  if (!reading.unconfirmed.empty())
    return "the game was told to hold still" + pause + ", but " + reading.unconfirmed;
  if (reading.saved_only) return "the game confirmed that it has saved, and ran on";
  const std::string confirmed = "the game confirmed that it has saved and holds still" + pause;
  return reading.overran ? confirmed + ", and went on before all was read, the longest pause over"
                         : confirmed;
}

std::string about_writes(const Reading& reading) {
  if (reading.changed_count == 0 && reading.one_database_written)
    return "nothing was written while it was read, but to one database";
  if (reading.changed_count == 0)
    return reading.snapshot.empty() ? "nothing was written while it was read"
                                    : "nothing was written until the snapshot was there";
  return std::to_string(reading.changed_count) +
         (reading.changed_count == 1 ? " file or folder was" : " files or folders were") +
         (reading.snapshot.empty() ? " written to while it was read"
                                   : " written to before the snapshot was there");
}

Consistency consistency_of(const Reading& reading) {
  const bool untouched = reading.changed_count == 0;
  const bool saved = !reading.game_ran || (reading.held && reading.unconfirmed.empty());
  const bool still = saved && !reading.overran && !reading.saved_only;
  // What was saved is what was read: since then nothing was written, or the snapshot is of then.
  if (saved && untouched && !reading.one_database_written && !(reading.listed && reading.overran))
    return Consistency::kConsistent;
  if (still && reading.atomic) return Consistency::kConsistent;
  if (reading.atomic || (untouched && !reading.listed)) return Consistency::kCrashConsistent;
  return Consistency::kBestEffort;
}

}  // namespace

ConsistencyVerdict judge(const Reading& reading) {
  ConsistencyVerdict verdict;
  verdict.consistency = consistency_of(reading);
  verdict.evidence = about_game(reading);
  if (!reading.snapshot.empty()) verdict.evidence += "; read from a " + reading.snapshot;
  if (reading.listed)
    verdict.evidence += "; of its world the files that it listed were taken, in the lengths listed";
  if (!reading.atomic && (!reading.listed || reading.changed_count > 0))
    verdict.evidence += "; " + about_writes(reading);
  if (reading.databases > 0)
    verdict.evidence += "; " + counted(reading.databases, "SQLite database") +
                        " taken by online backup, each whole in itself";
  verdict.pause_ms = reading.pause.count();
  verdict.changed_files = reading.changed;
  verdict.changed_count = static_cast<int64_t>(reading.changed_count);
  return verdict;
}

}  // namespace manman::host
