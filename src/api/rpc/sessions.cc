#include "api/commands.h"
#include "api/events.h"
#include "api/fields.h"
#include "api/page_token.h"
#include "api/rpc/answer.h"
#include "api/rpc/service.h"
#include "api/rpc/to_proto.h"
#include "api/safety_backup.h"
#include "base/log.h"

namespace manman::api {
namespace {

constexpr std::string_view kList = "sessions";
constexpr size_t kMaxInputBytes = 64 * 1024;
constexpr std::chrono::seconds kInputExpiresIn{10};

Result<Session> stop(const Context& context, int64_t session_id, bool kill) {
  return context.database.transact([&](db::Transaction& tx) -> Result<Session> {
    Session session = TRY(db::sessions::get(tx, session_id));
    const auto after = next(session.status, SessionEvent::kStop);
    if (!is_live(session.status) || !after)
      return fail(Code::kFailedPrecondition,
                  "session " + std::to_string(session_id) +
                      " has ended already: " + std::string(wire_text(session.status)));
    if (session.waits_for_backup_id != 0)
      return end_waiting(context, tx, session, SessionStatus::kStopped,
                         "stopped before its restore began; nothing was restored");
    const bool again = session.status == SessionStatus::kStopping;
    if (again && !kill) return session;
    const Deployment deployment = TRY(deployment_of(tx, context.config.profiles, session.sgc_id));
    TRY(order_session(tx, deployment,
                      kill ? SessionCommand::Kind::kKill : SessionCommand::Kind::kStop, session_id,
                      context.clock.now_ms()));
    session.status = *after;
    session.lease_until_ms = context.clock.now_ms() + context.config.lease.count();
    TRY(db::sessions::update(tx, session));
    TRY(note_event(context, tx,
                   {.kind = EventKind::kSessionStopOrdered,
                    .server_id = deployment.server.server_id,
                    .sgc_id = session.sgc_id,
                    .session_id = session_id,
                    .message = kill ? "kill" : "stop"}));
    return session;
  });
}

Result<db::sessions::Filter> filter_from(const v1::ListSessionsRequest& request) {
  TRY(check_optional_id("server_game_config_id", request.server_game_config_id()));
  TRY(check_optional_id("server_id", request.server_id()));
  TRY(check_optional_id("started_after", request.started_after()));
  TRY(check_optional_id("started_before", request.started_before()));
  db::sessions::Filter filter{.sgc_id = request.server_game_config_id(),
                              .server_id = request.server_id(),
                              .started_after = request.started_after(),
                              .started_before = request.started_before(),
                              .live_only = request.live_only()};
  constexpr SessionStatus kAll[] = {SessionStatus::kPending,   SessionStatus::kStarting,
                                    SessionStatus::kRunning,   SessionStatus::kStopping,
                                    SessionStatus::kStopped,   SessionStatus::kCrashed,
                                    SessionStatus::kCompleted, SessionStatus::kLost};
  for (int i = 0; i < request.status_filter_size(); i++) {
    const size_t before = filter.statuses.size();
    for (const SessionStatus status : kAll)  // "crashed" on the wire is more than one status
      if (wire_text(status) == request.status_filter(i)) filter.statuses.push_back(status);
    if (filter.statuses.size() == before)
      return bad_field("status_filter[" + std::to_string(i) + "]",
                       "must be pending, starting, running, stopping, stopped, crashed or "
                       "completed");
  }
  if (request.status_filter_size() > 100) return bad_field("status_filter", "must be at most 100");
  return filter;
}

Result<Message> input_message(db::Transaction& tx, const v1::SendInputRequest& request) {
  const Session session = TRY(db::sessions::get(tx, request.session_id()));
  if (session.status != SessionStatus::kRunning)
    return fail(Code::kFailedPrecondition, "session " + std::to_string(session.session_id) +
                                               " is " + std::string(wire_text(session.status)) +
                                               "; only a running one takes input");
  const auto sgc = TRY(db::server_game_configs::get(tx, session.sgc_id));
  const auto server = TRY(db::servers::get(tx, sgc.server_id));
  const SendInputCommand command{.session_id = session.session_id,
                                 .sgc_id = session.sgc_id,
                                 .environment = server.environment,
                                 .input = request.input()};
  return Message{.routing_key = command_key(sgc.server_id, "session.send_input"),
                 .body = command.to_json()};
}

}  // namespace

grpc::Status Service::StopSession(grpc::ServerContext* call, const v1::StopSessionRequest* request,
                                  v1::StopSessionResponse* response) {
  return answer(call, "StopSession", [&](const Context& context) -> Result<void> {
    TRY(check_id("session_id", request->session_id()));
    const Session session = TRY(stop(context, request->session_id(), request->kill()));
    context.commands_waiting();
    log_info({.session_id = session.session_id, .sgc_id = session.sgc_id}, "{} ordered",
             request->kill() ? "kill" : "stop");
    to_proto(session, response->mutable_session());
    return {};
  });
}

grpc::Status Service::GetSession(grpc::ServerContext*, const v1::GetSessionRequest* request,
                                 v1::GetSessionResponse* response) {
  return answer("GetSession", [&](const Context& context) -> Result<void> {
    TRY(check_id("session_id", request->session_id()));
    const Session session = TRY(context.database.look(
        [&](db::Transaction& tx) { return db::sessions::get(tx, request->session_id()); }));
    to_proto(session, response->mutable_session());
    return {};
  });
}

grpc::Status Service::ListSessions(grpc::ServerContext*, const v1::ListSessionsRequest* request,
                                   v1::ListSessionsResponse* response) {
  return answer("ListSessions", [&](const Context& context) -> Result<void> {
    const auto filter = TRY(filter_from(*request));
    const db::Page page = TRY(page_from(kList, request->page_size(), request->page_token()));
    auto rows = TRY(context.database.look(
        [&](db::Transaction& tx) { return db::sessions::list(tx, filter, with_lookahead(page)); }));
    response->set_next_page_token(
        next_page_token(kList, page, rows, [](const Session& row) { return row.session_id; }));
    all_to_proto(rows, response->mutable_sessions());
    return {};
  });
}

// Input is not kept for later as other commands are: a line that reaches the console an hour after
// it was typed does harm. OK means that the host has taken it. UNAVAILABLE means that it most
// likely has not; in rare cases (the host's answer got lost) it has, and the bus may then also
// deliver it twice.
grpc::Status Service::SendInput(grpc::ServerContext* call, const v1::SendInputRequest* request,
                                v1::SendInputResponse*) {
  return answer(call, "SendInput", [&](const Context& context) -> Result<void> {
    TRY(check_id("session_id", request->session_id()));
    if (request->input().empty() || request->input().size() > kMaxInputBytes)
      return bad_field("input", "must be 1 to 65536 bytes");
    Message message = TRY(context.database.transact([&](db::Transaction& tx) -> Result<Message> {
      Message made = TRY(input_message(tx, *request));
      TRY(note_event(context, tx,
                     {.kind = EventKind::kSessionInput,
                      .session_id = request->session_id(),
                      .message = std::to_string(request->input().size()) + " bytes"}));
      return made;
    }));
    message.expires_in = kInputExpiresIn;
    auto published = context.bus.publish(message);
    if (published) return {};
    return fail(Code::kUnavailable, "the input for session " +
                                        std::to_string(request->session_id()) +
                                        " did not reach its host: " + published.error().message);
  });
}

}  // namespace manman::api
