#include "base/time.h"
#include "cli/interrupt.h"
#include "cli/listing.h"
#include "cli/output.h"
#include "cli/text.h"
#include "cli/verbs.h"

namespace manman::cli {
namespace {

struct Options {
  ListOptions list;
  bool follow = false;
  int64_t sgc = 0;
  std::string kind;
};

std::string time_of(const Message& item) {
  return format_utc(static_cast<const v1::Event&>(item).at_ms() / 1000);
}

// "backup 3, SGC 1".
std::string subject_of(const Message& item) {
  const auto& event = static_cast<const v1::Event&>(item);
  std::string text;
  const auto add = [&](const char* name, int64_t id) {
    if (id != 0) text += (text.empty() ? "" : ", ") + std::string(name) + " " + std::to_string(id);
  };
  add("backup", event.backup_id());
  add("session", event.session_id());
  add("policy", event.policy_id());
  add("sgc", event.server_game_config_id());
  add("server", event.server_id());
  return text.empty() ? "-" : text;
}

Result<int> list(Context& context, const Options& options) {
  v1::ListEventsRequest request;
  request.set_server_game_config_id(options.sgc);
  request.set_kind(options.kind);
  const ListShape shape{"event_id",
                        {{"EVENT", "event_id"},
                         {"TIME", "at_ms", time_of},
                         {"KIND", "kind"},
                         {"WHO", "actor"},
                         {"ABOUT", "kind", subject_of},
                         {"MESSAGE", "message"}}};
  return list_items(context, request, options.list, shape);
}

Result<void> print_event(const Globals& globals, const v1::Event& event) {
  if (globals.quiet) return print(std::to_string(event.event_id()) + "\n");
  if (globals.json()) return print(json_text(event) + "\n");
  const std::string message = event.message().empty() ? "" : ": " + event.message();
  return print(escape(time_of(event) + "  " + event.kind() + "  " + subject_of(event) + "  (" +
                      event.actor() + ")" + message) +
               "\n");
}

// Ends with an error when the service goes away.
Result<int> follow(Context& context, const Options& options) {
  InterruptGuard guard;
  v1::FollowEventsRequest request;
  request.set_server_game_config_id(options.sgc);
  request.set_kind(options.kind);
  const auto take = [&](const v1::FollowEventsResponse& message) -> Result<void> {
    for (const v1::Event& event : message.events()) TRY(print_event(context.globals, event));
    return {};
  };
  TRY(TRY(context.client())->read(request, take, interrupted));
  return kOk;
}

}  // namespace

void add_events(Command& app, Context& context) {
  Command command =
      app.command("events", "What happened, and who did it, newest first; or as it happens",
                  {"manman events", "manman events --sgc 1 --kind backup.failed --limit 0",
                   "manman events --follow", "manman events --follow -o json | jq .message"});
  auto options = std::make_shared<Options>();
  add_list_options(command, options->list);
  command.add_flag("--follow", options->follow,
                   "Print those that come, until Ctrl-C; with -o json one object a line");
  command.add_id("--sgc", options->sgc, "Only those of this SGC");
  command.add("--kind", options->kind, "Only those of this kind, such as backup.failed")
      .value("KIND");
  command.on_run(context, [&context, options] {
    return options->follow ? follow(context, *options) : list(context, *options);
  });
}

}  // namespace manman::cli
