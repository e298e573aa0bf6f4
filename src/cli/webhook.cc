#include "cli/id_verbs.h"
#include "cli/listing.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace manman::cli {
namespace {

const Noun kNoun{"webhook", "webhook_id"};

struct Options {
  int64_t id = 0;
  std::string name, url, secret;
  std::vector<std::string> on;
  bool paused = false;
};

void add_kinds(Command& command, Options& options, const std::string& otherwise) {
  command
      .add("--on", options.on,
           "Tell it of events of this kind, such as backup.failed; repeatable. None: " + otherwise)
      .value("KIND");
}

void add_create(Command& group, Context& context) {
  Command command = group.command(
      "create", "Have an HTTP receiver told of events",
      {"manman webhook create ops --url https://ops.example.org/manman",
       "manman webhook create chat --url https://chat.example.org/hook --on backup.failed "
       "--on host.lost"});
  auto options = std::make_shared<Options>();
  command.add("name,--name", options->name, "Its name").required();
  command.add("--url", options->url, "Where requests (POST, JSON) are sent")
      .required()
      .value("URL");
  add_kinds(command, *options,
            "backup.completed, backup.failed, verification.failed, host.lost, policy.missed");
  command
      .add("--secret", options->secret,
           "The key of its signatures (whsec_ and base64); none: one is made, and shown this once")
      .variable("MANMAN_WEBHOOK_SECRET")
      .value("SECRET");
  command.on_run(context, [&context, options]() -> Result<int> {
    v1::CreateWebhookRequest request;
    request.mutable_webhook()->set_name(options->name);
    request.mutable_webhook()->set_url(options->url);
    request.mutable_webhook()->set_secret(options->secret);
    request.mutable_webhook()->mutable_kinds()->Assign(options->on.begin(), options->on.end());
    const auto response = TRY(TRY(context.client())->call(request));
    TRY(print_item(context.globals, response.webhook(), kNoun.id_field));
    return kOk;
  });
}

Result<int> update(Context& context, const v1::UpdateWebhookRequest& request) {
  const auto response = TRY(TRY(context.client())->call(request));
  TRY(print_item(context.globals, response.webhook(), kNoun.id_field));
  return kOk;
}

void add_update(Command& group, Context& context) {
  Command command = group.command(
      "update", "Change a webhook; a receiver that was away is asked again at once",
      {"manman webhook update 1 --url https://ops.example.org/other",
       "manman webhook update 1 --on backup.failed", "manman webhook update 1 --secret new"});
  auto options = std::make_shared<Options>();
  command.add_id("webhook", options->id, "Its id").required();
  command.add("--url", options->url, "Where requests are sent").value("URL");
  add_kinds(command, *options, "as before");
  command.add("--secret", options->secret, "Another key; 'new' has one made, shown this once")
      .value("SECRET");
  command.on_run(context, [&context, options]() -> Result<int> {
    v1::UpdateWebhookRequest request;
    request.set_webhook_id(options->id);
    request.set_url(options->url);
    request.set_secret(options->secret);
    request.mutable_kinds()->Assign(options->on.begin(), options->on.end());
    return update(context, request);
  });
}

void add_pause(Command& group, Context& context, const std::string& verb, bool paused,
               const std::string& description) {
  Command command = group.command(verb, description, {"manman webhook " + verb + " 1"});
  auto id = std::make_shared<int64_t>();
  command.add_id("webhook", *id, "Its id").required();
  command.on_run(context, [&context, id, paused]() -> Result<int> {
    v1::UpdateWebhookRequest request;
    request.set_webhook_id(*id);
    paused ? request.set_pause(true) : request.set_resume(true);
    return update(context, request);
  });
}

void add_list(Command& group, Context& context) {
  Command command = group.command("list", "List the webhooks, newest first",
                                  {"manman webhook list", "manman webhook list -o json"});
  auto options = std::make_shared<ListOptions>();
  add_list_options(command, *options);
  command.on_run(context, [&context, options]() -> Result<int> {
    const ListShape shape{"webhook_id",
                          {{"WEBHOOK", "webhook_id"},
                           {"NAME", "name"},
                           {"URL", "url"},
                           {"PAUSED", "paused"},
                           {"WAITING", "waiting"},
                           {"LAST ERROR", "last_error"}}};
    return list_items(context, v1::ListWebhooksRequest(), *options, shape);
  });
}

void add_test(Command& group, Context& context) {
  Command command = group.command("test", "Have a webhook told of an event webhook.test",
                                  {"manman webhook test 1", "manman webhook deliveries 1"});
  auto id = std::make_shared<int64_t>();
  command.add_id("webhook", *id, "Its id").required();
  command.on_run(context, [&context, id]() -> Result<int> {
    v1::TestWebhookRequest request;
    request.set_webhook_id(*id);
    const auto response = TRY(TRY(context.client())->call(request));
    TRY(print_item(context.globals, response, "event_id"));
    print_note(context.globals,
               "'manman webhook deliveries " + std::to_string(*id) + "' shows what became of it");
    return kOk;
  });
}

std::string kind_of(const Message& item) {
  return static_cast<const v1::WebhookDelivery&>(item).event().kind();
}

void add_deliveries(Command& group, Context& context) {
  Command command = group.command(
      "deliveries", "What a webhook was or is to be told, newest first",
      {"manman webhook deliveries 1", "manman webhook deliveries 1 --limit 0 -o json"});
  struct Wanted {
    ListOptions list;
    int64_t id = 0;
  };
  auto options = std::make_shared<Wanted>();
  command.add_id("webhook", options->id, "Its id").required();
  add_list_options(command, options->list);
  command.on_run(context, [&context, options]() -> Result<int> {
    v1::ListWebhookDeliveriesRequest request;
    request.set_webhook_id(options->id);
    const ListShape shape{"delivery_id",
                          {{"DELIVERY", "delivery_id"},
                           {"EVENT", "event", kind_of},
                           {"STATUS", "status"},
                           {"ATTEMPTS", "attempts"},
                           {"NEXT", "next_attempt_at"},
                           {"ENDED", "ended_at"},
                           {"LAST ERROR", "last_error"}}};
    return list_items(context, request, options->list, shape);
  });
}

}  // namespace

void add_webhook(Command& app, Context& context) {
  Command group = app.group("webhook", "HTTP receivers that are told of events");
  add_create(group, context);
  add_get<v1::GetWebhookRequest>(group, context, kNoun);
  add_list(group, context);
  add_update(group, context);
  add_pause(group, context, "pause", true, "Keep what it is to be told until it is resumed");
  add_pause(group, context, "resume", false, "Tell it of what has waited");
  add_delete<v1::DeleteWebhookRequest>(group, context, kNoun,
                                       "Delete a webhook, and what it was not told yet");
  add_test(group, context);
  add_deliveries(group, context);
}

}  // namespace manman::cli
