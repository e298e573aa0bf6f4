#include "game/runtime/docker/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "game/runtime/docker/engine_for_tests.h"

namespace manman::docker {
namespace {

using testing::HasSubstr;

const std::string kVersions = R"({"ApiVersion":"1.50","MinAPIVersion":"1.24"})";

// An engine that says this to all but the question for its version.
EngineForTests::Answer says(const std::string& answer, const std::string& versions = kVersions) {
  return [=](const std::string& line) {
    return line.starts_with("GET /version ") ? EngineForTests::http(200, versions) : answer;
  };
}
EngineForTests::Answer says(int status, const std::string& body) {
  return says(EngineForTests::http(status, body));
}

std::string running_json() {
  return R"({"State":{"Status":"running","Running":true,"ExitCode":0,"StartedAt":"2026-01-01",)"
         R"("Error":"","OOMKilled":false},"Config":{"StopSignal":"SIGINT"}})";
}

TEST(Engine, ThatIsNotThereSaysWhatToDo) {
  Engine engine("/nowhere/docker.sock");
  const auto state = engine.inspect("a");
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, Code::kUnavailable);
  EXPECT_THAT(state.error().text(), HasSubstr("/nowhere/docker.sock"));
  EXPECT_THAT(state.error().text(), HasSubstr("DOCKER_SOCKET"));
  const auto sent = engine.send_input("a", "x");
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, Code::kUnavailable);
}

TEST(Engine, SpeaksTheOldestVersionThatServes) {
  const std::pair<std::string, std::string> cases[] = {
      {R"({"ApiVersion":"1.41","MinAPIVersion":"1.12"})", "GET /v1.41/"},
      {R"({"ApiVersion":"1.41"})", "GET /v1.41/"},
      {R"({"ApiVersion":"1.60","MinAPIVersion":"1.44"})", "GET /v1.44/"},
      {R"({"ApiVersion":"2.3","MinAPIVersion":"2.0"})", "GET /v2.0/"}};
  for (const auto& [versions, wanted] : cases) {
    EngineForTests server(says(EngineForTests::http(200, running_json()), versions));
    Engine engine(server.socket());
    EXPECT_TRUE(engine.inspect("a"));
    EXPECT_TRUE(engine.inspect("a"));
    ASSERT_EQ(server.requests().size(), 3U);
    EXPECT_THAT(server.requests()[1], HasSubstr(wanted));
  }
}

TEST(Engine, OfAnotherKindIsRefused) {
  for (const std::string versions :
       {R"({"ApiVersion":"1.40"})", R"({"ApiVersion":"1"})", R"({"ApiVersion":"1.x"})",
        R"({"ApiVersion":141})", R"({})", R"([])", R"(1.41)", "", R"({"ApiVersion":"1.41/../"})"}) {
    EngineForTests server(says(EngineForTests::http(200, running_json()), versions));
    Engine engine(server.socket());
    EXPECT_FALSE(engine.inspect("a")) << versions;
    EXPECT_EQ(server.requests().size(), 1U);
  }
}

TEST(Engine, TellsHowAContainerIs) {
  EngineForTests server(says(200, running_json()));
  Engine engine(server.socket());
  const auto state = engine.inspect("a");
  ASSERT_TRUE(state && *state);
  EXPECT_TRUE((*state)->running && (*state)->started);
  EXPECT_EQ((*state)->stop_signal, "SIGINT");
}

TEST(Engine, HostileAnswersAreErrors) {
  for (const std::string body :
       {"", "{", "null", "[]", R"({"State":[]})", R"({"State":{"Status":7}})",
        R"({"State":{"Status":"running","Running":"yes","ExitCode":0},"Config":{}})",
        R"({"State":{"Status":"running","Running":true,"ExitCode":"0"},"Config":{}})",
        R"({"State":{"Status":"running","Running":true,"ExitCode":0}})"}) {
    EngineForTests server(says(200, body));
    Engine engine(server.socket());
    const auto state = engine.inspect("a");
    ASSERT_FALSE(state) << body;
    EXPECT_EQ(state.error().code, Code::kDataLoss);
  }
  EngineForTests deep(says(200, std::string(100'000, '[')));
  EXPECT_FALSE(Engine(deep.socket()).list({}));
}

TEST(Engine, BrokenHttpIsAnError) {
  for (const std::string& answer :
       {std::string(), std::string("no http at all"), std::string("HTTP/1.1 200 OK\r\n"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}"),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        "HTTP/1.1 200 OK\r\nX: " + std::string(1 << 20, 'x')}) {
    EngineForTests server(says(answer));
    Engine engine(server.socket());
    EXPECT_FALSE(engine.inspect("a")) << answer.substr(0, 100);
    EXPECT_FALSE(engine.send_input("a", "x")) << answer.substr(0, 100);
  }
}

TEST(Engine, AnswerIsBounded) {
  EngineForTests server(says(200, std::string(EngineHttp::kMaxBodyBytes + 1, ' ')));
  Engine engine(server.socket());
  const auto listed = engine.list({});
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().code, Code::kOutOfRange);
}

TEST(Engine, ItsWordsArePassedOn) {
  EngineForTests server(says(500, R"({"message":"port is already allocated"})"));
  Engine engine(server.socket());
  const auto started = engine.start("a");
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("port is already allocated"));
  EngineForTests mute(says(500, "<html>"));
  const auto failed = Engine(mute.socket()).start("a");
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("500"));
}

TEST(Engine, ImageThatIsNotThereIsNamed) {
  EngineForTests server(says(404, R"({"message":"No such image: game:9"})"));
  Engine engine(server.socket());
  const auto created = engine.create("name", "game:9", "{}");
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().code, Code::kFailedPrecondition);
  EXPECT_THAT(created.error().text(), HasSubstr("docker pull game:9"));
}

TEST(Engine, WhatIsNotThereNeedsNoEnd) {
  EngineForTests server(says(404, R"({"message":"No such container"})"));
  Engine engine(server.socket());
  EXPECT_TRUE(engine.kill("a", "SIGKILL"));
  EXPECT_TRUE(engine.remove("a"));
  const auto state = engine.inspect("a");
  EXPECT_TRUE(state && !*state);
  const auto read = engine.read_log({.id = "a", .take = {}, .go_on = [] { return true; }});
  EXPECT_TRUE(read && !*read);
}

TEST(Engine, LogIsTakenAsItComesUntilTheTakerFails) {
  EngineForTests server(says(200, "some bytes"));
  Engine engine(server.socket());
  std::string taken;
  const auto go_on = [] { return true; };
  const auto read = engine.read_log({.id = "a",
                                     .take = [&](std::string_view bytes) -> Result<void> {
                                       taken += bytes;
                                       return {};
                                     },
                                     .go_on = go_on});
  EXPECT_TRUE(read && *read);
  EXPECT_EQ(taken, "some bytes");
  const auto failed = engine.read_log({.id = "a",
                                       .take = [](std::string_view) -> Result<void> {
                                         return fail(Code::kResourceExhausted, "disk full");
                                       },
                                       .go_on = go_on});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::kResourceExhausted);
}

TEST(Engine, LogThatBreaksOffIsAnError) {
  EngineForTests server(says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"));
  Engine engine(server.socket());
  EXPECT_FALSE(engine.read_log({.id = "a",
                                .take = [](std::string_view) { return Result<void>(); },
                                .go_on = [] { return true; }}));
}

TEST(Engine, InputIsRefusedInTheEnginesWords) {
  EngineForTests server(says(409, R"({"message":"container is paused"})"));
  Engine engine(server.socket());
  const auto sent = engine.send_input("a", "x");
  ASSERT_FALSE(sent);
  EXPECT_THAT(sent.error().message, HasSubstr("container is paused"));
}

TEST(Engine, NamesAndLabelsCannotBreakOutOfTheirPlace) {
  EngineForTests server(says(200, "[]"));
  Engine engine(server.socket());
  EXPECT_TRUE(engine.list({{"manman.data_dir", "/a b\"&all=0\r\n\xff"}}));
  (void)engine.inspect("../x?y");
  for (const std::string& line : server.requests()) {
    EXPECT_EQ(std::ranges::count(line, ' '), 2) << line;
    EXPECT_THAT(line, testing::Not(HasSubstr("all=0")));
    EXPECT_THAT(line, testing::Not(HasSubstr("../")));
  }
}

}  // namespace
}  // namespace manman::docker
