#pragma once

#include <memory>

#include "game/runtime/runtime.h"

namespace manman {

// A program without an image is run by `process`, one with an image by `docker`; later calls find
// out by what stands in {gsc}/session-{id}/ which of the two has the game. Without a Docker runtime
// (null) such programs are kFailedPrecondition. Games that are processes never wait for Docker.
std::unique_ptr<Runtime> make_runtime_by_image(std::unique_ptr<Runtime> process,
                                               std::unique_ptr<Runtime> docker);

}  // namespace manman
