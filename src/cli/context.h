#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "cli/client.h"

namespace manman::cli {

// The options that every command takes.
struct Globals {
  std::string api = "127.0.0.1:50051";
  TlsFiles api_tls;
  std::string output = "text";  // or "json"
  int timeout_seconds = 10;     // for one answer of the service
  bool quiet = false;           // ids only, no progress

  bool json() const { return output == "json"; }
};

// What the commands share. Each command's parser callback puts its work into `action`, which runs
// once the whole command line has been found good; it returns the exit code.
class Context {
 public:
  Globals globals;
  std::function<Result<int>()> action;

  // The connection to the service, made at the first use. kInvalidArgument for a bad --api.
  Result<Client*> client();

 private:
  std::unique_ptr<Client> client_;
};

}  // namespace manman::cli
