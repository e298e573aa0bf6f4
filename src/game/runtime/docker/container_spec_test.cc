#include "game/runtime/docker/container_spec.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace manman::docker {
namespace {

using nlohmann::json;

const DockerConfig kConfig{.socket = "/s", .server_id = 3, .data_dir = "/data"};
const GameInstance kGame{12, 7, "/data/gsc-test-7"};

json spec(const GameProgram& program, const DockerConfig& config = kConfig) {
  const auto text = container_spec(config, kGame, program);
  EXPECT_TRUE(text) << text.error().message;
  return text ? json::parse(*text) : json();
}

TEST(ContainerSpec, SaysHowTheGameRuns) {
  const json body = spec({.image = "game:1",
                          .argv = {"java", "-jar", "server.jar"},
                          .env = {{"EULA", "true"}},
                          .entrypoint_words = 1,
                          .data_path = "/srv",
                          .ports = {{25565, 30000, false}, {19132, 30001, true}}});
  EXPECT_EQ(body["Image"], "game:1");
  EXPECT_EQ(body["Entrypoint"], json({"java"}));
  EXPECT_EQ(body["Cmd"], json({"-jar", "server.jar"}));
  EXPECT_EQ(body["Env"], json({"EULA=true"}));
  EXPECT_EQ(body["HostConfig"]["Mounts"][0]["Source"], "/data/gsc-test-7/game");
  EXPECT_EQ(body["HostConfig"]["Mounts"][0]["Target"], "/srv");
  EXPECT_EQ(body["HostConfig"]["PortBindings"]["25565/tcp"][0]["HostPort"], "30000");
  EXPECT_EQ(body["HostConfig"]["PortBindings"]["19132/udp"][0]["HostPort"], "30001");
  EXPECT_TRUE(body["ExposedPorts"].contains("19132/udp"));
}

TEST(ContainerSpec, LeavesToTheImageWhatTheConfigDoesNotSay) {
  const json bare = spec({.image = "game:1"});
  EXPECT_FALSE(bare.contains("Entrypoint") || bare.contains("Cmd"));
  EXPECT_EQ(bare["HostConfig"]["Mounts"][0]["Target"], kDefaultDataPath);
  EXPECT_FALSE(spec({.image = "game:1", .argv = {"nogui"}}).contains("Entrypoint"));
}

TEST(ContainerSpec, PublishesNoPortsWhereTheNetworkHasNone) {
  for (const std::string network : {"host", "none", "container:abc"}) {
    DockerConfig config = kConfig;
    config.network = network;
    const json body = spec({.image = "game:1", .ports = {{1, 2, false}}}, config);
    EXPECT_EQ(body["HostConfig"]["NetworkMode"], network);
    EXPECT_FALSE(body["HostConfig"].contains("PortBindings"));
  }
}

TEST(ContainerSpec, RefusesWhatItCannotSay) {
  EXPECT_FALSE(container_spec(kConfig, kGame, {.image = ""}));
  EXPECT_FALSE(container_spec(kConfig, kGame, {.image = "a", .argv = {"\xff"}}));
  EXPECT_FALSE(container_spec(kConfig, kGame, {.image = "a", .entrypoint_words = 1}));
}

TEST(ContainerSpec, LabelsLeadBackToTheInstance) {
  Labels labels = session_labels(kConfig, kGame);
  labels["of.image"] = "x";
  const auto game = instance_of(kConfig, labels);
  ASSERT_TRUE(game);
  EXPECT_EQ(game->session_id, 12);
  EXPECT_EQ(game->gsc_dir, kGame.gsc_dir);
}

TEST(ContainerSpec, ADrillsGameIsFoundInTheFolderOfDrillsAlone) {
  const GameInstance drill{-12, 7, kConfig.data_dir / "drills/drill-12"};
  const auto found = instance_of(kConfig, session_labels(kConfig, drill));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->session_id, -12);
  EXPECT_FALSE(instance_of(kConfig, session_labels(kConfig, {12, 7, drill.gsc_dir})));
  EXPECT_NE(container_name(kConfig, drill), container_name(kConfig, {12, 7, drill.gsc_dir}));
}

TEST(ContainerSpec, WhatIsKeptApartHasNoNetworkAndNoPorts) {
  GameProgram program{.image = "a", .ports = {{.container_port = 1, .host_port = 2}}};
  program.apart = Apart{};
  const json body = spec(program);
  EXPECT_EQ(body["HostConfig"]["NetworkMode"], "none");
  EXPECT_FALSE(body["HostConfig"].contains("PortBindings"));
}

TEST(ContainerSpec, LabelsOfOthersLeadNowhere) {
  for (const auto& [name, value] : Labels{{"manman.type", "other"},
                                          {"manman.server_id", "4"},
                                          {"manman.data_dir", "/elsewhere"},
                                          {"manman.gsc_dir", "/elsewhere/gsc-test-7"},
                                          {"manman.gsc_dir", ""},
                                          {"manman.session_id", "12x"},
                                          {"manman.session_id", "-1"},
                                          {"manman.sgc_id", "99999999999999999999"}}) {
    Labels labels = session_labels(kConfig, kGame);
    labels[name] = value;
    EXPECT_FALSE(instance_of(kConfig, labels)) << name << "=" << value;
  }
  EXPECT_FALSE(instance_of(kConfig, {}));
}

TEST(ContainerSpec, NamesDifferByDataFolder) {
  DockerConfig other = kConfig;
  other.data_dir = "/other";
  EXPECT_NE(container_name(kConfig, kGame), container_name(other, kGame));
}

}  // namespace
}  // namespace manman::docker
