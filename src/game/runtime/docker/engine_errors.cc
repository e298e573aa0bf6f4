#include "game/runtime/docker/engine_errors.h"

#include <cerrno>
#include <cstring>

namespace manman::docker {

Error unreachable(const std::string& socket, int error_number) {
  const bool denied = error_number == EACCES || error_number == EPERM;
  const std::string reason = error_number == 0 ? "no connection" : std::strerror(error_number);
  Error error{denied ? Code::kPermissionDenied : Code::kUnavailable,
              "Docker Engine at " + socket + " can't be reached: " + reason, !denied};
  return std::move(error).with_hint(
      denied ? "let manman's user open the socket (group docker), or name another by "
               "--docker-socket (DOCKER_SOCKET)"
             : "start Docker, or name its socket by --docker-socket (DOCKER_SOCKET)");
}

}  // namespace manman::docker
