#include "domain/handling_json.h"

namespace manman {
namespace {

constexpr int kMaxPort = 65535;
constexpr int kDaySeconds = 24 * 60 * 60;  // no game takes longer to stop or to flush
constexpr int kMinuteMs = 60'000;

Result<std::vector<QuiesceStep>> quiesce_from(const Fields& object) {
  std::vector<QuiesceStep> steps;
  for (const Fields& fields : TRY(object.objects("quiesce"))) {
    QuiesceStep step;
    step.input = TRY(fields.text_or_empty("input"));
    step.confirm_regex = TRY(fields.text_or_empty("confirm_regex"));
    step.timeout_seconds =
        TRY(fields.integer("timeout_seconds", 0, kDaySeconds, step.timeout_seconds));
    step.repeat_ms = TRY(fields.integer("repeat_ms", 0, kMinuteMs, 0));
    step.lists_files = TRY(fields.boolean("lists_files"));
    steps.push_back(std::move(step));
  }
  return steps;
}

Result<RconSettings> rcon_from(const Fields& object) {
  RconSettings rcon;
  const auto fields = TRY(object.object("rcon"));
  if (!fields) return rcon;
  rcon.port = TRY(fields->integer("port", 0, kMaxPort, 0));
  rcon.secret = TRY(fields->text_or_empty("secret"));
  return rcon;
}

Result<std::vector<ExamineRule>> examine_from(const Fields& object) {
  std::vector<ExamineRule> rules;
  for (const Fields& fields : TRY(object.objects("examine"))) {
    const auto as = examine_as_from(TRY(fields.text_or_empty("as")));
    if (!as) return std::unexpected(fields.wrong("as", "must be sqlite, region, nbt or nothing"));
    ExamineRule rule;
    rule.pattern = TRY(fields.text_or_empty("pattern"));
    rule.as = *as;
    rules.push_back(std::move(rule));
  }
  return rules;
}

Result<Unconfirmed> unconfirmed_from(const Fields& object) {
  const std::string text = TRY(object.text_or_empty("unconfirmed"));
  if (text.empty() || text == "fail") return Unconfirmed::kFail;
  if (text == "go-on") return Unconfirmed::kGoOn;
  return std::unexpected(object.wrong("unconfirmed", "must be fail or go-on"));
}

}  // namespace

std::string_view to_text(Unconfirmed unconfirmed) {
  return unconfirmed == Unconfirmed::kFail ? "fail" : "go-on";
}

Result<Handling> handling_from(const Fields& object) {
  Handling handling;
  handling.stop_command = TRY(object.text_or_empty("stop_command"));
  handling.stop_grace_seconds =
      TRY(object.integer("stop_grace_seconds", 0, kDaySeconds, handling.stop_grace_seconds));
  handling.rcon = TRY(rcon_from(object));
  handling.quiesce = TRY(quiesce_from(object));
  handling.resume = TRY(object.texts("resume"));
  handling.files_root = TRY(object.text_or_empty("files_root"));
  handling.max_pause_seconds = TRY(object.integer("max_pause_seconds", 0, kDaySeconds, 0));
  handling.unconfirmed = TRY(unconfirmed_from(object));
  handling.leave_out = TRY(object.texts("leave_out"));
  handling.examine = TRY(examine_from(object));
  handling.ready = TRY(object.text_or_empty("ready"));
  handling.ready_timeout_seconds =
      TRY(object.integer("ready_timeout_seconds", 0, kDaySeconds, handling.ready_timeout_seconds));
  return handling;
}

void add_handling(const Handling& handling, nlohmann::ordered_json& object) {
  auto quiesce = nlohmann::ordered_json::array();
  for (const QuiesceStep& step : handling.quiesce) {
    quiesce.push_back({{"input", step.input},
                       {"confirm_regex", step.confirm_regex},
                       {"timeout_seconds", step.timeout_seconds},
                       {"repeat_ms", step.repeat_ms},
                       {"lists_files", step.lists_files}});
  }
  object["stop_command"] = handling.stop_command;
  object["stop_grace_seconds"] = handling.stop_grace_seconds;
  object["rcon"] = {{"port", handling.rcon.port}, {"secret", handling.rcon.secret}};
  object["quiesce"] = std::move(quiesce);
  object["resume"] = handling.resume;
  object["files_root"] = handling.files_root;
  object["max_pause_seconds"] = handling.max_pause_seconds;
  object["unconfirmed"] = to_text(handling.unconfirmed);
  object["leave_out"] = handling.leave_out;
  auto examine = nlohmann::ordered_json::array();
  for (const ExamineRule& rule : handling.examine)
    examine.push_back({{"pattern", rule.pattern}, {"as", to_text(rule.as)}});
  object["examine"] = std::move(examine);
  object["ready"] = handling.ready;
  object["ready_timeout_seconds"] = handling.ready_timeout_seconds;
}

}  // namespace manman
