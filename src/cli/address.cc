#include "cli/address.h"

#include <charconv>

namespace manman::cli {
namespace {

bool good_host(std::string_view host) {
  if (host.empty() || host.find_first_of("/ \t@") != std::string_view::npos) return false;
  if (host.front() == '[') return host.size() > 2 && host.back() == ']';
  return host.find(':') == std::string_view::npos;
}

}  // namespace

Result<void> check_address(std::string_view text, std::string_view setting, bool listens) {
  const auto bad = [&](std::string_view why) {
    return fail(Code::kInvalidArgument, std::string(setting) + ": '" + std::string(text) + "' " +
                                            std::string(why) +
                                            "; it wants HOST:PORT, such as "
                                            "127.0.0.1:50051");
  };
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad("has no port");
  if (!good_host(text.substr(0, colon))) return bad("has no good host");
  const std::string_view digits = text.substr(colon + 1);
  int port = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port < 0 || port > 65535)
    return bad("has no good port");
  if (port == 0 && !listens) return bad("has no good port");
  return {};
}

}  // namespace manman::cli
