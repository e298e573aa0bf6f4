#include "cli/config_fields.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "cli/handling_options.h"
#include "cli/port_binding.h"

namespace manman::cli {
namespace {

TEST(Quiesce, InputRegexAndTimeout) {
  auto step = parse_quiesce("save-all flush=>Saved the game=>60");
  ASSERT_TRUE(step);
  EXPECT_EQ(step->input(), "save-all flush");
  EXPECT_EQ(step->confirm_regex(), "Saved the game");
  EXPECT_EQ(step->timeout_seconds(), 60);
}

TEST(Quiesce, PartsMayBeLeftOut) {
  auto step = parse_quiesce("save-off");
  ASSERT_TRUE(step);
  EXPECT_EQ(step->confirm_regex(), "");
  EXPECT_EQ(step->timeout_seconds(), 0);
  step = parse_quiesce("save=>a=>b");
  ASSERT_TRUE(step);
  EXPECT_EQ(step->confirm_regex(), "a=>b");
  step = parse_quiesce("save=>=>5");
  ASSERT_TRUE(step);
  EXPECT_EQ(step->confirm_regex(), "");
  EXPECT_EQ(step->timeout_seconds(), 5);
}

TEST(Quiesce, WithoutInputIsRefused) {
  const auto step = parse_quiesce("=>Saved");
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().code, Code::kInvalidArgument);
  EXPECT_NE(step.error().message.find("--quiesce"), std::string::npos);
}

TEST(Env, NameAndValue) {
  EXPECT_EQ(parse_env("A=b=c").value(), std::pair(std::string("A"), std::string("b=c")));
  EXPECT_EQ(parse_env("A=").value().second, "");
  EXPECT_FALSE(parse_env("=x"));
  EXPECT_FALSE(parse_env("A"));
}

TEST(Port, HostGameAndProtocol) {
  EXPECT_EQ(port_text(parse_port("25566:25565/udp").value()), "25566:25565/udp");
  EXPECT_EQ(parse_port("25566:25565/udp")->container_port(), 25565);
  EXPECT_EQ(parse_port("25565")->protocol(), "TCP");
  EXPECT_EQ(port_text(parse_port("25565/TCP").value()), "25565:25565/tcp");
  for (const char* bad : {"", "0", "65536", "a", "1:2:3", "1:", ":1", "1/sctp", "1/", "-1", "1 "})
    EXPECT_FALSE(parse_port(bad)) << bad;
}

class ConfigFile : public testing::Test {
 protected:
  ConfigFile() {
    char name[] = "/tmp/manman-cli-XXXXXX";
    dir_ = ::mkdtemp(name);
  }
  ~ConfigFile() override { std::filesystem::remove_all(dir_); }

  Result<v1::GameConfig> read(const std::string& text) {
    std::ofstream(dir_ / "config.json") << text;
    return read_config_file(dir_ / "config.json");
  }

  std::filesystem::path dir_;
};

TEST_F(ConfigFile, WhatConfigGetPrints) {
  const auto config = read(R"({"config_id": 7, "game_id": 1, "name": "survival",
    "env_template": {"A": "b"}, "entrypoint": ["java"], "command": ["-jar", "s.jar"],
    "stop_command": "stop", "stop_grace_seconds": 20,
    "quiesce": [{"input": "save-off", "confirm_regex": "disabled", "timeout_seconds": 9}],
    "resume": ["save-on"], "data_path": "/srv"})");
  ASSERT_TRUE(config) << config.error().text();
  const auto request = create_request(*config);
  EXPECT_EQ(request.game_id(), 1);
  EXPECT_EQ(request.name(), "survival");
  EXPECT_EQ(request.env_template().at("A"), "b");
  EXPECT_EQ(request.command(1), "s.jar");
  EXPECT_EQ(request.stop_grace_seconds(), 20);
  EXPECT_EQ(request.quiesce(0).timeout_seconds(), 9);
  EXPECT_EQ(request.resume(0), "save-on");
  EXPECT_EQ(request.data_path(), "/srv");
}

TEST_F(ConfigFile, WhatItSaysItselfIsTakenAndNotWhatCounts) {
  const auto config = read(R"({"game_id": 1, "name": "survival", "entrypoint": ["java"],
    "stop_command": "stop", "stop_grace_seconds": 120, "profile": "minecraft-java",
    "quiesce": [{"input": "save-off"}], "resume": ["save-on"],
    "handling": {"stop_command": null, "leave_out": ["/x/"], "rcon": null, "no_quiesce": false},
    "effective_handling": {"stop_command": "stop", "leave_out": ["/logs/", "/x/"]}})");
  ASSERT_TRUE(config) << config.error().text();
  const auto request = create_request(*config);
  EXPECT_EQ(request.profile(), "minecraft-java");
  EXPECT_EQ(request.stop_command(), "");
  EXPECT_EQ(request.quiesce_size(), 0);
  EXPECT_FALSE(request.handling().has_stop_command());
  EXPECT_FALSE(request.handling().has_rcon());
  ASSERT_EQ(request.handling().leave_out_size(), 1);
}

TEST(HandlingOptions, OnlyWhatIsSaidIsSet) {
  v1::Handling handling;
  ASSERT_TRUE(apply({}, handling));
  EXPECT_EQ(handling.ByteSizeLong(), 0U);
  HandlingOptions options;
  options.rcon_port = 25575;
  options.quiesce = {"save-off", "save-all=>Saved"};
  options.unconfirmed = "go-on";
  handling.add_resume("save-on");
  ASSERT_TRUE(apply(options, handling));
  EXPECT_EQ(handling.rcon().port(), 25575);
  EXPECT_FALSE(handling.rcon().has_secret());
  EXPECT_EQ(handling.quiesce(1).confirm_regex(), "Saved");
  EXPECT_EQ(handling.resume(0), "save-on");
  EXPECT_EQ(handling.unconfirmed(), "go-on");
  options.quiesce = {"=>x"};
  EXPECT_FALSE(apply(options, handling));
}

TEST_F(ConfigFile, ErrorsNameFileAndField) {
  for (const auto& [text, field] : std::vector<std::pair<std::string, std::string>>{
           {R"({"nmae": "x"})", "nmae"},
           {R"({"stop_grace_seconds": "soon"})", "stop_grace_seconds"},
           {R"({"quiesce": [{"inptu": "x"}]})", "inptu"},
           {"{", "config.json"},
           {"", "config.json"}}) {
    const auto config = read(text);
    ASSERT_FALSE(config) << text;
    EXPECT_EQ(config.error().code, Code::kInvalidArgument);
    EXPECT_NE(config.error().message.find(field), std::string::npos) << config.error().message;
  }
  EXPECT_EQ(read_config_file(dir_ / "none").error().code, Code::kNotFound);
}

}  // namespace
}  // namespace manman::cli
