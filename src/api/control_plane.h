#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "api/profiles.h"
#include "base/error.h"
#include "base/time.h"
#include "base/tls.h"
#include "bus/bus.h"
#include "db/database.h"
#include "domain/verify_rules.h"
#include "store/store.h"

namespace manman::api {

struct ApiConfig {
  std::string grpc_address = "127.0.0.1:50051";  // port 0: any free one
  TlsFiles grpc_tls;                             // none: in clear
  std::string http_address = "127.0.0.1:8080";
  std::chrono::milliseconds lease{60000};       // a silent host loses its job after this
  int max_attempts = 3;                         // of one backup
  std::chrono::milliseconds job_interval{500};  // of relay (also woken at once), and the other jobs
  std::chrono::milliseconds offline_after{20000};
  int max_verifications = 2;  // of archives, at a time, that are asked for
  VerifyRules verify;
  int keep_events_days = 365;
  bool webhooks_to_local = false;    // loopback and link-local receivers are allowed
  std::filesystem::path webhook_ca;  // certificates to trust of receivers; "": the system's
  Profiles profiles = built_in_profiles();
};

// The API process: gRPC service, HTTP listener, consumer of status, and the jobs (outbox relay,
// reaper, deleter, scheduler). Keeps no state but what is in the database.
class ControlPlane {
 public:
  explicit ControlPlane(ApiConfig config, Clock& clock = system_clock());
  ~ControlPlane();  // stop()

  // From now on clients get an answer: that nothing is ready, and UNAVAILABLE to each call. A port
  // that is in use is kUnavailable naming the address.
  Result<void> listen();
  // What clients are told meanwhile: that the database, the bus or the store (so called) is away.
  void waits_for(const std::string& part, const Error& why);
  // After listen(): begins to work. database (migrated), bus and store must outlive it.
  Result<void> start(db::Database& database, Bus& bus, Store& store);
  // Ends calls at work within some seconds, then all threads.
  void stop();

  // What /metrics tells beside its own, until the caller takes it away again with nullptr.
  // Thread-safe.
  void add_metrics(std::function<std::string()> more);

  // Where it listens, with the real port: "127.0.0.1:50051".
  std::string grpc_address() const;
  std::string http_address() const;

  // The server of this name, made when there is none; its id. After start().
  Result<int64_t> register_server(const std::string& name, const std::string& environment);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace manman::api
