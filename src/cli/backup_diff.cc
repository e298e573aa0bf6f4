#include <map>

#include "cli/backup_verbs.h"
#include "cli/entry_printer.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/text.h"

namespace manman::cli {
namespace {

// restic's signs.
std::string sign_of(const std::string& change) {
  static const std::map<std::string, std::string> kSigns = {
      {"added", "+"}, {"removed", "-"}, {"type", "T"}, {"modified", "M"}, {"metadata", "U"}};
  const auto found = kSigns.find(change);
  return found == kSigns.end() ? "?" : found->second;
}

const v1::BackupEntry& named(const v1::BackupChange& change) {
  return change.has_after() ? change.after() : change.before();
}

std::string line_of(const v1::BackupChange& change) {
  std::string line = sign_of(change.change()) + " " + escape(named(change).path());
  if (change.has_before() && change.has_after() &&
      change.before().size_bytes() != change.after().size_bytes())
    line += " (" + std::to_string(change.before().size_bytes()) + " -> " +
            std::to_string(change.after().size_bytes()) + " bytes)";
  return line;
}

JsonObject json_of(const v1::BackupChange& change) {
  JsonObject json;
  json.add("change", change.change()).add_bytes("path", named(change).path());
  if (change.has_before()) json.add("before", entry_json(entry_from(change.before())));
  if (change.has_after()) json.add("after", entry_json(entry_from(change.after())));
  return json;
}

std::string summary(const std::map<std::string, uint64_t>& counts) {
  if (counts.empty()) return "no difference";
  std::string text;
  for (const auto& [change, count] : counts)
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + change;
  return text;
}

struct Options {
  int64_t from = 0;
  int64_t to = 0;
  bool metadata = false;
};

Result<int> diff(Context& context, const Options& options) {
  InterruptGuard guard;
  v1::DiffBackupsRequest request;
  request.set_from_backup_id(options.from);
  request.set_to_backup_id(options.to);
  request.set_metadata(options.metadata);
  ItemPrinter printer(context.globals);
  std::map<std::string, uint64_t> counts;
  const auto print_all = [&](const v1::DiffBackupsResponse& message) -> Result<void> {
    for (const v1::BackupChange& change : message.changes()) {
      counts[change.change()]++;
      TRY(printer.add(
          [&] { return json_of(change); },
          [&] { return context.globals.quiet ? escape(named(change).path()) : line_of(change); }));
    }
    return {};
  };
  TRY(TRY(context.client())->read(request, print_all, interrupted));
  TRY(printer.finish());
  print_note(context.globals, summary(counts));
  return kOk;
}

}  // namespace

void add_backup_diff(Command& group, Context& context) {
  Command command = group.command(
      "diff",
      "Show what changed from one backup to another: + added, - removed, M modified, "
      "T another kind, U metadata alone",
      {"manman backup diff 4 5", "manman backup diff 4 5 --metadata",
       "manman backup diff 4 5 -o json | jq '.items[] | select(.change == \"removed\").path'"});
  auto options = std::make_shared<Options>();
  command.add_id("from", options->from, "The backup to compare with").required();
  command.add_id("to", options->to, "The one whose changes are shown").required();
  command.add_flag("--metadata", options->metadata,
                   "Also what differs in its mode, owner or time alone");
  command.on_run(context, [&context, options] { return diff(context, *options); });
}

}  // namespace manman::cli
