#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "game/runtime/runtime.h"

namespace manman {

struct DockerConfig {
  std::string socket;  // path of the engine's unix socket
  int64_t server_id = 0;
  std::filesystem::path data_dir;  // holds the GSC directories
  std::string network = "bridge";  // the containers' network mode
};

// Games as containers of a Docker Engine on this machine. The engine keeps them, so a game outlives
// manman, and is found again by the id in {gsc}/session-{id}/ or by its labels: manman.type=game,
// manman.session_id, manman.sgc_id, manman.server_id, manman.data_dir and manman.gsc_dir (that of a
// drill is below data_dir/drills). Of containers with another manman.data_dir nothing is known
// here.
//
// {gsc}/game is mounted at the program's data path. The container runs as the user that the image
// names; its standard input stays open; ports are published unless the network mode is host, none
// or that of another container; it is none for a program that is kept apart. terminate() sends the
// image's stop signal, SIGTERM when it names none. The output is in {gsc}/session-{id}/output.log
// as with a process, for good.
//
// An image that is not there is kFailedPrecondition (it is not pulled), an engine that can't be
// reached kUnavailable or kPermissionDenied with what to do. A start whose answer did not come is
// an error; a container that runs all the same is ended by reap_orphans(). State, wait and start
// need the engine; what ended and was seen does not. All functions may be called from any thread.
std::unique_ptr<Runtime> make_docker_runtime(DockerConfig config);

}  // namespace manman
