#include "cli/json_text.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace manman::cli {
namespace {

std::string list_text(const Globals& globals, const v1::ListProfilesResponse& response) {
  std::string text;
  if (globals.json()) {
    for (const v1::Profile& profile : response.profiles())
      text += (text.empty() ? "\n" : ",\n") + json_text(profile);
    return "{\"items\":[" + text + "]}\n";
  }
  if (globals.quiet) {
    for (const v1::Profile& profile : response.profiles()) text += profile.name() + "\n";
    return text;
  }
  std::vector<std::vector<std::string>> rows;
  for (const v1::Profile& profile : response.profiles())
    rows.push_back({field_text(profile, "name"), field_text(profile, "title"),
                    profile.handling().quiesce_size() > 0 ? "yes" : "no",
                    field_text(profile, "source")});
  return table({"PROFILE", "TITLE", "QUIESCE", "SOURCE"}, rows);
}

void add_list(Command& group, Context& context) {
  Command command =
      group.command("list", "List the games that the service knows of", {"manman profile list"});
  command.on_run(context, [&context]() -> Result<int> {
    const auto response = TRY(TRY(context.client())->call(v1::ListProfilesRequest()));
    TRY(print(list_text(context.globals, response)));
    return kOk;
  });
}

void add_show(Command& group, Context& context) {
  Command command =
      group.command("show", "Show a profile as it is written, and where it comes from",
                    {"manman profile show minecraft-java", "manman profile show luanti -o json"});
  auto name = std::make_shared<std::string>();
  command.add("profile", *name, "Its name").required();
  command.on_run(context, [&context, name]() -> Result<int> {
    v1::GetProfileRequest request;
    request.set_name(*name);
    const auto response = TRY(TRY(context.client())->call(request));
    const v1::Profile& profile = response.profile();
    if (context.globals.json() || context.globals.quiet) {
      TRY(print_item(context.globals, profile, "name"));
    } else {
      TRY(print("// " + field_text(profile, "source") + "\n" + profile.text()));
    }
    return kOk;
  });
}

}  // namespace

void add_profile(Command& app, Context& context) {
  Command group = app.group("profile", "Game profiles: what is known of games");
  add_list(group, context);
  add_show(group, context);
}

}  // namespace manman::cli
