#include "cli/app.h"

#include <string_view>

#include "cli/interrupt.h"
#include "cli/output.h"

namespace manman::cli {
namespace {

constexpr const char* kFooter =
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 refused in the present state,\n"
    "5 the service does not answer, 6 done in part (archive extract --salvage), 7 examined, and\n"
    "there are problems, 128+N ended by signal N.\n\n"
    "Examples:\n"
    "  manman serve --state /var/lib/manman\n"
    "  manman backup create --sgc 1 -m 'before the update' --wait\n"
    "  manman session start 1 --restore-from 5 --wait\n"
    "  manman archive list world.tar.gz";

constexpr int kOutputClosed = 128 + 13;  // as if SIGPIPE had ended the process

void add_globals(Command app, Globals& globals) {
  app.add("--api", globals.api, "Where the service listens")
      .variable("API_ADDRESS")
      .value("HOST:PORT");
  app.add("--api-ca", globals.api_tls.ca, "The service speaks TLS, certified by this CA (PEM)")
      .variable("API_TLS_CA")
      .value("FILE");
  app.add("--api-cert", globals.api_tls.certificate, "Certificate of this client (PEM)")
      .variable("API_TLS_CERT")
      .value("FILE");
  app.add("--api-key", globals.api_tls.key, "Its key (PEM)").variable("API_TLS_KEY").value("FILE");
  app.add("-o,--output", globals.output, "Form of the output").one_of({"text", "json"});
  app.add("--timeout", globals.timeout_seconds, "How long the service may take for one answer")
      .range(1, 3600)
      .value("SECONDS");
  app.add_flag("-q,--quiet", globals.quiet, "Print ids only, and no progress");
}

// Whether the command line asks for JSON, for errors found before it has been understood.
bool wants_json(int argc, char** argv) {
  for (int i = 1; i < argc; i++) {
    const std::string_view word = argv[i];
    if (word == "--") return false;
    if (word == "-ojson" || word == "-o=json" || word == "--output=json") return true;
    if ((word == "-o" || word == "--output") && i + 1 < argc &&
        std::string_view(argv[i + 1]) == "json")
      return true;
  }
  return false;
}

// What the parser threw: help on standard output, or a usage error.
int parse_outcome(const CLI::App& app, const CLI::ParseError& error, Globals globals) {
  if (error.get_exit_code() == 0) {
    const bool help = dynamic_cast<const CLI::CallForVersion*>(&error) == nullptr;
    const CLI::App* named = &app;
    for (auto chosen = named->get_subcommands(); !chosen.empty(); chosen = named->get_subcommands())
      named = chosen.front();
    const auto printed = print(help ? named->help() : std::string(error.what()) + "\n");
    return printed ? kOk : kFailed;
  }
  const CLI::App* named = &app;
  std::string command = "manman";
  for (auto chosen = named->get_subcommands(); !chosen.empty(); chosen = named->get_subcommands()) {
    named = chosen.front();
    command += " " + named->get_name();
  }
  print_error(globals, Error{Code::kInvalidArgument, error.what(), false,
                             "'" + command + " --help' shows how it is used"});
  return kUsage;
}

int run_action(Context& context) {
  const Result<int> result = context.action();
  if (result) return *result;
  if (output_closed()) return kOutputClosed;
  print_error(context.globals, result.error());
  if (interrupted()) return interrupt_exit_code();
  return exit_code(result.error().code);
}

}  // namespace

std::unique_ptr<CLI::App> make_app(Context& context, const Programs& programs) {
  auto app = std::make_unique<CLI::App>("Backup and restore for game servers", "manman");
  app->option_defaults()->always_capture_default();
  app->fallthrough();
  app->require_subcommand(1);
  app->set_version_flag("--version", MANMAN_VERSION);
  app->footer(kFooter);
  Command root(app.get());
  add_globals(root, context.globals);
  add_serve(root, context, programs);
  add_api(root, context, programs);
  add_host(root, context, programs);
  add_migrate(root, context, programs);
  add_backup(root, context);
  add_session(root, context);
  add_server(root, context);
  add_game(root, context);
  add_config(root, context);
  add_profile(root, context);
  add_deploy(root, "deploy", context);
  add_sgc(root, context);
  add_policy(root, context);
  add_events(root, context);
  add_webhook(root, context);
  add_archive(root, context);
  add_audit(root, context);
  add_examine(root, context, programs);
  add_internal(root, context, programs);
  return app;
}

int run(int argc, char** argv, const Programs& programs) {
  survive_closed_pipes();
  Context context;
  const auto app = make_app(context, programs);
  if (wants_json(argc, argv)) context.globals.output = "json";
  const Globals asked = context.globals;
  try {
    app->parse(argc, argv);
    return run_action(context);
  } catch (const CLI::ParseError& error) {
    return parse_outcome(*app, error, asked);
  } catch (const std::exception& error) {
    print_error(asked, Error{Code::kInternal, std::string("unexpected: ") + error.what()});
    return kFailed;
  }
}

}  // namespace manman::cli
