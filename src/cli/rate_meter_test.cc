#include "cli/rate_meter.h"

#include <gtest/gtest.h>

namespace manman::cli {
namespace {

using namespace std::chrono_literals;

RateMeter::Time at(std::chrono::milliseconds time) {
  return RateMeter::Time(time);
}

TEST(RateMeter, SteadyWorkHasItsRate) {
  RateMeter meter;
  EXPECT_EQ(meter.bytes_per_second(), 0);
  for (int tick = 0; tick <= 100; tick++)
    meter.add(at(tick * 200ms), static_cast<uint64_t>(tick) * 200'000);
  EXPECT_NEAR(meter.bytes_per_second(), 1e6, 1);
}

TEST(RateMeter, OldSpeedIsForgotten) {
  RateMeter meter;
  uint64_t done = 0;
  for (int tick = 0; tick < 100; tick++) meter.add(at(tick * 200ms), done += 2'000'000);
  for (int tick = 100; tick < 200; tick++) meter.add(at(tick * 200ms), done += 20'000);
  EXPECT_NEAR(meter.bytes_per_second(), 1e5, 1e4);
  for (int tick = 200; tick < 300; tick++) meter.add(at(tick * 200ms), done);
  EXPECT_EQ(meter.bytes_per_second(), 0);
}

TEST(RateMeter, AnotherAttemptStartsAnew) {
  RateMeter meter;
  meter.add(at(0ms), 0);
  meter.add(at(1000ms), 50'000'000);
  meter.add(at(2000ms), 1000);
  EXPECT_EQ(meter.bytes_per_second(), 0);
  meter.add(at(3000ms), 3000);
  EXPECT_NEAR(meter.bytes_per_second(), 2000, 1);
}

TEST(RateMeter, ManyCallsAtOnceDoNotDisturb) {
  RateMeter meter;
  for (int i = 0; i <= 100'000; i++)
    meter.add(at(std::chrono::milliseconds(i / 50)), static_cast<uint64_t>(i) * 20);
  EXPECT_NEAR(meter.bytes_per_second(), 1e6, 2e3);
}

TEST(Eta, RoundsUpAndAdmitsIgnorance) {
  EXPECT_EQ(eta_seconds({0, 1000, 300}), 4);
  EXPECT_EQ(eta_seconds({1000, 1000, 300}), 0);
  EXPECT_EQ(eta_seconds({1200, 1000, 300}), 0);
  EXPECT_EQ(eta_seconds({0, 0, 300}), std::nullopt);
  EXPECT_EQ(eta_seconds({0, 1000, 0}), std::nullopt);
  EXPECT_EQ(eta_seconds({0, UINT64_MAX, 1}), std::nullopt);
}

TEST(ProgressBar, ShowsShareRateAndEta) {
  const ProgressState state{52 << 20, 100 << 20, 10 << 20};
  const std::string bar = progress_bar("backup 5", state, 100);
  EXPECT_EQ(bar,
            "backup 5 [====================>                   ]   52%  52.0 MiB / 100.0 MiB  "
            "10.0 MiB/s  ETA 5s");
}

TEST(ProgressBar, NeverWiderThanTheTerminal) {
  const ProgressState state{52 << 20, 100 << 20, 10 << 20};
  for (size_t width = 0; width < 120; width++)
    EXPECT_LE(progress_bar("backup 5 running", state, width).size(), width);
  EXPECT_EQ(progress_bar("b", {10, 5, 0}, 80).find("200%"), std::string::npos);
}

TEST(ProgressLine, SaysWhatIsKnown) {
  EXPECT_EQ(progress_line("backup 5 pending", {}), "backup 5 pending");
  EXPECT_EQ(progress_line("x", {2048, 0, 0}), "x: 2.0 KiB");
  EXPECT_EQ(progress_line("x", {1024, 2048, 512}), "x: 50% (1.0 KiB of 2.0 KiB), 512 B/s, 2s left");
}

}  // namespace
}  // namespace manman::cli
