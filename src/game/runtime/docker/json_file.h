#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/file.h"

namespace manman::docker {

// Reads the file and gives its JSON to `convert`; nothing when it is not there, kDataLoss naming it
// when it does not hold what it should.
template <typename F>
auto read_json_file(const std::filesystem::path& path, F&& convert)
    -> Result<std::optional<decltype(convert(nlohmann::json()))>> {
  using Value = decltype(convert(nlohmann::json()));
  const auto text = read_file(path);
  if (!text && text.error().code == Code::kNotFound) return std::optional<Value>();
  if (!text) return std::unexpected(text.error());
  try {
    return std::optional<Value>(convert(nlohmann::json::parse(*text)));
  } catch (const nlohmann::json::exception& error) {
    return fail(Code::kDataLoss, path.string() + " is damaged: " + error.what());
  }
}

}  // namespace manman::docker
