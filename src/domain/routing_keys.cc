#include "domain/messages.h"

namespace manman {

std::string command_key(int64_t server_id, std::string_view what) {
  return "command.host." + std::to_string(server_id) + "." + std::string(what);
}

std::string backup_status_key(int64_t backup_id) {
  return "status.backup." + std::to_string(backup_id);
}

std::string session_status_key(int64_t session_id) {
  return "status.session." + std::to_string(session_id);
}

std::string drill_status_key(int64_t drill_id) {
  return "status.drill." + std::to_string(drill_id);
}

std::string host_health_key(int64_t server_id) {
  return "health.host." + std::to_string(server_id);
}

std::string command_queue(int64_t server_id) {
  return "host-" + std::to_string(server_id) + "-commands";
}

}  // namespace manman
