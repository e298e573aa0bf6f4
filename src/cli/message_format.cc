#include "cli/message_format.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/time.h"
#include "cli/text.h"

namespace manman::cli {
namespace {

using Field = google::protobuf::FieldDescriptor;
using Json = nlohmann::ordered_json;

Json field_json(const Message& message, const Field* field);

Json to_json(const Message& message) {
  Json object = Json::object();
  const auto* descriptor = message.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); i++)
    object[descriptor->field(i)->name()] = field_json(message, descriptor->field(i));
  return object;
}

// One value: a single field, or element `index` of a repeated one.
Json value_json(const Message& message, const Field* field, int index) {
  const auto* reflection = message.GetReflection();
  const bool one = field->is_repeated();
  if (!one && field->has_presence() && !reflection->HasField(message, field)) return nullptr;
#define MANMAN_VALUE(Type)                                    \
  (one ? reflection->GetRepeated##Type(message, field, index) \
       : reflection->Get##Type(message, field))
  switch (field->cpp_type()) {
    case Field::CPPTYPE_INT32:
      return MANMAN_VALUE(Int32);
    case Field::CPPTYPE_INT64:
      return MANMAN_VALUE(Int64);
    case Field::CPPTYPE_UINT32:
      return MANMAN_VALUE(UInt32);
    case Field::CPPTYPE_UINT64:
      return MANMAN_VALUE(UInt64);
    case Field::CPPTYPE_DOUBLE:
      return MANMAN_VALUE(Double);
    case Field::CPPTYPE_FLOAT:
      return MANMAN_VALUE(Float);
    case Field::CPPTYPE_BOOL:
      return MANMAN_VALUE(Bool);
    case Field::CPPTYPE_ENUM:
      return MANMAN_VALUE(Enum)->name();
    case Field::CPPTYPE_STRING: {
      std::string text = MANMAN_VALUE(String);
      return field->type() == Field::TYPE_BYTES ? base64(text) : text;
    }
    case Field::CPPTYPE_MESSAGE:
      return to_json(one ? reflection->GetRepeatedMessage(message, field, index)
                         : reflection->GetMessage(message, field));
  }
#undef MANMAN_VALUE
  return nullptr;
}

// Sorted by key: a map has no order of its own, and scripts compare texts.
Json map_json(const Message& message, const Field* field) {
  std::map<std::string, Json> sorted;
  const int count = message.GetReflection()->FieldSize(message, field);
  for (int i = 0; i < count; i++) {
    const Message& entry = message.GetReflection()->GetRepeatedMessage(message, field, i);
    const Json key = value_json(entry, field->message_type()->map_key(), 0);
    sorted[key.is_string() ? key.get<std::string>() : key.dump()] =
        value_json(entry, field->message_type()->map_value(), 0);
  }
  Json object = Json::object();
  for (auto& [key, value] : sorted) object[key] = std::move(value);
  return object;
}

Json field_json(const Message& message, const Field* field) {
  if (field->is_map()) return map_json(message, field);
  if (!field->is_repeated()) return value_json(message, field, 0);
  Json list = Json::array();
  const int count = message.GetReflection()->FieldSize(message, field);
  for (int i = 0; i < count; i++) list.push_back(value_json(message, field, i));
  return list;
}

std::string number_text(const std::string& name, int64_t value) {
  if (name.ends_with("_at") || name.ends_with("_as_of") || name == "last_seen")
    return format_utc(value);
  if (name.ends_with("_bytes") && value > 0) return format_bytes(static_cast<uint64_t>(value));
  if (name.ends_with("_id") && value == 0) return "-";
  if (name.ends_with("_ms")) return std::to_string(value) + " ms";
  return std::to_string(value);
}

std::string plain_text(const std::string& name, const Json& value) {
  if (value.is_string()) return value.empty() ? "-" : escape(value.get<std::string>());
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_number_integer()) return number_text(name, value.get<int64_t>());
  return escape(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

bool is_set(const Message& message, const Field* field) {
  const auto* reflection = message.GetReflection();
  return field->is_repeated() ? reflection->FieldSize(message, field) > 0
                              : reflection->HasField(message, field);
}

// Columns on a terminal, not bytes: good for all but wide and combining characters.
size_t width(const std::string& text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

std::string json_text(const Message& message, int indent) {
  return to_json(message).dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string field_text(const Message& message, const std::string& name) {
  const Field* field = message.GetDescriptor()->FindFieldByName(name);
  if (field == nullptr || (!is_set(message, field) && field->cpp_type() != Field::CPPTYPE_BOOL))
    return "-";
  return plain_text(name, field_json(message, field));
}

std::string details(const Message& message, const std::string& indent) {
  std::string out;
  const auto* descriptor = message.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); i++) {
    const Field* field = descriptor->field(i);
    if (!is_set(message, field)) continue;
    if (field->cpp_type() == Field::CPPTYPE_MESSAGE && !field->is_repeated()) {
      const std::string inner =
          details(message.GetReflection()->GetMessage(message, field), indent + "  ");
      if (!inner.empty()) out += indent + field->name() + ":\n" + inner;
      continue;
    }
    out += indent + field->name() + ": " + plain_text(field->name(), field_json(message, field)) +
           "\n";
  }
  return out;
}

std::string table(const std::vector<std::string>& titles,
                  const std::vector<std::vector<std::string>>& rows, bool with_titles) {
  std::vector<size_t> widths;
  for (size_t column = 0; column < titles.size(); column++) {
    widths.push_back(width(titles[column]));
    for (const auto& row : rows) widths[column] = std::max(widths[column], width(row[column]));
  }
  std::string out;
  const auto add = [&](const std::vector<std::string>& row) {
    for (size_t column = 0; column < row.size(); column++) {
      out += row[column];
      if (column + 1 == row.size()) break;
      out.append(widths[column] - width(row[column]) + 2, ' ');
    }
    out += '\n';
  };
  if (with_titles) add(titles);
  for (const auto& row : rows) add(row);
  return out;
}

}  // namespace manman::cli
