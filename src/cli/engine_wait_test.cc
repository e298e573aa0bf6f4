#include "cli/engine_wait.h"

#include <gtest/gtest.h>

namespace manman::cli {
namespace {

const OnAway kNoMatter = [](const std::string&, const Error&) {};

TEST(OpenEngines, WaitsForWhatIsAwayAndOpensEachOnce) {
  int database = 0;
  int bus = 0;
  std::vector<std::string> away;
  const auto open = open_engines({{.part = "database",
                                   .setting = "--db",
                                   .open = [&]() -> Result<void> {
                                     if (++database < 3)
                                       return fail(Code::kUnavailable, "connection refused");
                                     return {};
                                   }},
                                  {.part = "bus",
                                   .setting = "--bus",
                                   .open = [&]() -> Result<void> {
                                     bus++;
                                     return {};
                                   }}},
                                 [&](const std::string& part, const Error& why) {
                                   away.push_back(part + ": " + why.message);
                                 });
  ASSERT_TRUE(open);
  EXPECT_TRUE(*open);
  EXPECT_EQ(database, 3);
  EXPECT_EQ(bus, 1);
  EXPECT_EQ(away, std::vector<std::string>(2, "database: connection refused"));
}

TEST(OpenEngines, AWrongSettingIsFinalAlsoWhileAnotherEngineIsAway) {
  int wrong = 0;
  const auto open = open_engines(
      {{.part = "store",
        .setting = "--store",
        .open = []() -> Result<void> { return fail(Code::kUnavailable, "connection refused"); }},
       {.part = "bus",
        .setting = "--bus",
        .open = [&]() -> Result<void> {
          wrong++;
          return fail(Code::kUnauthenticated, "RABBITMQ_URL: the password is refused");
        }}},
      kNoMatter);
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().message, "RABBITMQ_URL: the password is refused");
  EXPECT_EQ(wrong, 1);
}

}  // namespace
}  // namespace manman::cli
