#include "api/rpc/caller.h"

#include <algorithm>

#include "domain/field_checks.h"

namespace manman::api {
namespace {

constexpr size_t kMaxNameBytes = 100;

// "10.0.0.5" of "ipv4:10.0.0.5:50412", "[::1]" of "ipv6:%5B::1%5D:50412".
std::string address_of(std::string peer) {
  if (const size_t scheme = peer.find(':'); scheme != std::string::npos) peer.erase(0, scheme + 1);
  for (const auto& [code, character] : {std::pair{"%5B", "["}, std::pair{"%5D", "]"}})
    if (const size_t at = peer.find(code); at != std::string::npos) peer.replace(at, 3, character);
  if (const size_t port = peer.rfind(':'); port != std::string::npos) peer.erase(port);
  return peer;
}

// "" of a text that can't stand in a line of the log.
std::string name_from(grpc::string_ref text) {
  std::string name(text.data(), std::min(text.size(), kMaxNameBytes));
  return check_name("actor", name) ? name : std::string();
}

std::string name_of(const grpc::ServerContext& call) {
  const auto identity = call.auth_context()->GetPeerIdentity();
  if (call.auth_context()->IsPeerAuthenticated() && !identity.empty()) {
    const auto common = call.auth_context()->FindPropertyValues("x509_common_name");
    const std::string name = name_from(common.empty() ? identity.front() : common.front());
    if (!name.empty()) return name + " (certificate)";
  }
  const auto said = call.client_metadata().find("manman-actor");
  return said == call.client_metadata().end() ? std::string() : name_from(said->second);
}

}  // namespace

std::string caller_of(const grpc::ServerContext& call) {
  const std::string name = name_of(call);
  return (name.empty() ? "somebody" : name) + " from " + address_of(call.peer());
}

}  // namespace manman::api
