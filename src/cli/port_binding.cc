#include "cli/port_binding.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

namespace manman::cli {
namespace {

std::optional<int> port_number(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (port < 1 || port > 65535) return std::nullopt;
  return port;
}

std::string with_case(std::string text, int (*change)(int)) {
  std::ranges::transform(text, text.begin(),
                         [&](unsigned char c) { return static_cast<char>(change(c)); });
  return text;
}

}  // namespace

Result<v1::PortBinding> parse_port(const std::string& text) {
  const auto bad = [&](const std::string& why) {
    return fail(Code::kInvalidArgument,
                "--port '" + text + "': " + why + "; it wants HOST[:GAME][/tcp|/udp]");
  };
  const size_t slash = text.find('/');
  std::string protocol = "TCP";
  if (slash != std::string::npos) protocol = with_case(text.substr(slash + 1), std::toupper);
  if (protocol != "TCP" && protocol != "UDP") return bad("the protocol is tcp or udp");
  const std::string ports = text.substr(0, slash);
  const size_t colon = ports.find(':');
  const auto host = port_number(std::string_view(ports).substr(0, colon));
  const auto game =
      colon == std::string::npos ? host : port_number(std::string_view(ports).substr(colon + 1));
  if (!host || !game) return bad("a port is a number from 1 to 65535");
  v1::PortBinding binding;
  binding.set_host_port(*host);
  binding.set_container_port(*game);
  binding.set_protocol(protocol);
  return binding;
}

std::string port_text(const v1::PortBinding& binding) {
  return std::to_string(binding.host_port()) + ":" + std::to_string(binding.container_port()) +
         "/" + with_case(binding.protocol(), std::tolower);
}

}  // namespace manman::cli
