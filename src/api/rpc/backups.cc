#include "api/fields.h"
#include "api/new_backup.h"
#include "api/page_token.h"
#include "api/rpc/answer.h"
#include "api/rpc/service.h"
#include "api/rpc/to_proto.h"
#include "base/failpoint.h"
#include "base/log.h"

namespace manman::api {
namespace {

constexpr std::string_view kList = "backups";
constexpr size_t kMaxDescriptionBytes = 4096;

Result<void> check(const v1::CreateBackupRequest& request) {
  TRY(check_optional_id("session_id", request.session_id()));
  TRY(check_optional_id("server_game_config_id", request.server_game_config_id()));
  if (request.session_id() == 0 && request.server_game_config_id() == 0)
    return bad_field("session_id", "must be positive, unless server_game_config_id is given");
  if (!request.format().empty()) TRY(Compression::parse(request.format(), request.level()));
  return check_text("description", request.description(), kMaxDescriptionBytes);
}

Result<int64_t> sgc_to_back_up(db::Transaction& tx, const v1::CreateBackupRequest& request) {
  if (request.session_id() == 0) return request.server_game_config_id();
  const Session session = TRY(db::sessions::get(tx, request.session_id()));
  if (request.server_game_config_id() != 0 && request.server_game_config_id() != session.sgc_id)
    return bad_field("server_game_config_id", "session " + std::to_string(session.session_id) +
                                                  " is of SGC " + std::to_string(session.sgc_id) +
                                                  ", not of SGC " +
                                                  std::to_string(request.server_game_config_id()));
  return session.sgc_id;
}

Result<Backup> create(const Context& context, const v1::CreateBackupRequest& request) {
  return context.database.transact([&](db::Transaction& tx) -> Result<Backup> {
    const int64_t sgc_id = TRY(sgc_to_back_up(tx, request));
    return begin_backup(context, tx,
                        {.sgc_id = sgc_id,
                         .session_id = request.session_id(),
                         .description = request.description(),
                         .format = request.format(),
                         .level = request.level(),
                         .manual = true});
  });
}

}  // namespace

grpc::Status Service::CreateBackup(grpc::ServerContext* call,
                                   const v1::CreateBackupRequest* request,
                                   v1::CreateBackupResponse* response) {
  return answer(call, "CreateBackup", [&](const Context& context) -> Result<void> {
    TRY(check(*request));
    const Backup backup = TRY(create(context, *request));
    context.commands_waiting();
    log_info({.backup_id = backup.backup_id, .sgc_id = backup.sgc_id}, "backup ordered");
    TRY(failpoint::pass("api.create_backup.committed"));
    to_proto(backup, response->mutable_backup());
    return {};
  });
}

grpc::Status Service::ListBackups(grpc::ServerContext*, const v1::ListBackupsRequest* request,
                                  v1::ListBackupsResponse* response) {
  return answer("ListBackups", [&](const Context& context) -> Result<void> {
    TRY(check_optional_id("server_game_config_id", request->server_game_config_id()));
    TRY(check_optional_id("session_id", request->session_id()));
    const db::Page page = TRY(page_from(kList, request->page_size(), request->page_token()));
    const db::backups::Filter filter{.sgc_id = request->server_game_config_id(),
                                     .session_id = request->session_id()};
    auto rows = TRY(context.database.look(
        [&](db::Transaction& tx) { return db::backups::list(tx, filter, with_lookahead(page)); }));
    response->set_next_page_token(
        next_page_token(kList, page, rows, [](const Backup& row) { return row.backup_id; }));
    all_to_proto(rows, response->mutable_backups());
    return {};
  });
}

grpc::Status Service::GetBackup(grpc::ServerContext*, const v1::GetBackupRequest* request,
                                v1::GetBackupResponse* response) {
  return answer("GetBackup", [&](const Context& context) -> Result<void> {
    TRY(check_id("backup_id", request->backup_id()));
    const Backup row = TRY(context.database.look(
        [&](db::Transaction& tx) { return db::backups::get(tx, request->backup_id()); }));
    to_proto(row, response->mutable_backup());
    return {};
  });
}

grpc::Status Service::DeleteBackup(grpc::ServerContext* call,
                                   const v1::DeleteBackupRequest* request,
                                   v1::DeleteBackupResponse*) {
  return answer(call, "DeleteBackup", [&](const Context& context) -> Result<void> {
    TRY(check_id("backup_id", request->backup_id()));
    const Backup row =
        TRY(deleter_->mark(request->backup_id(), Deleter::By::kRequest, context.actor));
    TRY(failpoint::pass("api.delete.marked"));
    auto finished = deleter_->finish(row);
    if (finished) return {};
    return std::unexpected(Error{Code::kUnavailable,
                                 "backup " + std::to_string(row.backup_id) +
                                     " is marked for deletion, but can't be" +
                                     " removed now: " + finished.error().message,
                                 true}
                               .with_hint("the deletion goes on by itself"));
  });
}

}  // namespace manman::api
