#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/sync.h"
#include "game/runtime/docker/engine_http.h"

namespace manman::docker {

using Labels = std::map<std::string, std::string>;

struct Container {
  std::string id;
  Labels labels;
};

struct ContainerState {
  bool started = false;  // at some time
  bool running = false;  // also while paused
  int exit_code = 0;
  bool out_of_memory = false;
  std::string error;                    // the engine's words on why it ended or did not start
  std::string stop_signal = "SIGTERM";  // or the one that the image names
};

// What of the Docker Engine API (https://docs.docker.com/engine/api/) is needed here. Versions from
// 1.41 (Docker 20.10) on; a newer one where the engine takes 1.41 no more. Thread-safe; every call
// has a deadline. An answer that is not as documented is kDataLoss naming the call.
class Engine {
 public:
  explicit Engine(const std::string& socket) : socket_(socket), http_(socket) {}

  // `spec` is the body in JSON. An image that is not there is kFailedPrecondition naming it; a name
  // that is taken kAlreadyExists. The new container's id.
  Result<std::string> create(const std::string& name, const std::string& image,
                             const std::string& spec);
  Result<void> start(const std::string& id);
  // Nothing when there is no such container.
  Result<std::optional<ContainerState>> inspect(const std::string& id);
  // All with these labels, whatever their state.
  Result<std::vector<Container>> list(const Labels& labels);
  // A container that does not run, or is not there, is success.
  Result<void> kill(const std::string& id, const std::string& signal);
  // Also one that runs. One that is not there is success.
  Result<void> remove(const std::string& id);
  // To its standard input, which stays open.
  Result<void> send_input(const std::string& id, std::string_view input);

  // The log from a moment ("1700000000.123456789"; "" from its beginning), both streams with
  // timestamps, as Demux takes it. It ends with what there is now, or (follow) with the container.
  struct LogRequest {
    std::string id;
    std::string since;
    bool follow = false;
    std::function<Result<void>(std::string_view)> take;
    std::function<bool()> go_on;  // asked while nothing comes; false ends it
    int wake_fd = -1;
  };
  // False when there is no such container.
  Result<bool> read_log(const LogRequest& request);

 private:
  Result<HttpAnswer> call(const std::string& method, const std::string& path,
                          const std::string& body = {},
                          std::chrono::milliseconds timeout = std::chrono::seconds(10));
  Result<std::string> versioned(const std::string& path);

  std::string socket_;
  EngineHttp http_;
  Sync<std::string> version_;  // "" until the engine has told
};

}  // namespace manman::docker
