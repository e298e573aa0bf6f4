// The library of live worlds, for tests that need a file system of their own:
//   live_driver snapshot DIR SCRATCH atomic|held|prepared [KEEP]  says "KIND MS PATH" or "none MS",
//       and removes the snapshot when a line comes; with KEEP it ends as a crash would. "prepared":
//       it prepares first, says "prepared", and takes it when a line comes
//   live_driver remove SCRATCH
//   live_driver changes DIR SCRATCH [PATTERN …]  says "ready", and when a line comes COUNT and the
//       paths that were changed since
// An error is a line "error CODE TEXT", and exit code 1.

#include <unistd.h>

#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include "live/changes.h"
#include "live/snapshot.h"

namespace manman::live {
namespace {

using Words = std::vector<std::string>;

void wait_for_line() {
  std::string line;
  std::getline(std::cin, line);
}

Result<void> snapshot(const Words& words) {
  SnapshotTaker taker(words.at(1), words.at(2), 0, nullptr);
  const auto need = words.at(3) == "atomic" ? SnapshotNeed::kAtomic : SnapshotNeed::kHeldStill;
  if (words.at(3) == "prepared") {
    TRY(taker.prepare(need));
    std::cout << "prepared" << std::endl;
    wait_for_line();
  }
  const auto begun = std::chrono::steady_clock::now();
  auto taken = TRY(taker.take(need));
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begun);
  if (!taken) {
    std::cout << "none " << ms.count() << std::endl;
    return {};
  }
  std::cout << (taken->kind() == SnapshotKind::kReflink ? "reflink " : "subvolume ") << ms.count()
            << " " << taken->path().string() << std::endl;
  if (words.size() > 4) ::_exit(0);
  wait_for_line();
  return taken->remove();
}

Result<void> changes(const Words& words) {
  const Moment moment = TRY(moment_now(words.at(2)));
  std::cout << "ready" << std::endl;
  wait_for_line();
  const Changes changed = TRY(changed_since(words.at(1), moment, {words.begin() + 3, words.end()}));
  std::cout << changed.count << "\n";
  for (const std::string& path : changed.paths) std::cout << path << "\n";
  return {};
}

Result<void> run(const Words& words) {
  if (words.at(0) == "snapshot") return snapshot(words);
  if (words.at(0) == "remove") return remove_snapshot(words.at(1));
  return changes(words);
}

}  // namespace
}  // namespace manman::live

int main(int count, char** words) {
  const auto done = manman::live::run({words + 1, words + count});
  if (done) return 0;
  std::cout << "error " << manman::code_name(done.error().code) << " " << done.error().message
            << std::endl;
  return 1;
}
