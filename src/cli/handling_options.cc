#include "cli/handling_options.h"

#include <google/protobuf/util/json_util.h>

#include <charconv>

#include "base/file.h"

namespace manman::cli {
namespace {

constexpr size_t kMaxFileBytes = 1 << 20;
constexpr std::string_view kArrow = "=>";

Result<void> apply_file(const std::filesystem::path& path, v1::Handling& handling) {
  v1::Handling said;
  const auto status =
      google::protobuf::util::JsonStringToMessage(TRY(read_file(path, kMaxFileBytes)), &said);
  if (!status.ok())
    return fail(Code::kInvalidArgument,
                "--handling " + path.string() + ": " + std::string(status.message()));
  handling.MergeFrom(said);
  return {};
}

template <typename Field>
void replace(Field* field, const std::vector<std::string>& values) {
  if (!values.empty()) field->Assign(values.begin(), values.end());
}

}  // namespace

void add_backup_handling_options(Command& command, HandlingOptions& options) {
  command.add("--quiesce", options.quiesce,
              "INPUT[=>REGEX[=>SECONDS]]: a line for its console before its data is read, the "
              "output to wait for, and how long; repeatable");
  command.add("--resume", options.resume,
              "Line for its console that undoes quiesce; repeatable. Who says one of these two "
              "says both");
  command.add_flag("--no-quiesce", options.no_quiesce,
                   "Say nothing to its console, whatever the profile says");
  command.add("--leave-out", options.leave_out,
              "Files that are no save data: a pattern as in .gitignore, relative to game/; "
              "repeatable, after those of the profile");
  command.add("--examine", options.examine,
              "PATTERN=>AS: files of its backups that are examined as sqlite, region or nbt, or "
              "nothing; repeatable, after those of the profile");
  command
      .add("--max-pause", options.max_pause,
           "The longest that it is held still; 0: as the profile or the host says")
      .range(0, INT32_MAX)
      .value("SECONDS");
  command
      .add("--unconfirmed", options.unconfirmed,
           "When it does not confirm that it holds still: the backup fails, or goes on")
      .one_of({"fail", "go-on"});
  command
      .add("--files-root", options.files_root,
           "Below game/: where the files stand that a step of quiesce lists")
      .value("PATH");
  command
      .add("--handling", options.file,
           "A JSON file with fields of the handling; options given beside it win")
      .value("FILE");
}

void add_handling_options(Command& command, HandlingOptions& options) {
  command
      .add("--profile", options.profile,
           "The game that it is ('manman profile list'): how it is stopped and backed up")
      .value("NAME");
  command.add("--stop-command", options.stop_command,
              "Line for its console that stops it; none: as the profile says, or SIGTERM");
  command
      .add("--stop-grace", options.stop_grace,
           "Then SIGKILL; 0: as the profile says, or the service's default")
      .range(0, INT32_MAX)
      .value("SECONDS");
  command.add("--rcon-port", options.rcon_port, "Where it answers Source RCON, on its own machine")
      .range(0, 65535)
      .value("N");
  command
      .add("--rcon-secret", options.rcon_secret,
           "The password's file, in the folder secrets/ of the host's data folder")
      .value("NAME");
  command
      .add("--ready", options.ready,
           "The line of its output that says that it serves players: 'backup drill --start-game' "
           "waits for it")
      .value("REGEX");
  command
      .add("--ready-timeout", options.ready_timeout,
           "How long it may take to be ready; 0: as the profile says, or the service's default")
      .range(0, INT32_MAX)
      .value("SECONDS");
  add_backup_handling_options(command, options);
}

Result<void> apply(const HandlingOptions& options, v1::Handling& handling) {
  if (!options.file.empty()) TRY(apply_file(options.file, handling));
  if (!options.stop_command.empty()) handling.set_stop_command(options.stop_command);
  if (options.stop_grace != 0) handling.set_stop_grace_seconds(options.stop_grace);
  if (!options.quiesce.empty()) handling.clear_quiesce();
  for (const std::string& text : options.quiesce)
    *handling.add_quiesce() = TRY(parse_quiesce(text));
  replace(handling.mutable_resume(), options.resume);
  if (options.no_quiesce) handling.set_no_quiesce(true);
  replace(handling.mutable_leave_out(), options.leave_out);
  if (!options.examine.empty()) handling.clear_examine();
  for (const std::string& text : options.examine)
    *handling.add_examine() = TRY(parse_examine(text));
  if (options.rcon_port != 0) handling.mutable_rcon()->set_port(options.rcon_port);
  if (!options.rcon_secret.empty()) handling.mutable_rcon()->set_secret(options.rcon_secret);
  if (options.max_pause != 0) handling.set_max_pause_seconds(options.max_pause);
  if (!options.unconfirmed.empty()) handling.set_unconfirmed(options.unconfirmed);
  if (!options.files_root.empty()) handling.set_files_root(options.files_root);
  if (!options.ready.empty()) handling.set_ready(options.ready);
  if (options.ready_timeout != 0) handling.set_ready_timeout_seconds(options.ready_timeout);
  return {};
}

Result<v1::ExamineRule> parse_examine(const std::string& text) {
  const size_t arrow = text.rfind(kArrow);
  if (arrow == 0 || arrow == std::string::npos)
    return fail(Code::kInvalidArgument, "--examine '" + text + "': wants PATTERN=>AS");
  v1::ExamineRule rule;
  rule.set_pattern(text.substr(0, arrow));
  rule.set_as(text.substr(arrow + kArrow.size()));
  return rule;
}

Result<v1::QuiesceStep> parse_quiesce(const std::string& text) {
  v1::QuiesceStep step;
  const size_t arrow = text.find(kArrow);
  step.set_input(text.substr(0, arrow));
  if (step.input().empty())
    return fail(Code::kInvalidArgument,
                "--quiesce '" + text + "': wants INPUT[=>REGEX[=>SECONDS]]");
  if (arrow == std::string::npos) return step;
  std::string rest = text.substr(arrow + kArrow.size());
  if (const size_t last = rest.rfind(kArrow); last != std::string::npos) {
    const std::string_view digits = std::string_view(rest).substr(last + kArrow.size());
    int seconds = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
    if (error == std::errc() && end == digits.data() + digits.size() && seconds > 0) {
      step.set_timeout_seconds(seconds);
      rest.resize(last);
    }
  }
  step.set_confirm_regex(rest);
  return step;
}

}  // namespace manman::cli
