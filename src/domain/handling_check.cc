#include "domain/handling_check.h"

#include <re2/re2.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "base/path_patterns.h"
#include "base/secret.h"
#include "domain/field_checks.h"

namespace manman {
namespace {

constexpr size_t kMaxSteps = 20;
constexpr size_t kMaxPatterns = 200;
constexpr int kMaxGraceSeconds = 3600;
constexpr int kMaxStepSeconds = 600;
constexpr int kMaxPauseSeconds = 3600;
constexpr int kMaxReadySeconds = 3600;
constexpr int kDefaultReadySeconds = 120;
constexpr int kDefaultSeconds = 30;
constexpr int kMinRepeatMs = 100;
constexpr int kMaxRepeatMs = 60'000;
constexpr int kMaxPort = 65535;

std::string at(std::string_view field, size_t index) {
  return std::string(field) + "[" + std::to_string(index) + "]";
}

// Of one line of output.
Result<void> check_regex(const std::string& field, const std::string& regex) {
  TRY(check_line(field, regex));
  const re2::RE2 expression(regex, re2::RE2::Quiet);
  if (!expression.ok()) return bad_field(field, expression.error());
  return {};
}

Result<void> complete_and_check(const std::string& field, QuiesceStep& step) {
  if (step.input.empty()) return bad_field(field + ".input", "must not be empty");
  TRY(check_line(field + ".input", step.input));
  TRY(check_regex(field + ".confirm_regex", step.confirm_regex));
  if (step.timeout_seconds == 0) step.timeout_seconds = kDefaultSeconds;
  if (step.timeout_seconds < 1 || step.timeout_seconds > kMaxStepSeconds)
    return bad_field(field + ".timeout_seconds", "must be 0 to 600");
  if (step.repeat_ms != 0 && (step.repeat_ms < kMinRepeatMs || step.repeat_ms > kMaxRepeatMs))
    return bad_field(field + ".repeat_ms", "must be 0, or 100 to 60000");
  if (step.confirm_regex.empty() && (step.repeat_ms != 0 || step.lists_files))
    return bad_field(field + ".confirm_regex", "is needed with repeat_ms and with lists_files");
  return {};
}

Result<void> complete_and_check(std::vector<QuiesceStep>& steps) {
  if (steps.size() > kMaxSteps)
    return bad_field("quiesce", "must be at most " + std::to_string(kMaxSteps) + " steps");
  for (size_t i = 0; i < steps.size(); i++) TRY(complete_and_check(at("quiesce", i), steps[i]));
  if (std::ranges::count(steps, true, &QuiesceStep::lists_files) > 1)
    return bad_field("quiesce", "must have at most one step with lists_files");
  return {};
}

Result<void> check_resume(const std::vector<std::string>& lines) {
  if (lines.size() > kMaxSteps)
    return bad_field("resume", "must be at most " + std::to_string(kMaxSteps) + " lines");
  for (size_t i = 0; i < lines.size(); i++) {
    if (lines[i].empty()) return bad_field(at("resume", i), "must not be empty");
    TRY(check_line(at("resume", i), lines[i]));
  }
  return {};
}

Result<void> check_rcon(const RconSettings& rcon) {
  if (rcon.port < 0 || rcon.port > kMaxPort) return bad_field("rcon.port", "must be 0 to 65535");
  if (rcon.port != 0 && rcon.secret.empty())
    return bad_field("rcon.secret", "is needed with rcon.port");
  if (!rcon.secret.empty() && !is_secret_name(rcon.secret))
    return bad_field("rcon.secret",
                     "must be the name of a file: 1 to 64 letters, digits, '.', '_' or '-', and "
                     "not begin with '.'");
  return {};
}

Result<void> check_files_root(const std::string& path) {
  TRY(check_line("files_root", path));
  const std::filesystem::path normal = std::filesystem::path(path).lexically_normal();
  if (path.empty() || (normal == path && normal.is_relative() && *normal.begin() != ".." &&
                       normal != "." && !path.ends_with('/')))
    return {};
  return bad_field("files_root", "must be a relative path without '.', '..', '//' and a last '/'");
}

Result<void> check_examine(const std::vector<ExamineRule>& rules) {
  if (rules.size() > kMaxPatterns)
    return bad_field("examine", "must be at most " + std::to_string(kMaxPatterns) + " rules");
  for (size_t i = 0; i < rules.size(); i++) {
    const std::string field = at("examine", i) + ".pattern";
    TRY(check_pattern(field, rules[i].pattern));
    if (rules[i].pattern.starts_with('!'))
      return bad_field(field, "takes nothing back by '!'; that is a rule \"as\": \"nothing\"");
  }
  return {};
}

}  // namespace

Result<void> check_pattern(std::string_view field, std::string_view pattern) {
  TRY(check_line(field, pattern));
  const std::string_view names = pattern.starts_with('!') ? pattern.substr(1) : pattern;
  if (names.find_first_not_of("/ ") == std::string_view::npos)
    return bad_field(field, "names nothing");
  if (pattern.starts_with('#'))
    return bad_field(field, "is a comment; a name that begins with # is written \\#");
  if (names.ends_with(' ') && !names.ends_with("\\ "))
    return bad_field(field, "ends with a space; one that belongs to the name is written '\\ '");
  for (size_t begin = 0; begin <= names.size();) {
    const size_t end = std::min(names.find('/', begin), names.size());
    const std::string_view part = names.substr(begin, end - begin);
    if (part == "." || part == "..")
      return bad_field(field, "must not hold '.' or '..' as a name; it is relative to game/");
    begin = end + 1;
  }
  const auto compiled = PathPatterns::compile({std::string(pattern)});
  if (!compiled) return bad_field(field, compiled.error().message);
  return {};
}

Result<void> complete_and_check(Handling& handling) {
  TRY(check_line("stop_command", handling.stop_command));
  if (handling.stop_grace_seconds == 0) handling.stop_grace_seconds = kDefaultSeconds;
  if (handling.stop_grace_seconds < 0 || handling.stop_grace_seconds > kMaxGraceSeconds)
    return bad_field("stop_grace_seconds", "must be 0 to 3600");
  TRY(check_rcon(handling.rcon));
  TRY(complete_and_check(handling.quiesce));
  TRY(check_resume(handling.resume));
  TRY(check_files_root(handling.files_root));
  if (handling.max_pause_seconds < 0 || handling.max_pause_seconds > kMaxPauseSeconds)
    return bad_field("max_pause_seconds", "must be 0 to 3600");
  if (handling.leave_out.size() > kMaxPatterns)
    return bad_field("leave_out", "must be at most " + std::to_string(kMaxPatterns) + " patterns");
  for (size_t i = 0; i < handling.leave_out.size(); i++)
    TRY(check_pattern(at("leave_out", i), handling.leave_out[i]));
  TRY(check_regex("ready", handling.ready));
  if (handling.ready_timeout_seconds == 0) handling.ready_timeout_seconds = kDefaultReadySeconds;
  if (handling.ready_timeout_seconds < 0 || handling.ready_timeout_seconds > kMaxReadySeconds)
    return bad_field("ready_timeout_seconds", "must be 0 to 3600");
  return check_examine(handling.examine);
}

}  // namespace manman
