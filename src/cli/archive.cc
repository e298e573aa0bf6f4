#include "cli/archive_verbs.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace manman::cli {

Result<int> archive_outcome(const Globals& globals, Result<int> result) {
  if (result || result.error().code != Code::kInvalidArgument) return result;
  print_error(globals, result.error());
  return kFailed;
}

void show_warnings(const Globals& globals, const std::vector<std::string>& warnings,
                   uint64_t count) {
  for (const std::string& warning : warnings) print_note(globals, "warning: " + warning);
  if (count > warnings.size())
    print_note(globals,
               "warning: and " + std::to_string(count - warnings.size()) + " more like these");
}

void add_threads(Command& command, int& threads) {
  command.add("--threads", threads, "Threads to use; 0: one for each core")
      .value("N")
      .range(0, 256);
}

void add_no_sync(Command& command, bool& no_sync) {
  command.add_flag(
      "--no-sync", no_sync,
      "Return before all of it is on the disk; a power failure soon after may take it");
}

void add_archive(Command& app, Context& context) {
  Command group = app.group("archive", "Archives in files; needs no service");
  add_archive_create(group, context);
  add_archive_list(group, context);
  add_archive_extract(group, context);
  add_archive_verify(group, context);
  add_archive_cat(group, context);
}

}  // namespace manman::cli
