#include "domain/game_launch.h"

namespace manman {
namespace {

constexpr int kDaySeconds = 24 * 60 * 60;  // no game takes longer to stop or to flush

Result<std::vector<QuiesceStep>> quiesce_from(const Fields& launch) {
  std::vector<QuiesceStep> steps;
  for (const Fields& fields : TRY(launch.objects("quiesce"))) {
    QuiesceStep step;
    step.input = TRY(fields.text_or_empty("input"));
    step.confirm_regex = TRY(fields.text_or_empty("confirm_regex"));
    step.timeout_seconds =
        TRY(fields.integer("timeout_seconds", 0, kDaySeconds, step.timeout_seconds));
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace

nlohmann::ordered_json launch_to_json(const GameLaunch& launch) {
  auto quiesce = nlohmann::ordered_json::array();
  for (const QuiesceStep& step : launch.quiesce) {
    quiesce.push_back({{"input", step.input},
                       {"confirm_regex", step.confirm_regex},
                       {"timeout_seconds", step.timeout_seconds}});
  }
  nlohmann::ordered_json body;
  body["environment"] = launch.environment;
  body["image"] = launch.image;
  body["argv"] = launch.argv;
  body["env"] = launch.env;
  body["stop_command"] = launch.stop_command;
  body["stop_grace_seconds"] = launch.stop_grace_seconds;
  body["quiesce"] = std::move(quiesce);
  body["resume"] = launch.resume;
  return body;
}

Result<GameLaunch> launch_from(const Fields& command) {
  GameLaunch launch;
  const auto fields = TRY(command.object("launch"));
  if (!fields) return launch;
  launch.environment = TRY(fields->text_or_empty("environment"));
  launch.image = TRY(fields->text_or_empty("image"));
  launch.argv = TRY(fields->texts("argv"));
  launch.env = TRY(fields->text_map("env"));
  launch.stop_command = TRY(fields->text_or_empty("stop_command"));
  launch.stop_grace_seconds =
      TRY(fields->integer("stop_grace_seconds", 0, kDaySeconds, launch.stop_grace_seconds));
  launch.quiesce = TRY(quiesce_from(*fields));
  launch.resume = TRY(fields->texts("resume"));
  return launch;
}

}  // namespace manman
