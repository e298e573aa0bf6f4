#include "base/time.h"
#include "cli/entry_printer.h"
#include "cli/interrupt.h"
#include "cli/json_text.h"
#include "cli/output.h"
#include "cli/policy_verbs.h"
#include "cli/text.h"

namespace manman::cli {
namespace {

struct Options {
  int64_t policy = 0;
  KeepOptions keep;
};

struct Count {
  uint64_t backups = 0;
  int64_t bytes = 0;
  void add(const v1::Backup& backup) {
    backups++;
    bytes += backup.size_bytes();
  }
  std::string text() const {
    return std::to_string(backups) + " (" + std::to_string(bytes) + " bytes)";
  }
};

std::string joined(const v1::RetentionDecision& decision) {
  std::string text;
  for (const std::string& reason : decision.reasons()) text += (text.empty() ? "" : ", ") + reason;
  return text;
}

std::string line_of(const v1::RetentionDecision& decision) {
  const v1::Backup& backup = decision.backup();
  return std::string(decision.keep() ? "keep  " : "delete") + "  " +
         std::to_string(backup.backup_id()) + "  " + format_utc(backup.created_at()) + "  " +
         std::to_string(backup.size_bytes()) + "  " + joined(decision);
}

JsonObject json_of(const v1::RetentionDecision& decision) {
  JsonObject json;
  json.add("backup_id", decision.backup().backup_id())
      .add("created_at", decision.backup().created_at())
      .add("size_bytes", decision.backup().size_bytes())
      .add("status", decision.backup().status())
      .add("keep", decision.keep())
      .add("reasons",
           std::vector<std::string>(decision.reasons().begin(), decision.reasons().end()));
  return json;
}

Result<int> preview(Context& context, const Options& options) {
  InterruptGuard guard;
  v1::PreviewRetentionRequest request;
  request.set_policy_id(options.policy);
  v1::KeepRules keep;
  apply(options.keep, keep);
  if (keep.ByteSizeLong() != 0) *request.mutable_keep() = keep;
  ItemPrinter printer(context.globals);
  Count kept;
  Count gone;
  const auto print_all = [&](const v1::PreviewRetentionResponse& message) -> Result<void> {
    for (const v1::RetentionDecision& decision : message.decisions()) {
      (decision.keep() ? kept : gone).add(decision.backup());
      TRY(printer.add([&] { return json_of(decision); }, [&] { return line_of(decision); }));
    }
    return {};
  };
  TRY(TRY(context.client())->read(request, print_all, interrupted));
  TRY(printer.finish());
  print_note(context.globals, "kept: " + kept.text() + ", deleted: " + gone.text());
  return kOk;
}

}  // namespace

void add_policy_preview(Command& group, Context& context) {
  Command command = group.command(
      "preview",
      "Show which backups of a policy would be kept and which deleted, and why; changes nothing",
      {"manman policy preview 1", "manman policy preview 1 --keep-daily 7 --keep-weekly 4",
       "manman policy preview 1 -o json | jq '.items[] | select(.keep | not).backup_id'"});
  auto options = std::make_shared<Options>();
  command.add_id("policy", options->policy, "Its id").required();
  add_keep_options(command, options->keep);
  command.on_run(context, [&context, options] { return preview(context, *options); });
}

}  // namespace manman::cli
