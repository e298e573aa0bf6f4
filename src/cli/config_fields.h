#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"
#include "manman/v1/manman.pb.h"

// A game config as the command line takes it.
namespace manman::cli {

// KEY=VALUE.
Result<std::pair<std::string, std::string>> parse_env(const std::string& text);

// A game config in JSON, with the field names of the protocol; what `config get -o json` prints is
// one. An unknown field or a value of the wrong type is kInvalidArgument naming it.
Result<v1::GameConfig> read_config_file(const std::filesystem::path& path);

v1::CreateGameConfigRequest create_request(const v1::GameConfig& config);

}  // namespace manman::cli
