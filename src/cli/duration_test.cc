#include "cli/duration.h"

#include <gtest/gtest.h>

namespace manman::cli {
namespace {

TEST(Duration, IsReadFromTheLargestUnitDown) {
  EXPECT_EQ(parse_duration("--every", "90s"), 90);
  EXPECT_EQ(parse_duration("--every", "10m"), 600);
  EXPECT_EQ(parse_duration("--every", "1h30m"), 5400);
  EXPECT_EQ(parse_duration("--every", "2d"), 172800);
  for (const char* text : {"", "10", "m", "-5m", "1m1h", "1m1m", "5x", "1.5h", "99999d", "5m "})
    EXPECT_FALSE(parse_duration("--every", text)) << text;
  EXPECT_EQ(parse_duration("--jitter", "soon").error().message,
            "--jitter 'soon': wants a time such as 90s, 10m, 1h30m or 2d");
}

}  // namespace
}  // namespace manman::cli
