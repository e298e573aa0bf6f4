#include "api/commands.h"
#include "api/events.h"
#include "api/fields.h"
#include "api/rpc/answer.h"
#include "api/rpc/service.h"
#include "api/rpc/to_proto.h"
#include "api/sgc_state.h"
#include "base/log.h"

namespace manman::api {
namespace {

// Why the data that a session's restore replaced can't be put back; "" when it can.
std::string_view obstacle(ReplacedData state) {
  switch (state) {
    case ReplacedData::kNone:
      return "replaced no data";
    case ReplacedData::kKept:
      return "";
    case ReplacedData::kUndoing:
      return "is having its restore undone already";
    case ReplacedData::kUndone:
      return "has had its restore undone already";
    case ReplacedData::kRemoved:
      return "no longer has the data that its restore replaced";
  }
  return "is in no known state";
}

Result<void> check_can_undo(db::Transaction& tx, const Session& session) {
  const std::string about = "session " + std::to_string(session.session_id);
  if (is_live(session.status))
    return std::unexpected(
        Error{Code::kFailedPrecondition, about + " is " + std::string(wire_text(session.status))}
            .with_hint("stop it first"));
  if (const auto why = obstacle(session.replaced_data); !why.empty())
    return fail(Code::kFailedPrecondition, about + " " + std::string(why));
  const Session other = TRY(live_session(tx, session.sgc_id));
  if (other.session_id != 0)
    return std::unexpected(
        Error{Code::kFailedPrecondition, "session " + std::to_string(other.session_id) +
                                             " of SGC " + std::to_string(other.sgc_id) + " is " +
                                             std::string(wire_text(other.status))}
            .with_hint("stop it first"));
  TRY(check_no_backup(tx, session.sgc_id));
  return check_no_undo(tx, session.sgc_id);
}

Result<Session> undo(const Context& context, int64_t session_id) {
  return context.database.transact([&](db::Transaction& tx) -> Result<Session> {
    Session session = TRY(db::sessions::get(tx, session_id));
    TRY(check_can_undo(tx, session));
    session.replaced_data = ReplacedData::kUndoing;
    TRY(db::sessions::update(tx, session));
    TRY(order_session(tx, TRY(deployment_of(tx, context.config.profiles, session.sgc_id)),
                      SessionCommand::Kind::kUndoRestore, session_id, context.clock.now_ms()));
    TRY(note_event(
        context, tx,
        {.kind = EventKind::kRestoreUndone, .sgc_id = session.sgc_id, .session_id = session_id}));
    return session;
  });
}

}  // namespace

grpc::Status Service::UndoRestore(grpc::ServerContext* call, const v1::UndoRestoreRequest* request,
                                  v1::UndoRestoreResponse* response) {
  return answer(call, "UndoRestore", [&](const Context& context) -> Result<void> {
    TRY(check_id("session_id", request->session_id()));
    const Session session = TRY(undo(context, request->session_id()));
    context.commands_waiting();
    log_info({.session_id = session.session_id, .sgc_id = session.sgc_id},
             "undoing of its restore ordered");
    to_proto(session, response->mutable_session());
    return {};
  });
}

}  // namespace manman::api
