#include "cli/json_text.h"

#include <nlohmann/json.hpp>

#include "cli/text.h"

namespace manman::cli {

std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

JsonObject& JsonObject::add_raw(std::string_view name, const std::string& value) {
  if (!members_.empty()) members_ += ",";
  members_ += json_string(name) + ":" + value;
  return *this;
}

JsonObject& JsonObject::add(std::string_view name, std::string_view value) {
  return add_raw(name, json_string(value));
}

JsonObject& JsonObject::add(std::string_view name, int64_t value) {
  return add_raw(name, std::to_string(value));
}

JsonObject& JsonObject::add(std::string_view name, uint64_t value) {
  return add_raw(name, std::to_string(value));
}

JsonObject& JsonObject::add(std::string_view name, bool value) {
  return add_raw(name, value ? "true" : "false");
}

JsonObject& JsonObject::add(std::string_view name, const std::vector<std::string>& values) {
  std::string list;
  for (const std::string& value : values) list += (list.empty() ? "" : ",") + json_string(value);
  return add_raw(name, "[" + list + "]");
}

JsonObject& JsonObject::add_bytes(const std::string& name, const std::string& bytes) {
  add(name, bytes);
  return is_utf8(bytes) ? *this : add(name + "_base64", base64(bytes));
}

JsonObject& JsonObject::add(std::string_view name, const JsonObject& value) {
  return add_raw(name, value.text());
}

}  // namespace manman::cli
