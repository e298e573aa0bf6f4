#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "base/file.h"
#include "base/log.h"
#include "base/sync.h"
#include "game/runtime/docker/engine.h"
#include "game/runtime/docker/output_log.h"

namespace manman::docker {

// Writes a container's output to its file, on a thread of its own, until the container has ended
// and all of its output is there. When the engine goes away it goes on once that is back.
class OutputRecorder {
 public:
  // The engine must outlive it. kResourceExhausted when there is no thread.
  static Result<std::unique_ptr<OutputRecorder>> start(Engine& engine, std::string container_id,
                                                       SessionDir files, About about);
  ~OutputRecorder();

  // True once the container has ended or is gone.
  bool wait_ended(std::chrono::milliseconds timeout);
  // True once all of its output is written as well.
  bool wait_complete(std::chrono::milliseconds timeout);

 private:
  OutputRecorder(Engine& engine, std::string container_id, SessionDir files, About about,
                 UniqueFd wake)
      : engine_(engine),
        container_id_(std::move(container_id)),
        files_(std::move(files)),
        about_(about),
        wake_(std::move(wake)) {}

  void run();
  Result<bool> record_to_end();
  Result<bool> read_once(OutputLog& output, bool follow);
  Result<bool> runs();
  bool goes_on(bool follow);
  void note(const Error& error);

  Engine& engine_;
  const std::string container_id_;
  const SessionDir files_;
  const About about_;
  const UniqueFd wake_;
  std::string noted_;  // the error that was logged last
  std::atomic<bool> stopping_{false};
  struct Progress {
    bool ended = false;
    bool complete = false;
  };
  Sync<Progress> progress_;
  std::jthread thread_;
};

}  // namespace manman::docker
