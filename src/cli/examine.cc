#include "examine/examine.h"

#include <filesystem>

#include "base/unique_name.h"
#include "cli/handling_options.h"
#include "cli/interrupt.h"
#include "cli/json_text.h"
#include "cli/output.h"
#include "cli/progress_view.h"
#include "cli/text.h"
#include "cli/verbs.h"

namespace manman::cli {
namespace {

struct Options {
  std::filesystem::path dir;
  std::string profile;
  std::vector<std::string> rules;
};

Result<std::vector<ExamineRule>> rules_of(const Options& options, const Programs& programs) {
  std::vector<ExamineRule> rules;
  if (!options.profile.empty()) rules = TRY(programs.examine_rules(options.profile));
  for (const std::string& text : options.rules) {
    const v1::ExamineRule said = TRY(parse_examine(text));
    const auto as = examine_as_from(said.as());
    if (!as)
      return fail(Code::kInvalidArgument,
                  "--examine '" + text + "': AS must be sqlite, region, nbt or nothing");
    rules.push_back({.pattern = said.pattern(), .as = *as});
  }
  return rules;
}

Result<examine::Report> examine_folder(const Globals& globals, const Options& options,
                                       std::vector<ExamineRule> rules) {
  InterruptGuard guard;
  Progress progress;
  ProgressWatch watch(globals, "examine", progress);
  return examine::examine(options.dir, {.rules = std::move(rules),
                                        .scratch = std::filesystem::temp_directory_path() /
                                                   ("manman-examine-" + unique_name()),
                                        .progress = &progress});
}

std::vector<std::string> lines_of(const std::vector<examine::Finding>& findings) {
  std::vector<std::string> lines;
  lines.reserve(findings.size());
  for (const examine::Finding& finding : findings) lines.push_back(finding.text());
  return lines;
}

std::string json_of(const Options& options, const examine::Report& report) {
  JsonObject json;
  json.add("dir", options.dir.string())
      .add("whole", report.whole())
      .add("databases", report.databases)
      .add("regions", report.regions)
      .add("chunks", report.chunks)
      .add("nbt_files", report.nbt_files)
      .add("other_files", report.other_files)
      .add("problems", lines_of(report.problems))
      .add("problem_count", report.problem_count)
      .add("unexamined", lines_of(report.unexamined))
      .add("unexamined_count", report.unexamined_count);
  return json.text() + "\n";
}

std::string list_text(std::string_view what, const std::vector<examine::Finding>& findings,
                      uint64_t count) {
  std::string text;
  for (const std::string& line : lines_of(findings))
    text += std::string(what) + ": " + escape(line) + "\n";
  if (count > findings.size())
    text += std::string(what) + ": and " + std::to_string(count - findings.size()) + " more\n";
  return text;
}

std::string text_of(const Options& options, const examine::Report& report) {
  return list_text("problem", report.problems, report.problem_count) +
         list_text("not examined", report.unexamined, report.unexamined_count) +
         escape(options.dir.string()) +
         (report.whole() ? ": no problem found in "
                         : ": " + std::to_string(report.problem_count) + " problems in ") +
         report.counts() + "\n";
}

Result<int> run(const Globals& globals, const Options& options, const Programs& programs) {
  auto rules = TRY(rules_of(options, programs));
  const auto report = TRY(examine_folder(globals, options, std::move(rules)));
  if (globals.json()) {
    TRY(print(json_of(options, report)));
  } else if (!globals.quiet) {
    TRY(print(text_of(options, report)));
  }
  return report.whole() ? kOk : kDamaged;
}

}  // namespace

void add_examine(Command& app, Context& context, const Programs& programs) {
  Command command = app.command(
      "examine",
      "Examine the files of a world that no game uses: SQLite databases, Minecraft's region files "
      "and NBT. Changes nothing, and needs no service",
      {"manman examine restored/world --profile minecraft-java",
       "manman examine world --examine 'players/*.dat=>nbt' -o json"});
  auto options = std::make_shared<Options>();
  command.add("dir", options->dir, "The folder").required();
  command
      .add("--profile", options->profile,
           "The game that it is, which says more of its files: a name, or a file NAME.json")
      .value("NAME");
  command
      .add(
          "--examine", options->rules,
          "Files that are examined as sqlite, region or nbt, or nothing; repeatable, the last that "
          "matches counts")
      .value("PATTERN=>AS");
  command.on_run(
      context, [&context, &programs, options] { return run(context.globals, *options, programs); });
}

}  // namespace manman::cli
