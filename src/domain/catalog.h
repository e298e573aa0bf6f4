#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/compression.h"

namespace manman {

// Rows of `servers`, `games`, `game_configs` and `server_game_configs`.

// Bounds on the backups of an SGC, or of all SGCs of a server together; 0: none.
struct BackupLimits {
  int max_concurrent_backups = 0;  // pending and running ones
  int64_t max_total_bytes = 0;  // of all that are stored: none begins while they have come to this
  int max_manual_per_hour = 0;  // that people ask for

  bool operator==(const BackupLimits&) const = default;
};

struct Server {
  int64_t server_id = 0;
  std::string name;
  std::string environment;
  bool is_default = false;
  bool online = false;
  int64_t last_seen = 0;  // Unix seconds
  BackupLimits limits;
};

struct Game {
  int64_t game_id = 0;
  std::string name;
  std::string steam_app_id;
};

struct GameConfig {
  int64_t config_id = 0;
  int64_t game_id = 0;
  std::string name;
  std::string image;  // "" runs a process on the host
  std::string args_template;
  std::map<std::string, std::string> env;
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;
  std::string data_path;    // where a container finds its save data; "" without an image
  Compression compression;  // of its backups, unless asked otherwise
  std::string profile;      // "": the generic one
  std::string handling;     // what it says itself of it: a layer for merged_handling()
};

struct PortBinding {
  int container_port = 0;
  int host_port = 0;
  std::string protocol;  // "TCP" or "UDP"
};

struct ServerGameConfig {
  int64_t sgc_id = 0;
  int64_t server_id = 0;
  int64_t game_config_id = 0;
  std::vector<PortBinding> port_bindings;
  bool active = true;
  std::string profile;   // instead of the game config's; "": that one
  std::string handling;  // what it says itself of it: a layer for merged_handling()
  BackupLimits limits;
};

}  // namespace manman
