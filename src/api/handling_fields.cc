#include "api/handling_fields.h"

#include <google/protobuf/util/json_util.h>

#include <nlohmann/json.hpp>

#include "api/fields.h"
#include "domain/handling_check.h"
#include "domain/handling_json.h"
#include "domain/handling_layers.h"

namespace manman::api {
namespace {

namespace protobuf = google::protobuf;
using nlohmann::json;

// It travels inside every command to a host, and many commands may wait in the outbox.
constexpr size_t kMaxLayerBytes = 32 * 1024;

// A layer says "nothing at all" by empty lists, which a message can't tell from lists not set.
void from_json(json object, v1::Handling* message) {
  const bool none = object.contains("quiesce") && object["quiesce"].empty() &&
                    (!object.contains("resume") || object["resume"].empty());
  protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  (void)protobuf::util::JsonStringToMessage(object.dump(), message, options);
  message->set_no_quiesce(none);
}

bool is_said(const v1::Handling& handling, const protobuf::FieldDescriptor* field) {
  const auto* reflection = handling.GetReflection();
  return field->is_repeated() ? reflection->FieldSize(handling, field) > 0
                              : reflection->HasField(handling, field);
}

void clear_quiesce(v1::Handling& handling) {
  handling.clear_quiesce();
  handling.clear_resume();
  handling.clear_no_quiesce();
}

Result<void> clear_field(const std::string& name, v1::Handling& said) {
  if (name == "profile") return {};  // of the SGC itself
  const auto* field = v1::Handling::descriptor()->FindFieldByName(name);
  if (name == "all") {
    said.Clear();
  } else if (name == "quiesce" || name == "resume" || name == "no_quiesce") {
    clear_quiesce(said);
  } else if (field != nullptr) {
    said.GetReflection()->ClearField(&said, field);
  } else {
    return bad_field("clear", "\"" + name + "\" is no field that can be cleared");
  }
  return {};
}

}  // namespace

Result<std::string> layer_from(const v1::Handling& said) {
  v1::Handling fields = said;
  fields.clear_no_quiesce();
  if (said.no_quiesce() && (said.quiesce_size() > 0 || said.resume_size() > 0))
    return bad_field("no_quiesce", "is said, and quiesce or resume too");
  std::string text;
  protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  const auto printed = protobuf::util::MessageToJsonString(fields, &text, options);
  if (!printed.ok()) return bad_field("handling", std::string(printed.message()));
  if (said.no_quiesce()) {
    json object = json::parse(text);
    object["quiesce"] = object["resume"] = json::array();
    text = object.dump();
  }
  if (text.size() > kMaxLayerBytes)
    return bad_field("handling", "must be at most 32 KiB in all its fields together");
  return text == "{}" ? "" : text;
}

void layer_to_proto(const std::string& layer, v1::Handling* message) {
  json object = json::parse(layer, nullptr, /*allow_exceptions=*/false);
  if (object.is_object()) from_json(std::move(object), message);
}

void to_proto(const Handling& handling, v1::Handling* message) {
  nlohmann::ordered_json object;
  add_handling(handling, object);
  from_json(json(object), message);
}

Result<void> change_handling(const protobuf::RepeatedPtrField<std::string>& clear,
                             const v1::Handling& news, v1::Handling& said) {
  for (const std::string& name : clear) TRY(clear_field(name, said));
  if (news.quiesce_size() > 0 || news.resume_size() > 0 || news.no_quiesce()) clear_quiesce(said);
  const auto* descriptor = v1::Handling::descriptor();
  for (int i = 0; i < descriptor->field_count(); i++)
    if (const auto* field = descriptor->field(i); field->is_repeated() && is_said(news, field))
      said.GetReflection()->ClearField(&said, field);
  said.MergeFrom(news);
  return {};
}

Result<Handling> effective_handling(const Profiles& profiles, const GameConfig& config,
                                    const ServerGameConfig& sgc, const std::string& of_policy) {
  const std::string& name = sgc.profile.empty() ? config.profile : sgc.profile;
  const Profile* profile = TRY(profiles.find(name));
  Handling handling =
      TRY(merged_handling({profile->layer, config.handling, sgc.handling, of_policy}));
  TRY(complete_and_check(handling));
  return handling;
}

}  // namespace manman::api
