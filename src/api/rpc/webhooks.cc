#include <algorithm>

#include "api/events.h"
#include "api/fields.h"
#include "api/page_token.h"
#include "api/rpc/answer.h"
#include "api/rpc/service.h"
#include "api/rpc/to_proto.h"
#include "api/webhooks/receiver.h"
#include "base/log.h"
#include "db/events.h"

namespace manman::api {
namespace {

constexpr std::string_view kList = "webhooks";
constexpr std::string_view kDeliveries = "webhook_deliveries";

// Of which a webhook is told when nothing else is said.
constexpr EventKind kUsual[] = {EventKind::kBackupFailed, EventKind::kBackupCompleted,
                                EventKind::kVerificationFailed, EventKind::kHostLost,
                                EventKind::kPolicyMissed};

template <typename Texts>
Result<std::vector<EventKind>> kinds_from(const Texts& texts) {
  std::vector<EventKind> kinds;
  for (const std::string& text : texts) {
    const auto kind = event_kind_from(text);
    if (!kind) return bad_field("kinds", "\"" + text + "\" is no kind of event");
    if (std::ranges::find(kinds, *kind) == kinds.end()) kinds.push_back(*kind);
  }
  return kinds;
}

Result<Webhook> webhook_from(const Context& context, const v1::Webhook& said) {
  Webhook webhook{.name = said.name(), .url = said.url(), .secret = said.secret()};
  TRY(check_name("name", said.name()));
  TRY(check_receiver_url("url", said.url(), context.config.webhooks_to_local));
  if (webhook.secret.empty()) webhook.secret = new_webhook_secret();
  TRY(webhook_key(webhook.secret));
  webhook.kinds = TRY(kinds_from(said.kinds()));
  if (webhook.kinds.empty()) webhook.kinds.assign(std::begin(kUsual), std::end(kUsual));
  webhook.paused = said.paused();
  webhook.created_at = context.clock.now_s();
  return webhook;
}

Result<void> note(const Context& context, db::Transaction& tx, EventKind kind,
                  const Webhook& webhook) {
  return note_event(context, tx,
                    {.kind = kind,
                     .message = "webhook " + std::to_string(webhook.webhook_id) + ", " +
                                webhook.name + (webhook.paused ? ", paused" : "")});
}

Result<void> change(const Context& context, const v1::UpdateWebhookRequest& request,
                    Webhook& webhook) {
  if (!request.url().empty()) {
    TRY(check_receiver_url("url", request.url(), context.config.webhooks_to_local));
    webhook.url = request.url();
  }
  if (request.kinds_size() > 0) webhook.kinds = TRY(kinds_from(request.kinds()));
  if (request.pause() && request.resume()) return bad_field("resume", "stands beside pause");
  if (request.pause() || request.resume()) webhook.paused = request.pause();
  if (!request.secret().empty()) {
    webhook.secret = request.secret() == "new" ? new_webhook_secret() : request.secret();
    TRY(webhook_key(webhook.secret));
  }
  // What was wrong may be mended.
  webhook.failures = 0;
  webhook.last_error.clear();
  webhook.retry_at_ms = 0;
  return {};
}

Result<void> show(db::Transaction& tx, const Webhook& webhook, v1::Webhook* message) {
  to_proto(webhook, message);
  message->set_waiting(TRY(db::webhook_deliveries::waiting(tx, webhook.webhook_id)));
  return {};
}

Result<void> show(db::Transaction& tx, const WebhookDelivery& row, v1::WebhookDelivery* message) {
  message->set_delivery_id(row.delivery_id);
  message->set_webhook_id(row.webhook_id);
  message->set_status(std::string(to_text(row.status)));
  message->set_attempts(row.attempts);
  if (row.status == DeliveryStatus::kWaiting)
    message->set_next_attempt_at(row.next_attempt_ms / 1000);
  message->set_ended_at(row.ended_at);
  message->set_last_error(row.last_error);
  for (const Event& event : TRY(db::events::of_ids(tx, {row.event_id})))
    to_proto(event, message->mutable_event());
  return {};
}

}  // namespace

grpc::Status Service::CreateWebhook(grpc::ServerContext* call,
                                    const v1::CreateWebhookRequest* request,
                                    v1::CreateWebhookResponse* response) {
  return answer(call, "CreateWebhook", [&](const Context& context) -> Result<void> {
    const Webhook webhook = TRY(webhook_from(context, request->webhook()));
    const Webhook made = TRY(context.database.transact([&](db::Transaction& tx) -> Result<Webhook> {
      Webhook row = TRY(db::webhooks::create(tx, webhook));
      TRY(note(context, tx, EventKind::kWebhookCreated, row));
      return row;
    }));
    to_proto(made, response->mutable_webhook());
    response->mutable_webhook()->set_secret(made.secret);
    return {};
  });
}

grpc::Status Service::GetWebhook(grpc::ServerContext*, const v1::GetWebhookRequest* request,
                                 v1::GetWebhookResponse* response) {
  return answer("GetWebhook", [&](const Context& context) -> Result<void> {
    TRY(check_id("webhook_id", request->webhook_id()));
    return context.database.look([&](db::Transaction& tx) -> Result<void> {
      return show(tx, TRY(db::webhooks::get(tx, request->webhook_id())),
                  response->mutable_webhook());
    });
  });
}

grpc::Status Service::ListWebhooks(grpc::ServerContext*, const v1::ListWebhooksRequest* request,
                                   v1::ListWebhooksResponse* response) {
  return answer("ListWebhooks", [&](const Context& context) -> Result<void> {
    const db::Page page = TRY(page_from(kList, request->page_size(), request->page_token()));
    return context.database.look([&](db::Transaction& tx) -> Result<void> {
      response->Clear();
      auto rows = TRY(db::webhooks::list(tx, with_lookahead(page)));
      response->set_next_page_token(
          next_page_token(kList, page, rows, [](const Webhook& row) { return row.webhook_id; }));
      for (const Webhook& row : rows) TRY(show(tx, row, response->add_webhooks()));
      return {};
    });
  });
}

grpc::Status Service::UpdateWebhook(grpc::ServerContext* call,
                                    const v1::UpdateWebhookRequest* request,
                                    v1::UpdateWebhookResponse* response) {
  return answer(call, "UpdateWebhook", [&](const Context& context) -> Result<void> {
    TRY(check_id("webhook_id", request->webhook_id()));
    return context.database.transact([&](db::Transaction& tx) -> Result<void> {
      Webhook webhook = TRY(db::webhooks::hold(tx, request->webhook_id()));
      TRY(change(context, *request, webhook));
      TRY(db::webhooks::update(tx, webhook));
      TRY(note(context, tx, EventKind::kWebhookUpdated, webhook));
      response->Clear();
      TRY(show(tx, webhook, response->mutable_webhook()));
      if (!request->secret().empty()) response->mutable_webhook()->set_secret(webhook.secret);
      return {};
    });
  });
}

grpc::Status Service::DeleteWebhook(grpc::ServerContext* call,
                                    const v1::DeleteWebhookRequest* request,
                                    v1::DeleteWebhookResponse*) {
  return answer(call, "DeleteWebhook", [&](const Context& context) -> Result<void> {
    TRY(check_id("webhook_id", request->webhook_id()));
    return context.database.transact([&](db::Transaction& tx) -> Result<void> {
      TRY(note(context, tx, EventKind::kWebhookDeleted,
               TRY(db::webhooks::hold(tx, request->webhook_id()))));
      return db::webhooks::remove(tx, request->webhook_id());
    });
  });
}

grpc::Status Service::TestWebhook(grpc::ServerContext* call, const v1::TestWebhookRequest* request,
                                  v1::TestWebhookResponse* response) {
  return answer(call, "TestWebhook", [&](const Context& context) -> Result<void> {
    TRY(check_id("webhook_id", request->webhook_id()));
    return context.database.transact([&](db::Transaction& tx) -> Result<void> {
      const Webhook webhook = TRY(db::webhooks::hold(tx, request->webhook_id()));
      const int64_t now_ms = context.clock.now_ms();
      const int64_t event_id =
          TRY(db::events::add(tx, {.at_ms = now_ms,
                                   .kind = EventKind::kWebhookTest,
                                   .actor = context.actor,
                                   .message = "a test of webhook " + webhook.name}));
      // One that is told of tests anyway has it already.
      if (std::ranges::find(webhook.kinds, EventKind::kWebhookTest) == webhook.kinds.end())
        TRY(db::webhook_deliveries::add(tx, webhook.webhook_id, event_id, now_ms));
      response->set_event_id(event_id);
      return {};
    });
  });
}

grpc::Status Service::ListWebhookDeliveries(grpc::ServerContext*,
                                            const v1::ListWebhookDeliveriesRequest* request,
                                            v1::ListWebhookDeliveriesResponse* response) {
  return answer("ListWebhookDeliveries", [&](const Context& context) -> Result<void> {
    TRY(check_id("webhook_id", request->webhook_id()));
    const db::Page page = TRY(page_from(kDeliveries, request->page_size(), request->page_token()));
    return context.database.look([&](db::Transaction& tx) -> Result<void> {
      response->Clear();
      TRY(db::webhooks::get(tx, request->webhook_id()));
      auto rows =
          TRY(db::webhook_deliveries::list(tx, request->webhook_id(), with_lookahead(page)));
      response->set_next_page_token(next_page_token(
          kDeliveries, page, rows, [](const WebhookDelivery& row) { return row.delivery_id; }));
      for (const WebhookDelivery& row : rows) TRY(show(tx, row, response->add_deliveries()));
      return {};
    });
  });
}

}  // namespace manman::api
