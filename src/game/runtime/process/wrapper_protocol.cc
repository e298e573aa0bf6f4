#include "game/runtime/process/wrapper_protocol.h"

#include <charconv>

namespace manman::process {

std::string encode_answer(const Result<void>& started) {
  if (started) return "ok";
  return "error " + std::to_string(static_cast<int>(started.error().code)) + " " +
         started.error().message;
}

Result<void> decode_answer(const std::string& text) {
  if (text == "ok") return {};
  const std::string_view prefix = "error ";
  int code = 0;
  if (text.starts_with(prefix)) {
    const char* begin = text.data() + prefix.size();
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(begin, end, code);
    if (error == std::errc{} && rest != end && *rest == ' ' && code > 0)
      return fail(static_cast<Code>(code), std::string(rest + 1, end));
  }
  return fail(Code::kInternal, text.empty() ? "the game's wrapper ended before the game ran"
                                            : "the game's wrapper answered \"" + text + "\"");
}

}  // namespace manman::process
