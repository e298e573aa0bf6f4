#include "game/quiesce/line_regex.h"

namespace manman {

Result<LineRegex> compile_line_regex(const std::string& expression) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  auto regex = std::make_unique<re2::RE2>(expression, options);
  if (!regex->ok())
    return fail(Code::kInvalidArgument,
                "regular expression \"" + expression + "\": " + regex->error());
  return regex;
}

bool found_in(std::string_view line, const re2::RE2& regex) {
  return re2::RE2::PartialMatch(re2::StringPiece(line.data(), line.size()), regex);
}

}  // namespace manman
