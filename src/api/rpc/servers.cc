#include <algorithm>

#include "api/events.h"
#include "api/fields.h"
#include "api/hosts.h"
#include "api/limits.h"
#include "api/page_token.h"
#include "api/rpc/answer.h"
#include "api/rpc/service.h"
#include "api/rpc/to_proto.h"

namespace manman::api {
namespace {

constexpr std::string_view kList = "servers";
constexpr std::string_view kDefaultEnvironment = "local";

// Four heartbeats fit into the time after which a silent server counts as offline.
int32_t heartbeat_seconds(const ApiConfig& config) {
  return static_cast<int32_t>(std::clamp<int64_t>(config.offline_after.count() / 4000, 1, 3600));
}

}  // namespace

grpc::Status Service::RegisterServer(grpc::ServerContext* call,
                                     const v1::RegisterServerRequest* request,
                                     v1::RegisterServerResponse* response) {
  return answer(call, "RegisterServer", [&](const Context& context) -> Result<void> {
    TRY(check_name("name", request->name()));
    const std::string environment =
        request->environment().empty() ? std::string(kDefaultEnvironment) : request->environment();
    TRY(check_environment("environment", environment));
    const Server server = TRY(register_server(context, request->name(), environment));
    response->set_server_id(server.server_id);
    to_proto(server, response->mutable_server());
    return {};
  });
}

grpc::Status Service::Heartbeat(grpc::ServerContext*, const v1::HeartbeatRequest* request,
                                v1::HeartbeatResponse* response) {
  return answer("Heartbeat", [&](const Context& context) -> Result<void> {
    TRY(check_id("server_id", request->server_id()));
    TRY(context.database.transact([&](db::Transaction& tx) -> Result<void> {
      TRY(note_back(context, tx, {request->server_id()}));
      return db::servers::seen(tx, request->server_id(), context.clock.now_s());
    }));
    context.host_seen(request->server_id());
    response->set_acknowledged(true);
    response->set_next_heartbeat_seconds(heartbeat_seconds(context.config));
    return {};
  });
}

grpc::Status Service::ListServers(grpc::ServerContext*, const v1::ListServersRequest* request,
                                  v1::ListServersResponse* response) {
  return answer("ListServers", [&](const Context& context) -> Result<void> {
    const db::Page page = TRY(page_from(kList, request->page_size(), request->page_token()));
    auto rows = TRY(context.database.look(
        [&](db::Transaction& tx) { return db::servers::list(tx, with_lookahead(page)); }));
    response->set_next_page_token(
        next_page_token(kList, page, rows, [](const Server& row) { return row.server_id; }));
    all_to_proto(rows, response->mutable_servers());
    return {};
  });
}

grpc::Status Service::GetServer(grpc::ServerContext*, const v1::GetServerRequest* request,
                                v1::GetServerResponse* response) {
  return answer("GetServer", [&](const Context& context) -> Result<void> {
    TRY(check_id("server_id", request->server_id()));
    const Server row = TRY(context.database.look(
        [&](db::Transaction& tx) { return db::servers::get(tx, request->server_id()); }));
    to_proto(row, response->mutable_server());
    return {};
  });
}

grpc::Status Service::UpdateServer(grpc::ServerContext* call,
                                   const v1::UpdateServerRequest* request,
                                   v1::UpdateServerResponse* response) {
  return answer(call, "UpdateServer", [&](const Context& context) -> Result<void> {
    TRY(check_id("server_id", request->server_id()));
    const Server server = TRY(context.database.transact([&](db::Transaction& tx) -> Result<Server> {
      Server row = TRY(db::servers::get(tx, request->server_id()));
      for (const std::string& name : request->clear()) {
        if (name != "limits") return bad_field("clear", "\"" + name + "\" must be limits");
        row.limits = {};
      }
      TRY(change_limits(request->limits(), row.limits));
      TRY(db::servers::set_limits(tx, row.server_id, row.limits));
      TRY(note_event(context, tx,
                     {.kind = EventKind::kServerUpdated,
                      .server_id = row.server_id,
                      .message = text_of(row.limits)}));
      return row;
    }));
    to_proto(server, response->mutable_server());
    return {};
  });
}

grpc::Status Service::DeleteServer(grpc::ServerContext* call,
                                   const v1::DeleteServerRequest* request,
                                   v1::DeleteServerResponse*) {
  return answer(call, "DeleteServer", [&](const Context& context) -> Result<void> {
    TRY(check_id("server_id", request->server_id()));
    return context.database.transact([&](db::Transaction& tx) -> Result<void> {
      const Server server = TRY(db::servers::get(tx, request->server_id()));
      TRY(note_event(context, tx,
                     {.kind = EventKind::kServerDeleted,
                      .server_id = server.server_id,
                      .message = server.name}));
      return db::servers::remove(tx, server.server_id);
    });
  });
}

}  // namespace manman::api
