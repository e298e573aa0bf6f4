#include "base/failpoint.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace manman::cli {
namespace {

void add_version(Command& app, Context& context) {
  Command command = app.command("version", "Print the version", {"manman version"});
  command.on_run(context, [&context]() -> Result<int> {
    TRY(print(context.globals.json() ? "{\"version\":\"" MANMAN_VERSION "\"}\n"
                                     : "manman " MANMAN_VERSION "\n"));
    return kOk;
  });
}

void add_failpoints(Command& app, Context& context) {
  Command command = app.hidden_command(
      "failpoints", "List the points where MANMAN_FAILPOINTS can act (for tests)",
      {"MANMAN_FAILPOINTS=backup.archived=crash manman serve"});
  command.on_run(context, []() -> Result<int> {
    std::string names;
    for (const std::string_view name : failpoint::kNames) names += std::string(name) + "\n";
    TRY(print(names));
    return kOk;
  });
}

void add_game_wrapper(Command& app, Context& context, const Programs& programs) {
  Command command =
      app.hidden_command("game-wrapper", "Stand between manman and a game (manman calls this)",
                         {"manman game-wrapper DATA_DIR/gsc-local-1/session-1"});
  auto dir = std::make_shared<std::string>();
  command.add("dir", *dir, "The session's folder").required();
  command.on_run(context,
                 [dir, &programs]() -> Result<int> { return programs.game_wrapper(*dir); });
}

void add_resume_guard(Command& app, Context& context, const Programs& programs) {
  Command command = app.hidden_command(
      "resume-guard", "Resume a game whose host manager has ended (manman calls this)",
      {"manman resume-guard --data-dir DIR --docker-socket /var/run/docker.sock"});
  auto options = std::make_shared<ServiceOptions>();
  command.add("--data-dir", options->data_dir, "The host's").required();
  command.add("--docker-socket", options->docker_socket, "The host's");
  command.on_run(context,
                 [options, &programs]() -> Result<int> { return programs.resume_guard(*options); });
}

}  // namespace

void add_internal(Command& app, Context& context, const Programs& programs) {
  add_version(app, context);
  add_failpoints(app, context);
  add_game_wrapper(app, context, programs);
  add_resume_guard(app, context, programs);
}

}  // namespace manman::cli
