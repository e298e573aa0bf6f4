#pragma once

#include <atomic>

#include "api/context.h"
#include "api/jobs/deleter.h"
#include "manman/v1/manman.grpc.pb.h"

namespace manman::api {

// The service of the contract; one .cc file for each group of calls. Thread-safe.
class Service final : public v1::ManManAPI::Service {
 public:
  // Both must outlive it.
  Service(const Context& context, Deleter& deleter) : context_(context), deleter_(deleter) {}

#define MANMAN_CALL(Name) \
  grpc::Status Name(grpc::ServerContext*, const v1::Name##Request*, v1::Name##Response*) override
  // backups.cc
  MANMAN_CALL(CreateBackup);
  MANMAN_CALL(ListBackups);
  MANMAN_CALL(GetBackup);
  MANMAN_CALL(DeleteBackup);
  // download.cc
  grpc::Status DownloadBackup(grpc::ServerContext*, const v1::DownloadBackupRequest*,
                              grpc::ServerWriter<v1::DownloadBackupResponse>*) override;
  // sessions.cc, start_session.cc, undo_restore.cc
  MANMAN_CALL(StartSession);
  MANMAN_CALL(StopSession);
  MANMAN_CALL(GetSession);
  MANMAN_CALL(ListSessions);
  MANMAN_CALL(SendInput);
  MANMAN_CALL(UndoRestore);
  // servers.cc
  MANMAN_CALL(RegisterServer);
  MANMAN_CALL(Heartbeat);
  MANMAN_CALL(ListServers);
  MANMAN_CALL(GetServer);
  MANMAN_CALL(DeleteServer);
  // games.cc
  MANMAN_CALL(CreateGame);
  MANMAN_CALL(ListGames);
  MANMAN_CALL(GetGame);
  MANMAN_CALL(DeleteGame);
  // game_configs.cc
  MANMAN_CALL(CreateGameConfig);
  MANMAN_CALL(ListGameConfigs);
  MANMAN_CALL(GetGameConfig);
  MANMAN_CALL(DeleteGameConfig);
  // sgcs.cc
  MANMAN_CALL(DeployGameConfig);
  MANMAN_CALL(ListServerGameConfigs);
  MANMAN_CALL(GetServerGameConfig);
  MANMAN_CALL(DeleteServerGameConfig);
#undef MANMAN_CALL

 private:
  const Context& context_;
  Deleter& deleter_;
  std::atomic<int> downloads_{0};
};

}  // namespace manman::api
