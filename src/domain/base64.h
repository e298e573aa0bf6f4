#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace manman {

// RFC 4648, section 4, with padding.
std::string base64_encode(std::string_view bytes);
// Nothing when the text is not what base64_encode() makes: other characters, wrong length or
// padding, bits left over.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace manman
