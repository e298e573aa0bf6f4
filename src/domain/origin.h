#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "domain/catalog.h"

namespace manman {

// Where an archive comes from: what its row says, and what that refers to, as far as a lost
// database can be made again from it. Stands as JSON in the archive's index
// (docs/formats/archive.md). Values of the environment are secrets and are not in it, only their
// names.
struct Origin {
  std::string mark;  // of the backup's row
  int64_t backup_id = 0;
  int64_t session_id = 0;  // 0: the SGC had none
  int64_t created_at = 0;  // Unix seconds
  std::string description;
  std::string policy;  // name of the one that made it; "": none
  Server server;
  Game game;
  GameConfig config;  // its env is empty
  std::vector<std::string> env_names;
  ServerGameConfig sgc;

  // At most kMaxBytes: where it would be more, the config's command and handling are left out.
  std::string to_json() const;
  static Result<Origin> parse(std::string_view json);
  static constexpr size_t kMaxBytes = 60'000;
};

// The mark in an origin; "" when it is none or has none.
std::string mark_in(std::string_view origin_json);

}  // namespace manman
