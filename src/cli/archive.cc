#include "cli/archive_verbs.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace manman::cli {

Result<int> archive_outcome(const Globals& globals, Result<int> result) {
  if (result || result.error().code != Code::kInvalidArgument) return result;
  print_error(globals, result.error());
  return kFailed;
}

CLI::Option* add_threads(CLI::App* command, int& threads) {
  return command->add_option("--threads", threads, "Threads to use; 0: one for each core")
      ->check(CLI::Range(0, 256))
      ->type_name("N");
}

void add_archive(CLI::App& app, Context& context) {
  CLI::App* group = add_group(app, "archive", "Archives in files; needs no service");
  add_archive_create(*group, context);
  add_archive_list(*group, context);
  add_archive_extract(*group, context);
  add_archive_verify(*group, context);
  add_archive_cat(*group, context);
}

}  // namespace manman::cli
