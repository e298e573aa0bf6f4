#include <unistd.h>

#include <charconv>
#include <iostream>
#include <string>

#include "base/time.h"
#include "cli/duration.h"
#include "cli/entry_printer.h"
#include "cli/interrupt.h"
#include "cli/json_text.h"
#include "cli/output.h"
#include "cli/text.h"
#include "cli/verbs.h"

namespace manman::cli {
namespace {

struct Options {
  std::string older_than;
  bool adopt = false;
  bool full = false;
  std::vector<std::string> sgcs;
  bool clean = false;
  bool yes = false;
  bool without_any_row = false;
};

template <typename Take>
bool parse_id(std::string_view text, Take take) {
  int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id <= 0) return false;
  take(id);
  return true;
}

std::string line_of(const v1::AuditFinding& finding) {
  std::string line = finding.kind() + "  " + escape(finding.key());
  if (finding.backup_id() != 0) line += "  backup " + std::to_string(finding.backup_id());
  if (!finding.row_status().empty()) line += " (" + finding.row_status() + ")";
  if (finding.object_bytes() != 0) line += "  " + std::to_string(finding.object_bytes()) + " bytes";
  if (finding.kind() == "wrong-size") line += " instead of " + std::to_string(finding.row_bytes());
  if (finding.modified_at() != 0) line += "  of " + format_utc(finding.modified_at());
  if (!finding.outcome().empty()) {
    line += "\n    " + finding.outcome();
    if (!finding.detail().empty()) line += ": " + escape(finding.detail());
  } else {
    line += "\n    " + escape(finding.advice());
  }
  return line;
}

JsonObject json_of(const v1::AuditFinding& finding) {
  JsonObject json;
  json.add("kind", finding.kind())
      .add_bytes("key", finding.key())
      .add("backup_id", finding.backup_id())
      .add("server_game_config_id", finding.server_game_config_id())
      .add("object_bytes", finding.object_bytes())
      .add("row_bytes", finding.row_bytes())
      .add("row_status", finding.row_status())
      .add("modified_at", finding.modified_at())
      .add("advice", finding.advice())
      .add("outcome", finding.outcome())
      .add("detail", finding.detail());
  return json;
}

std::string summary_text(const v1::AuditSummary& summary) {
  std::string text = "bucket " + escape(summary.bucket()) + ": " +
                     std::to_string(summary.objects()) + " objects, " +
                     std::to_string(summary.rows()) + " rows, " +
                     std::to_string(summary.uploads()) + " uploads under way; " +
                     std::to_string(summary.problems()) + " problems";
  if (summary.unknown_objects() > 0)
    text += ", " + std::to_string(summary.unknown_objects()) + " unknown objects";
  if (summary.mended() > 0) text += ", " + std::to_string(summary.mended()) + " mended";
  if (summary.rows_elsewhere() > 0)
    text += "; " + std::to_string(summary.rows_elsewhere()) +
            " rows are of other buckets and were not looked at";
  return text;
}

// One audit; what it found goes to the printer.
Result<v1::AuditSummary> run(Context& context, const v1::AuditStoreRequest& request,
                             ItemPrinter& printer) {
  v1::AuditSummary summary;
  const auto take = [&](const v1::AuditStoreResponse& message) -> Result<void> {
    for (const v1::AuditFinding& finding : message.findings())
      TRY(printer.add([&] { return json_of(finding); }, [&] { return line_of(finding); }));
    if (message.has_summary()) summary = message.summary();
    return {};
  };
  TRY(TRY(context.client())->read(request, take, interrupted));
  TRY(printer.finish());
  print_note(context.globals, summary_text(summary));
  return summary;
}

// 0 on the command line is any age, on the wire the default.
Result<v1::AuditStoreRequest> request_of(const Options& options) {
  if (options.adopt && options.clean)
    return fail(Code::kInvalidArgument, "--adopt and --clean exclude each other");
  if (!options.adopt && (options.full || !options.sgcs.empty()))
    return fail(Code::kInvalidArgument, "--full and --sgc are for --adopt");
  if (!options.clean && (options.yes || options.without_any_row))
    return fail(Code::kInvalidArgument, "--yes and --without-any-row are for --clean");
  v1::AuditStoreRequest request;
  const int32_t seconds = TRY(parse_duration("--older-than", options.older_than));
  request.set_older_than_seconds(seconds == 0 ? -1 : seconds);
  if (options.adopt) request.set_mode("adopt");
  request.set_full(options.full);
  request.set_without_any_row(options.without_any_row);
  for (const std::string& text : options.sgcs) {
    v1::SgcMapping* mapping = request.add_sgcs();
    const size_t equals = text.find('=');
    if (equals == std::string::npos ||
        !parse_id(text.substr(0, equals), [&](int64_t id) { mapping->set_from(id); }) ||
        !parse_id(text.substr(equals + 1), [&](int64_t id) { mapping->set_to(id); }))
      return fail(Code::kInvalidArgument, "--sgc '" + text + "': wants OLD=NEW, the ids of SGCs");
  }
  return request;
}

// Shows what there is to do away with, and has a person type its number.
Result<bool> confirmed(Context& context, const v1::AuditStoreRequest& request) {
  ItemPrinter printer(context.globals);
  const auto summary = TRY(run(context, request, printer));
  if (summary.problems() == 0) return false;
  if (::isatty(STDIN_FILENO) != 1)
    return std::unexpected(
        Error{Code::kFailedPrecondition, "--clean wants to be confirmed"}.with_hint(
            "--yes confirms it for a script"));
  const std::string wanted = std::to_string(summary.problems());
  TRY(print("Type " + wanted + " to do away with these " + wanted + ": "));
  std::string typed;
  std::getline(std::cin, typed);
  if (typed == wanted) return true;
  return fail(Code::kCancelled, "not confirmed; nothing was changed");
}

// After mending, what is left of the problems counts.
Result<int> audit(Context& context, const Options& options) {
  InterruptGuard guard;
  v1::AuditStoreRequest request = TRY(request_of(options));
  if (options.clean && !options.yes && !TRY(confirmed(context, request))) return kOk;
  if (options.clean) request.set_mode("clean");
  ItemPrinter printer(context.globals);
  const auto summary = TRY(run(context, request, printer));
  return summary.problems() <= summary.mended() ? kOk : kDamaged;
}

}  // namespace

void add_audit(Command& app, Context& context) {
  Command command = app.command(
      "audit",
      "Hold what the store has against the rows of backups: objects without rows, rows without "
      "objects, wrong sizes, what failed backups and dead uploads have left. Changes nothing "
      "unless "
      "told to. Exit code 7: something was found, and is so still",
      {"manman audit", "manman audit -o json | jq -r '.items[].key'",
       "manman audit --adopt                # the database was lost: make it again from the bucket",
       "manman audit --adopt --sgc 3=7      # what was SGC 3 is SGC 7 now",
       "manman audit --clean --older-than 7d"});
  auto options = std::make_shared<Options>();
  options->older_than = "24h";
  command
      .add("--older-than", options->older_than,
           "Uploads that no backup is making count once they are so old, and --clean removes no "
           "younger object")
      .value("TIME");
  command.add_flag(
      "--adopt", options->adopt,
      "Make rows again from archives that have none: the backup, and the server, game, "
      "config and SGC that it names where they are not there");
  command.add_flag("--full", options->full,
                   "With --adopt: read all of each archive, check it, and note its SHA-256");
  command
      .add("--sgc", options->sgcs,
           "With --adopt: archives of SGC OLD belong to SGC NEW of this database; repeatable")
      .value("OLD=NEW");
  command.add_flag(
      "--clean", options->clean,
      "Remove objects without rows and leftovers, end dead uploads, delete rows without "
      "objects, mark wrong sizes as damaged; asks first");
  command.add_flag("--yes", options->yes, "With --clean: do not ask");
  command.add_flag(
      "--without-any-row", options->without_any_row,
      "With --clean: also when the database has no backup at all, which looks as if it "
      "was lost");
  command.on_run(context, [&context, options] { return audit(context, *options); });
}

}  // namespace manman::cli
