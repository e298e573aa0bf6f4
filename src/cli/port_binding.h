#pragma once

#include <string>

#include "base/error.h"
#include "manman/v1/manman.pb.h"

namespace manman::cli {

// HOST[:GAME][/tcp|/udp], such as 25566:25565/tcp; the game's port is the host's, and the protocol
// tcp, when not said.
Result<v1::PortBinding> parse_port(const std::string& text);
std::string port_text(const v1::PortBinding& binding);

}  // namespace manman::cli
