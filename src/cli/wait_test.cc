#include "cli/wait.h"

#include <gtest/gtest.h>

namespace manman::cli {
namespace {

using namespace std::chrono_literals;

constexpr WaitOptions kFast{1ms, 50ms};

TEST(Wait, UntilItHolds) {
  int calls = 0;
  EXPECT_TRUE(wait_until([&]() -> Result<bool> { return ++calls == 3; }, kFast));
  EXPECT_EQ(calls, 3);
}

TEST(Wait, BearsAServiceThatComesBack) {
  int calls = 0;
  EXPECT_TRUE(wait_until(
      [&]() -> Result<bool> {
        if (++calls < 10) return fail(Code::kUnavailable, "away");
        return true;
      },
      kFast));
}

TEST(Wait, GivesUpWhenItStaysAway) {
  const auto begun = std::chrono::steady_clock::now();
  const auto waited =
      wait_until([]() -> Result<bool> { return fail(Code::kUnavailable, "away"); }, kFast);
  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error().code, Code::kUnavailable);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, 50ms);
}

TEST(Wait, OtherErrorsEndItAtOnce) {
  int calls = 0;
  const auto waited = wait_until(
      [&]() -> Result<bool> {
        calls++;
        return fail(Code::kNotFound, "no backup 5");
      },
      kFast);
  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error().code, Code::kNotFound);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace manman::cli
