#pragma once

#include <functional>
#include <string>
#include <vector>

namespace google::protobuf {
class Message;
}

// Messages of the service as text, driven by their descriptors, so that a new field of the
// protocol needs no line here.
namespace manman::cli {

using Message = google::protobuf::Message;

// A JSON object of all fields, also those not set, by their names in the .proto; 64-bit integers
// as numbers. A message or an optional field that is not set is null. Over several lines with an
// indent from 0.
std::string json_text(const Message& message, int indent = -1);

// A column of a table.
struct Column {
  std::string title;
  std::string field;
  std::function<std::string(const Message&)> cell = nullptr;  // instead of the field's own form
};

// A field for a person: times in RFC 3339, sizes in binary units; "-" when not set.
std::string field_text(const Message& message, const std::string& field);

// "field: value" lines of the fields that are set; those of a message within it are indented.
std::string details(const Message& message, const std::string& indent = "");

// Padded columns, below a line of titles when asked for; rows must have as many cells as titles.
std::string table(const std::vector<std::string>& titles,
                  const std::vector<std::vector<std::string>>& rows, bool with_titles = true);

}  // namespace manman::cli
