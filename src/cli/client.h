#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/tls.h"
#include "manman/v1/manman.pb.h"

// The unary calls of the service: one name for each.
// clang-format off
#define MANMAN_CLI_CALLS(CALL)                                                            \
  CALL(CreateBackup) CALL(ListBackups) CALL(GetBackup) CALL(DeleteBackup)                 \
  CALL(CancelBackup) CALL(PinBackup)                                                      \
  CALL(StartSession) CALL(StopSession) CALL(GetSession) CALL(ListSessions)                \
  CALL(SendInput) CALL(UndoRestore)                                                       \
  CALL(RegisterServer) CALL(ListServers) CALL(GetServer) CALL(DeleteServer)               \
  CALL(CreateGame) CALL(ListGames) CALL(GetGame) CALL(DeleteGame)                         \
  CALL(CreateGameConfig) CALL(ListGameConfigs) CALL(GetGameConfig) CALL(DeleteGameConfig) \
  CALL(DeployGameConfig) CALL(ListServerGameConfigs) CALL(GetServerGameConfig)            \
  CALL(DeleteServerGameConfig) CALL(UpdateServerGameConfig)                               \
  CALL(CreateBackupPolicy) CALL(GetBackupPolicy) CALL(ListBackupPolicies)                 \
  CALL(UpdateBackupPolicy) CALL(DeleteBackupPolicy) CALL(RunBackupPolicy)                 \
  CALL(ListPolicyRuns)                                                                    \
  CALL(UpdateServer) CALL(ListEvents)                                                     \
  CALL(CreateWebhook) CALL(GetWebhook) CALL(ListWebhooks) CALL(UpdateWebhook)             \
  CALL(DeleteWebhook) CALL(TestWebhook) CALL(ListWebhookDeliveries)                       \
  CALL(ListProfiles) CALL(GetProfile)                                                     \
  CALL(DrillBackup) CALL(GetDrill) CALL(ListDrills)
// Those that answer with a stream of messages.
#define MANMAN_CLI_STREAMS(CALL)                                                          \
  CALL(DownloadBackup) CALL(ListBackupEntries) CALL(ReadBackupFile) CALL(DiffBackups)     \
  CALL(VerifyBackup) CALL(PreviewRetention) CALL(FollowEvents) CALL(AuditStore)
// clang-format on

namespace manman::cli {

// The service, as a command sees it. Errors carry the service's code, message and hint. A service
// that can't be reached or does not answer within the timeout is kUnavailable, with its
// address and how to start it; the connection is made again by itself at the next call. One
// thread at a time.
class Client {
 public:
  // With a CA in tls the connection is by TLS, and the service must be certified by it for the name
  // in the address; a certificate there is shown to a service that asks for one.
  static Result<std::unique_ptr<Client>> create(std::string address, const TlsFiles& tls,
                                                std::chrono::milliseconds timeout);
  ~Client();

// Result<v1::GetBackupResponse> call(const v1::GetBackupRequest&), and so on: the type of the
// request says which call it is.
#define MANMAN_CLI_DECLARE(name) Result<v1::name##Response> call(const v1::name##Request& request);
  MANMAN_CLI_CALLS(MANMAN_CLI_DECLARE)
#undef MANMAN_CLI_DECLARE

// Result<void> read(const v1::DownloadBackupRequest&, take, stop), and so on: gives each message to
// take, whose error ends the call. The timeout is for each message. stop is asked often; true ends
// the call with kCancelled.
#define MANMAN_CLI_DECLARE(name)                                                        \
  Result<void> read(const v1::name##Request& request,                                   \
                    const std::function<Result<void>(const v1::name##Response&)>& take, \
                    const std::function<bool()>& stop);
  MANMAN_CLI_STREAMS(MANMAN_CLI_DECLARE)
#undef MANMAN_CLI_DECLARE

 private:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace manman::cli
