#include "domain/profile.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <span>

#include "domain/field_checks.h"
#include "domain/handling_check.h"
#include "domain/handling_json.h"
#include "domain/handling_layers.h"
#include "domain/json_fields.h"

namespace manman {
namespace {

using nlohmann::json;
using Names = std::span<const std::string_view>;

constexpr size_t kMaxNameBytes = 64;
constexpr std::string_view kFields[] = {
    "name",        "title",     "kinds",   "stop_command", "stop_grace_seconds",
    "rcon",        "quiesce",   "resume",  "files_root",   "max_pause_seconds",
    "unconfirmed", "leave_out", "examine", "ready",        "ready_timeout_seconds"};
constexpr std::string_view kStepFields[] = {"input", "confirm_regex", "timeout_seconds",
                                            "repeat_ms", "lists_files"};
constexpr std::string_view kRconFields[] = {"port", "secret"};
constexpr std::string_view kExamineFields[] = {"pattern", "as"};
// "own" is a form of the game's own, rewritten as a whole.
constexpr std::string_view kKinds[] = {"sqlite", "leveldb", "region", "nbt",
                                       "zip",    "json",    "text",   "own"};

bool has(Names names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

std::string listed(Names names) {
  std::string text;
  for (const std::string_view name : names) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

// The parser of the library keeps the last of fields with one name, and says nothing.
class RepeatedFields {
 public:
  bool operator()(int, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::object_start) open_.emplace_back();
    if (event == json::parse_event_t::object_end) open_.pop_back();
    if (event == json::parse_event_t::key && !open_.back().insert(value.get<std::string>()).second)
      repeated_ = value.get<std::string>();
    return true;
  }
  const std::string& first() const { return repeated_; }

 private:
  std::vector<std::set<std::string>> open_;
  std::string repeated_;
};

Result<json> parse_commented(const std::string& text) {
  RepeatedFields repeated;
  try {
    json object = json::parse(text, std::ref(repeated), true, /*ignore_comments=*/true);
    if (!object.is_object()) return fail(Code::kInvalidArgument, "must be a JSON object");
    if (!repeated.first().empty())
      return fail(Code::kInvalidArgument, "field " + repeated.first() + " stands there twice");
    return object;
  } catch (const json::exception& error) {
    return fail(Code::kInvalidArgument, error.what());
  }
}

Result<void> check_known(const json& object, Names names, const std::string& prefix) {
  for (const auto& [name, value] : object.items())
    if (!has(names, name))
      return bad_field(prefix + name, "is no field; there are " + listed(names));
  return {};
}

Result<void> check_all_known(const json& object) {
  TRY(check_known(object, kFields, ""));
  if (object.contains("rcon")) TRY(check_known(object["rcon"], kRconFields, "rcon."));
  for (const auto& [list, names] :
       {std::pair{"quiesce", Names(kStepFields)}, {"examine", Names(kExamineFields)}}) {
    if (!object.contains(list)) continue;
    for (size_t i = 0; i < object[list].size(); i++)
      TRY(check_known(object[list][i], names, std::string(list) + "[" + std::to_string(i) + "]."));
  }
  return {};
}

Result<void> check_profile_name(const std::string& name, const std::filesystem::path& file) {
  if (name.size() > kMaxNameBytes ||
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos)
    return bad_field("name", "must be 1 to 64 of a-z, 0-9 and '-'");
  if (file.filename() != name + ".json")
    return bad_field("name", "is " + name + ", so the file must be " + name + ".json");
  return {};
}

Result<std::vector<std::string>> kinds_from(const Fields& fields) {
  auto kinds = TRY(fields.texts("kinds"));
  for (const std::string& kind : kinds)
    if (!has(kKinds, kind))
      return bad_field("kinds", "\"" + kind + "\" is none of " + listed(kKinds));
  return kinds;
}

Result<Profile> profile_from(const std::filesystem::path& file, const std::string& text) {
  json object = TRY(parse_commented(text));
  const Fields fields(object);
  Profile profile;
  profile.handling = TRY(handling_from(fields));  // the types, before anything else
  TRY(check_all_known(object));
  profile.name = TRY(fields.text("name"));
  TRY(check_profile_name(profile.name, file));
  profile.title = TRY(fields.text("title"));
  TRY(check_name("title", profile.title));
  profile.kinds = TRY(kinds_from(fields));
  if (object.contains("quiesce") != object.contains("resume"))
    return bad_field(object.contains("quiesce") ? "resume" : "quiesce",
                     "is needed: quiesce and resume are said together; [] when there is nothing");
  TRY(complete_and_check(profile.handling));
  for (const char* name : {"name", "title", "kinds"}) object.erase(name);
  profile.layer = object.dump();
  return profile;
}

}  // namespace

Result<Profile> Profile::parse(const std::filesystem::path& file, std::string text) {
  Profile profile = TRY(in(file.string(), profile_from(file, text)));
  profile.text = std::move(text);
  profile.source = file.string();
  return profile;
}

void Profiles::add(Profile profile) {
  std::string name = profile.name;
  by_name_.insert_or_assign(std::move(name), std::move(profile));
}

Result<const Profile*> Profiles::find(std::string_view name) const {
  const auto found = by_name_.find(name.empty() ? kGeneric : name);
  if (found != by_name_.end()) return &found->second;
  std::string known;
  for (const auto& [other, profile] : by_name_) known += (known.empty() ? "" : ", ") + other;
  return bad_field("profile", "\"" + std::string(name) + "\" is not known; there are " + known);
}

}  // namespace manman
