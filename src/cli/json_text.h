#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace manman::cli {

// A text as a JSON string, quotes included; bytes that are not UTF-8 are replaced by U+FFFD.
std::string json_string(std::string_view text);

// Writes one JSON object, its members in the order given.
class JsonObject {
 public:
  JsonObject& add(std::string_view name, std::string_view value);
  JsonObject& add(std::string_view name, const char* value) {
    return add(name, std::string_view(value));
  }
  JsonObject& add(std::string_view name, int64_t value);
  JsonObject& add(std::string_view name, uint64_t value);
  JsonObject& add(std::string_view name, bool value);
  JsonObject& add(std::string_view name, const std::vector<std::string>& values);
  JsonObject& add(std::string_view name, const JsonObject& value);
  // JSON has no place for bytes that are not UTF-8: they are replaced in NAME, and NAME_base64
  // holds the real ones.
  JsonObject& add_bytes(const std::string& name, const std::string& bytes);

  std::string text() const { return "{" + members_ + "}"; }

 private:
  JsonObject& add_raw(std::string_view name, const std::string& value);
  std::string members_;
};

}  // namespace manman::cli
