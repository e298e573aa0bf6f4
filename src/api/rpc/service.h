#pragma once

#include <atomic>
#include <string>
#include <utility>

#include "api/context.h"
#include "api/jobs/deleter.h"
#include "api/rpc/answer.h"
#include "api/rpc/backup_archive.h"
#include "api/rpc/caller.h"
#include "base/sync.h"
#include "manman/v1/manman.grpc.pb.h"

namespace manman::api {

// The service of the contract; one .cc file for each group of calls. Until it is opened each call
// is UNAVAILABLE. Thread-safe.
class Service final : public v1::ManManAPI::Service {
 public:
  // From now on calls are answered. Both must outlive the calls.
  void open(const Context& context, Deleter& deleter) {
    deleter_ = &deleter;
    context_ = &context;
  }
  // What calls are told before that.
  void closed_because(std::string why) { *closed_because_.lock() = std::move(why); }

#define MANMAN_CALL(Name) \
  grpc::Status Name(grpc::ServerContext*, const v1::Name##Request*, v1::Name##Response*) override
  // backups.cc
  MANMAN_CALL(CreateBackup);
  MANMAN_CALL(ListBackups);
  MANMAN_CALL(GetBackup);
  MANMAN_CALL(DeleteBackup);
  // cancel_backup.cc
  MANMAN_CALL(CancelBackup);
  // pin_backup.cc
  MANMAN_CALL(PinBackup);
#define MANMAN_STREAM(Name)                                         \
  grpc::Status Name(grpc::ServerContext*, const v1::Name##Request*, \
                    grpc::ServerWriter<v1::Name##Response>*) override
  // download.cc
  MANMAN_STREAM(DownloadBackup);
  // look_into_backup.cc
  MANMAN_STREAM(ListBackupEntries);
  MANMAN_STREAM(ReadBackupFile);
  MANMAN_STREAM(DiffBackups);
  // verify_backup.cc
  MANMAN_STREAM(VerifyBackup);
  // preview_retention.cc
  MANMAN_STREAM(PreviewRetention);
  // audit.cc
  MANMAN_STREAM(AuditStore);
#undef MANMAN_STREAM
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
  MANMAN_CALL(UpdateServer);
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
  MANMAN_CALL(UpdateServerGameConfig);
  // policies.cc
  MANMAN_CALL(CreateBackupPolicy);
  MANMAN_CALL(GetBackupPolicy);
  MANMAN_CALL(ListBackupPolicies);
  MANMAN_CALL(UpdateBackupPolicy);
  MANMAN_CALL(DeleteBackupPolicy);
  MANMAN_CALL(RunBackupPolicy);
  MANMAN_CALL(ListPolicyRuns);
  // events.cc
  MANMAN_CALL(ListEvents);
  grpc::Status FollowEvents(grpc::ServerContext*, const v1::FollowEventsRequest*,
                            grpc::ServerWriter<v1::FollowEventsResponse>*) override;
  // webhooks.cc
  MANMAN_CALL(CreateWebhook);
  MANMAN_CALL(GetWebhook);
  MANMAN_CALL(ListWebhooks);
  MANMAN_CALL(UpdateWebhook);
  MANMAN_CALL(DeleteWebhook);
  MANMAN_CALL(TestWebhook);
  MANMAN_CALL(ListWebhookDeliveries);
  // drills.cc
  MANMAN_CALL(DrillBackup);
  MANMAN_CALL(GetDrill);
  MANMAN_CALL(ListDrills);
  // profiles.cc
  MANMAN_CALL(ListProfiles);
  MANMAN_CALL(GetProfile);
#undef MANMAN_CALL

 private:
  // With the caller as actor, for calls that change something.
  template <typename Work>
  grpc::Status answer(const grpc::ServerContext* call, std::string_view rpc, Work&& work) {
    return answer(rpc, [&](const Context& context) -> Result<void> {
      Context callers = context;
      callers.actor = caller_of(*call);
      return work(callers);
    });
  }

  template <typename Work>
  grpc::Status answer(std::string_view rpc, Work&& work) {
    return api::answer(rpc, [&]() -> Result<void> {
      const Context* const context = context_;
      if (context == nullptr) return fail(Code::kUnavailable, *closed_because_.lock());
      return work(*context);
    });
  }

  std::atomic<const Context*> context_ = nullptr;
  Deleter* deleter_ = nullptr;
  Sync<std::string> closed_because_{"the service is starting"};
  Slots downloads_;
  Slots looks_;
  Slots verifications_;
  Slots followers_;
  Slots audits_;
};

}  // namespace manman::api
