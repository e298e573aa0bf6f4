#pragma once

#include "game/runtime/docker/docker_runtime.h"
#include "game/runtime/docker/engine.h"

namespace manman::docker {

// A name that no two sessions of this machine share, so that the engine refuses a second one.
std::string container_name(const DockerConfig& config, const GameInstance& game);

// Those that every container of this host manager carries, and those of one session of it.
Labels host_labels(const DockerConfig& config);
Labels session_labels(const DockerConfig& config, const GameInstance& game);
// The instance that they were made of; nothing when they are no labels of this host manager.
std::optional<GameInstance> instance_of(const DockerConfig& config, const Labels& labels);

// The body that creates the container. What can't be run or said in it is kInvalidArgument.
Result<std::string> container_spec(const DockerConfig& config, const GameInstance& game,
                                   const GameProgram& program);

}  // namespace manman::docker
