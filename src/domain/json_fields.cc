#include "domain/json_fields.h"

#include <limits>

namespace manman {
namespace {

using nlohmann::json;

// Our messages need four levels. The parser keeps its own stack, but whoever walks or writes the
// value later recurses.
constexpr int kMaxDepth = 16;

std::string element(std::string_view name, size_t index) {
  return std::string(name) + "[" + std::to_string(index) + "]";
}

}  // namespace

Result<json> parse_object(std::string_view text) {
  bool too_deep = false;
  const auto limit_depth = [&](int depth, json::parse_event_t, json&) {
    too_deep = too_deep || depth > kMaxDepth;
    return !too_deep;
  };
  json body = json::parse(text, limit_depth, /*allow_exceptions=*/false);
  if (too_deep) return fail(Code::kInvalidArgument, "the body is nested too deeply");
  if (body.is_discarded()) return fail(Code::kInvalidArgument, "the body is not JSON");
  if (!body.is_object()) return fail(Code::kInvalidArgument, "the body is not a JSON object");
  return body;
}

std::string dump(const nlohmann::ordered_json& body) {
  return body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string without_nul(std::string text) {
  for (size_t at = 0; (at = text.find('\0', at)) != std::string::npos;) {
    text.replace(at, 1, "\xef\xbf\xbd");
  }
  return text;
}

Error Fields::wrong(std::string_view name, std::string_view why) const {
  return Error{Code::kInvalidArgument,
               "field " + without_nul(prefix_ + std::string(name)) + " " + std::string(why)};
}

const json* Fields::find(std::string_view name) const {
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

Result<int64_t> Fields::whole_number(std::string_view name, const json& value) const {
  if (!value.is_number_integer()) return std::unexpected(wrong(name, "must be a whole number"));
  constexpr auto kMax = std::numeric_limits<int64_t>::max();
  if (value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(kMax)) {
    return std::unexpected(wrong(name, "is out of range"));
  }
  return value.get<int64_t>();
}

Result<std::string> Fields::clean_text(std::string_view name, const json& value) const {
  if (!value.is_string()) return std::unexpected(wrong(name, "must be a string"));
  const auto& text = value.get_ref<const std::string&>();
  if (text.find('\0') != std::string::npos) {
    return std::unexpected(wrong(name, "must not hold a NUL character"));
  }
  return text;
}

Result<int64_t> Fields::id(std::string_view name) const {
  const json* value = find(name);
  if (value == nullptr) return std::unexpected(wrong(name, "is missing"));
  const int64_t number = TRY(whole_number(name, *value));
  if (number <= 0) return std::unexpected(wrong(name, "must be above 0"));
  return number;
}

Result<int64_t> Fields::count(std::string_view name) const {
  const json* value = find(name);
  if (value == nullptr) return 0;
  const int64_t number = TRY(whole_number(name, *value));
  if (number < 0) return std::unexpected(wrong(name, "must not be negative"));
  return number;
}

Result<int> Fields::integer(std::string_view name, int low, int high, int fallback) const {
  const json* value = find(name);
  if (value == nullptr) return fallback;
  const int64_t number = TRY(whole_number(name, *value));
  if (number < low || number > high) {
    return std::unexpected(
        wrong(name, "must be from " + std::to_string(low) + " to " + std::to_string(high)));
  }
  return static_cast<int>(number);
}

Result<bool> Fields::boolean(std::string_view name) const {
  const json* value = find(name);
  if (value == nullptr) return false;
  if (!value->is_boolean()) return std::unexpected(wrong(name, "must be true or false"));
  return value->get<bool>();
}

Result<std::string> Fields::text(std::string_view name) const {
  const json* value = find(name);
  if (value == nullptr) return std::unexpected(wrong(name, "is missing"));
  std::string text = TRY(clean_text(name, *value));
  if (text.empty()) return std::unexpected(wrong(name, "must not be empty"));
  return text;
}

Result<std::string> Fields::text_or_empty(std::string_view name) const {
  const json* value = find(name);
  if (value == nullptr) return std::string();
  return clean_text(name, *value);
}

Result<std::string> Fields::free_text(std::string_view name) const {
  const json* value = find(name);
  if (value == nullptr) return std::string();
  if (!value->is_string()) return std::unexpected(wrong(name, "must be a string"));
  return without_nul(value->get<std::string>());
}

Result<const json*> Fields::array(std::string_view name) const {
  static const json kNone = json::array();
  const json* value = find(name);
  if (value == nullptr) return &kNone;
  if (!value->is_array()) return std::unexpected(wrong(name, "must be a list"));
  return value;
}

Result<std::vector<std::string>> Fields::free_texts(std::string_view name) const {
  std::vector<std::string> texts;
  for (const json& value : *TRY(array(name))) {
    if (!value.is_string()) {
      return std::unexpected(wrong(element(name, texts.size()), "must be a string"));
    }
    texts.push_back(without_nul(value.get<std::string>()));
  }
  return texts;
}

Result<std::vector<std::string>> Fields::texts(std::string_view name) const {
  std::vector<std::string> texts;
  for (const json& value : *TRY(array(name))) {
    texts.push_back(TRY(clean_text(element(name, texts.size()), value)));
  }
  return texts;
}

Result<std::map<std::string, std::string>> Fields::text_map(std::string_view name) const {
  std::map<std::string, std::string> map;
  const json* value = find(name);
  if (value == nullptr) return map;
  if (!value->is_object()) return std::unexpected(wrong(name, "must be an object"));
  for (const auto& [key, text] : value->items()) {
    const std::string path = std::string(name) + "." + key;
    if (key.find('\0') != std::string::npos) {
      return std::unexpected(wrong(path, "must not hold a NUL character"));
    }
    map[key] = TRY(clean_text(path, text));
  }
  return map;
}

Result<std::vector<Fields>> Fields::objects(std::string_view name) const {
  std::vector<Fields> objects;
  for (const json& value : *TRY(array(name))) {
    const std::string path = element(name, objects.size());
    if (!value.is_object()) return std::unexpected(wrong(path, "must be an object"));
    objects.emplace_back(value, prefix_ + path + ".");
  }
  return objects;
}

Result<std::optional<Fields>> Fields::object(std::string_view name) const {
  const json* value = find(name);
  if (value == nullptr) return std::optional<Fields>();
  if (!value->is_object()) return std::unexpected(wrong(name, "must be an object"));
  return std::optional<Fields>(std::in_place, *value, prefix_ + std::string(name) + ".");
}

Result<Compression> compression_from(const Fields& fields) {
  const std::string format = TRY(fields.text_or_empty("format"));
  const std::string level = TRY(fields.text_or_empty("level"));
  auto compression = Compression::parse(format, level);
  if (!compression) return fail(compression.error().code, "field " + compression.error().message);
  return compression;
}

}  // namespace manman
