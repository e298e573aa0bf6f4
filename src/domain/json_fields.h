#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/compression.h"
#include "base/error.h"

// Reading and writing the JSON bodies of messages. Used by the domain's .cc files only.
namespace manman {

// The object that a body holds. Not JSON, ill-formed UTF-8, nested deeper than any message of ours,
// or something else than an object is kInvalidArgument.
Result<nlohmann::json> parse_object(std::string_view text);

// The text of a body. Never throws for its content: ill-formed UTF-8 is shown as U+FFFD.
std::string dump(const nlohmann::ordered_json& body);

// Text for a person, from a source that may hold any byte: a NUL, which a database's text can't
// hold, is shown as U+FFFD.
std::string without_nul(std::string text);

// Typed access to the fields of one JSON object. Every error is kInvalidArgument and names the
// field by its path ("launch.argv[2]"). A field that is null counts as absent. Refers to the
// json, which must outlive it.
class Fields {
 public:
  explicit Fields(const nlohmann::json& object, std::string prefix = {})
      : object_(object), prefix_(std::move(prefix)) {}

  // Required, above 0.
  Result<int64_t> id(std::string_view name) const;
  // 0 or above; absent: 0.
  Result<int64_t> count(std::string_view name) const;
  // Within [low, high]; absent: fallback.
  Result<int> integer(std::string_view name, int low, int high, int fallback) const;
  // Absent: false.
  Result<bool> boolean(std::string_view name) const;
  // Required, and not empty.
  Result<std::string> text(std::string_view name) const;
  // Absent: "".
  Result<std::string> text_or_empty(std::string_view name) const;
  // Text for a person: as text_or_empty, and any content is taken.
  Result<std::string> free_text(std::string_view name) const;
  Result<std::vector<std::string>> free_texts(std::string_view name) const;
  // Absent: none.
  Result<std::vector<std::string>> texts(std::string_view name) const;
  Result<std::map<std::string, std::string>> text_map(std::string_view name) const;
  Result<std::vector<Fields>> objects(std::string_view name) const;
  Result<std::optional<Fields>> object(std::string_view name) const;

  bool has(std::string_view name) const { return find(name) != nullptr; }
  // "field a.b must be …"
  Error wrong(std::string_view name, std::string_view why) const;

 private:
  const nlohmann::json* find(std::string_view name) const;
  Result<const nlohmann::json*> array(std::string_view name) const;
  Result<int64_t> whole_number(std::string_view name, const nlohmann::json& value) const;
  Result<std::string> clean_text(std::string_view name, const nlohmann::json& value) const;

  const nlohmann::json& object_;
  std::string prefix_;
};

// The fields "format" and "level" of a body; absent: the default.
Result<Compression> compression_from(const Fields& fields);

}  // namespace manman
