#include "db/events.h"

#include <algorithm>
#include <map>

#include "api/fields.h"
#include "api/page_token.h"
#include "api/rpc/answer.h"
#include "api/rpc/event_follower.h"
#include "api/rpc/service.h"
#include "api/rpc/to_proto.h"

namespace manman::api {
namespace {

constexpr std::string_view kList = "events";
constexpr int kMaxFollowers = 32;
constexpr std::chrono::milliseconds kLook{500};
// A follower hears at least so often that the service is there.
constexpr std::chrono::seconds kSignOfLife{2};

Result<std::optional<EventKind>> kind_from(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto kind = event_kind_from(text);
  if (!kind) return bad_field("kind", "\"" + text + "\" is no kind of event");
  return kind;
}

Result<db::events::Filter> filter_from(int64_t sgc_id, const std::string& kind) {
  TRY(check_optional_id("server_game_config_id", sgc_id));
  return db::events::Filter {
    .sgc_id = sgc_id, .kind = TRY(kind_from(kind))
  };
}

bool wants(const db::events::Filter& filter, const Event& event) {
  return (filter.sgc_id == 0 || filter.sgc_id == event.sgc_id) &&
         (!filter.kind || *filter.kind == event.kind);
}

}  // namespace

grpc::Status Service::ListEvents(grpc::ServerContext*, const v1::ListEventsRequest* request,
                                 v1::ListEventsResponse* response) {
  return answer("ListEvents", [&](const Context& context) -> Result<void> {
    const auto filter = TRY(filter_from(request->server_game_config_id(), request->kind()));
    const db::Page page = TRY(page_from(kList, request->page_size(), request->page_token()));
    auto rows = TRY(context.database.look(
        [&](db::Transaction& tx) { return db::events::list(tx, filter, with_lookahead(page)); }));
    response->set_next_page_token(
        next_page_token(kList, page, rows, [](const Event& row) { return row.event_id; }));
    all_to_proto(rows, response->mutable_events());
    return {};
  });
}

grpc::Status Service::FollowEvents(grpc::ServerContext* call,
                                   const v1::FollowEventsRequest* request,
                                   grpc::ServerWriter<v1::FollowEventsResponse>* writer) {
  return answer("FollowEvents", [&](const Context& context) -> Result<void> {
    TRY(check_optional_id("after_event_id", request->after_event_id()));
    const auto filter = TRY(filter_from(request->server_game_config_id(), request->kind()));
    const Slots::Slot slot = TRY(followers_.take(kMaxFollowers, "followers of events"));
    EventFollower follower(context.database, context.clock);
    TRY(follower.begin_after(request->after_event_id()));
    auto told = std::chrono::steady_clock::time_point();
    while (!call->IsCancelled()) {
      v1::FollowEventsResponse message;
      const std::vector<Event> events = TRY(follower.next());
      for (const Event& event : events)
        if (wants(filter, event)) to_proto(event, message.add_events());
      const auto now = std::chrono::steady_clock::now();
      if (message.events_size() > 0 || now - told >= kSignOfLife) {
        told = now;
        if (!writer->Write(message)) break;
      }
      if (events.empty()) std::this_thread::sleep_for(kLook);
    }
    return {};
  });
}

}  // namespace manman::api
