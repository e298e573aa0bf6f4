#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/examine_rule.h"
#include "base/tls.h"
#include "cli/s3_bucket.h"

namespace manman::cli {

// Exit codes, for scripts.
enum ExitCode : int {
  kOk = 0,
  kFailed = 1,       // it was tried and did not succeed
  kUsage = 2,        // the words on the command line are wrong, or a field's value is
  kNotFound = 3,     // what was named is not there
  kRefused = 4,      // not allowed in the present state (FAILED_PRECONDITION, ALREADY_EXISTS, …)
  kUnreachable = 5,  // the service does not answer
  kPartial = 6,      // a part of it was done, and the output says what was not
  kDamaged = 7,      // what was examined has problems, and the output says which
};

// The settings of the processes of the service; each has a use for a part of them.
struct ServiceOptions {
  std::filesystem::path state = ".manman";  // of serve
  std::string grpc = "127.0.0.1:50051";
  TlsFiles grpc_tls;
  std::string http = "127.0.0.1:8080";  // of a host: "" for none
  std::string store;                    // a folder or s3://BUCKET; "": see complete()
  std::string bucket = "manman";
  S3Settings s3;
  std::string db;   // sqlite:PATH or postgres://…; "": {state}/manman.db
  std::string bus;  // amqp://… or amqps://…; "": in process
  std::filesystem::path bus_ca;
  std::string api;  // where a host finds the API
  TlsFiles api_tls;
  std::string server_name;  // "": the machine's name
  std::string environment = "local";
  std::filesystem::path data_dir;  // "": {state}/data
  std::string log_level = "info";
  std::filesystem::path profiles;  // a folder of profiles besides the built-in ones; "": none
  int lease_seconds = 60;
  int max_verifications = 2;
  std::string verify_after_upload = "head";  // or "none", "full"
  int verify_every_days = 0;
  uint32_t verify_bandwidth_kib = 0;
  int keep_events_days = 365;
  bool webhook_allow_local = false;
  std::filesystem::path webhook_ca;
  int threads = 0;
  std::string backup_priority = "low";  // or "normal"
  uint32_t backup_bandwidth_kib = 0;
  uint32_t backup_read_rate_kib = 0;
  int max_pause_seconds = 120;
  int keep_replaced_hours = 24;
  int keep_sessions = 10;
  int keep_session_days = 30;
  int max_output_mib = 64;
  std::string docker_socket = "/var/run/docker.sock";  // "": no containers
  std::string docker_network = "bridge";
  int orphan_grace_seconds = 600;
};

// What the command line starts but does not know how to build; main.cc gives these.
struct Programs {
  std::function<int(const ServiceOptions&)> serve;
  std::function<int(const ServiceOptions&)> api;
  std::function<int(const ServiceOptions&)> host;
  std::function<int(const ServiceOptions&)> migrate;
  std::function<int(const std::filesystem::path&)> game_wrapper;
  std::function<int(const ServiceOptions&)> resume_guard;
  // What a game's profile, by its name or its own file NAME.json, says of how its files are
  // examined.
  std::function<Result<std::vector<ExamineRule>>(const std::string&)> examine_rules;
};

// The whole command line; returns the process' exit code.
int run(int argc, char** argv, const Programs& programs);

}  // namespace manman::cli
