#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace manman {

// What is known of a backup: whether it holds one moment of its world.
enum class Consistency {
  kUnknown,          // nobody has said; of backups made before verdicts
  kConsistent,       // a moment at which the game had saved and wrote nothing
  kCrashConsistent,  // one moment, as a power cut would have left it
  kBestEffort,       // files were written to while it was read
};
// "", "consistent", "crash-consistent", "best-effort"
std::string_view to_text(Consistency consistency);
std::optional<Consistency> consistency_from(std::string_view text);

struct ConsistencyVerdict {
  Consistency consistency = Consistency::kUnknown;
  std::string evidence;  // how that is known, for a person
  int64_t pause_ms = 0;  // how long the game held still
  // What was written to while it was read, by its path in the archive: the first 100; changed_count
  // counts all.
  std::vector<std::string> changed_files;
  int64_t changed_count = 0;

  bool operator==(const ConsistencyVerdict&) const = default;
};

}  // namespace manman
