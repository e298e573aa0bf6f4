#include "domain/handling_layers.h"

#include "domain/handling_json.h"
#include "domain/json_fields.h"

namespace manman {
namespace {

using nlohmann::json;

void lay(json over, json& under) {
  if (over.contains("quiesce") || over.contains("resume")) {
    under.erase("quiesce");
    under.erase("resume");
  }
  for (auto& [name, value] : over.items()) {
    json& below = under[name];
    if ((name == "leave_out" || name == "examine") && value.is_array() && below.is_array()) {
      below.insert(below.end(), value.begin(), value.end());
    } else if (value.is_object() && below.is_object()) {
      below.update(value);
    } else {
      below = std::move(value);
    }
  }
}

}  // namespace

Result<Handling> merged_handling(std::initializer_list<std::string_view> layers) {
  json merged = json::object();
  for (const std::string_view layer : layers) {
    if (!layer.empty()) lay(TRY(parse_object(layer)), merged);
  }
  return handling_from(Fields(merged));
}

}  // namespace manman
