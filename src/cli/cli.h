#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace manman::cli {

// Exit codes, for scripts.
enum ExitCode : int {
  kOk = 0,
  kFailed = 1,       // it was tried and did not succeed
  kUsage = 2,        // the words on the command line are wrong, or a field's value is
  kNotFound = 3,     // what was named is not there
  kRefused = 4,      // not allowed in the present state (FAILED_PRECONDITION, ALREADY_EXISTS, …)
  kUnreachable = 5,  // the service does not answer
};

struct ServeOptions {
  std::filesystem::path state = ".manman";
  std::string grpc = "127.0.0.1:50051";
  std::string http = "127.0.0.1:8080";
  std::string store;  // "": {state}/store
  std::string db;     // "": sqlite:{state}/manman.db
  std::string bus;    // "": in process
  std::string bucket = "manman";
  std::string server_name;  // "": the machine's name
  std::string environment = "local";
  std::filesystem::path data_dir;  // "": {state}/data
  std::string log_level = "info";
  int lease_seconds = 60;
  int threads = 0;
  int keep_replaced_hours = 24;
  std::string docker_socket = "/var/run/docker.sock";  // "": no containers
  std::string docker_network = "bridge";
  int orphan_grace_seconds = 600;
};

// What the command line starts but does not know how to build; main.cc gives these.
struct Programs {
  std::function<int(const ServeOptions&)> serve;
  std::function<int(const std::filesystem::path&)> game_wrapper;
};

// The whole command line; returns the process' exit code.
int run(int argc, char** argv, const Programs& programs);

}  // namespace manman::cli
