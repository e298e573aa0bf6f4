#include "api/drills.h"
#include "api/events.h"
#include "api/fields.h"
#include "api/page_token.h"
#include "api/rpc/answer.h"
#include "api/rpc/service.h"
#include "api/rpc/to_proto.h"
#include "base/failpoint.h"
#include "base/log.h"

namespace manman::api {
namespace {

constexpr std::string_view kList = "drills";

}  // namespace

grpc::Status Service::DrillBackup(grpc::ServerContext* call, const v1::DrillBackupRequest* request,
                                  v1::DrillBackupResponse* response) {
  return answer(call, "DrillBackup", [&](const Context& context) -> Result<void> {
    TRY(check_id("backup_id", request->backup_id()));
    TRY(check_optional_id("server_id", request->server_id()));
    const Drill drill = TRY(context.database.transact([&](db::Transaction& tx) -> Result<Drill> {
      Drill made = TRY(begin_drill(context, tx,
                                   {.backup_id = request->backup_id(),
                                    .server_id = request->server_id(),
                                    .start_game = request->start_game()}));
      TRY(note_event(context, tx,
                     {.kind = EventKind::kDrillOrdered,
                      .server_id = made.server_id,
                      .sgc_id = made.sgc_id,
                      .backup_id = made.backup_id,
                      .message = "drill " + std::to_string(made.drill_id)}));
      return made;
    }));
    context.commands_waiting();
    log_info({.backup_id = drill.backup_id, .sgc_id = drill.sgc_id, .server_id = drill.server_id},
             "drill {} ordered", drill.drill_id);
    TRY(failpoint::pass("api.drill.committed"));
    to_proto(drill, response->mutable_drill());
    return {};
  });
}

grpc::Status Service::GetDrill(grpc::ServerContext*, const v1::GetDrillRequest* request,
                               v1::GetDrillResponse* response) {
  return answer("GetDrill", [&](const Context& context) -> Result<void> {
    TRY(check_id("drill_id", request->drill_id()));
    const Drill row = TRY(context.database.look(
        [&](db::Transaction& tx) { return db::drills::get(tx, request->drill_id()); }));
    to_proto(row, response->mutable_drill());
    return {};
  });
}

grpc::Status Service::ListDrills(grpc::ServerContext*, const v1::ListDrillsRequest* request,
                                 v1::ListDrillsResponse* response) {
  return answer("ListDrills", [&](const Context& context) -> Result<void> {
    TRY(check_optional_id("backup_id", request->backup_id()));
    TRY(check_optional_id("server_game_config_id", request->server_game_config_id()));
    const db::Page page = TRY(page_from(kList, request->page_size(), request->page_token()));
    const db::drills::Filter filter{.backup_id = request->backup_id(),
                                    .sgc_id = request->server_game_config_id()};
    auto rows = TRY(context.database.look(
        [&](db::Transaction& tx) { return db::drills::list(tx, filter, with_lookahead(page)); }));
    response->set_next_page_token(
        next_page_token(kList, page, rows, [](const Drill& row) { return row.drill_id; }));
    all_to_proto(rows, response->mutable_drills());
    return {};
  });
}

}  // namespace manman::api
