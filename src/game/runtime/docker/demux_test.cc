#include "game/runtime/docker/demux.h"

#include <gtest/gtest.h>

#include <random>

namespace manman::docker {
namespace {

constexpr std::string_view kTime = "2026-01-31T12:00:00.000000001Z";

std::string frame(char stream, const std::string& contents) {
  std::string bytes{stream, 0, 0, 0};
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes += static_cast<char>(contents.size() >> shift & 0xff);
  return bytes + contents;
}
std::string entry(char stream, const std::string& text) {
  return frame(stream, std::string(kTime) + " " + text);
}

struct Taken {
  std::string text;
  Result<void> result;
};

// What comes out of a stream that arrives in pieces of this size.
Taken feed(std::string_view bytes, size_t piece) {
  Taken taken;
  Demux demux;
  while (!bytes.empty() && taken.result) {
    taken.result = demux.feed(bytes.substr(0, piece), [&](const LogEntry& found) -> Result<void> {
      EXPECT_EQ(found.timestamp, kTime);
      taken.text += "[" + std::string(found.bytes) + "]";
      return {};
    });
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  return taken;
}

TEST(Demux, GivesEntriesHoweverTheyArrive) {
  const std::string stream =
      entry(1, "one\n") + entry(2, "") + entry(1, std::string("\0\n\xff", 3)) + entry(0, "end");
  for (const size_t piece : {1U, 2U, 7U, 8U, 9U, 1000U}) {
    const Taken taken = feed(stream, piece);
    EXPECT_TRUE(taken.result);
    EXPECT_EQ(taken.text, std::string("[one\n][][\0\n\xff][end]", 18));
  }
}

TEST(Demux, KeepsAnIncompleteFrameToItself) {
  std::string stream = entry(1, "one\n") + entry(1, "two\n");
  stream.pop_back();
  const Taken taken = feed(stream, stream.size());
  EXPECT_TRUE(taken.result);
  EXPECT_EQ(taken.text, "[one\n]");
}

TEST(Demux, RefusesWhatIsNoLogStream) {
  const std::string bad[] = {
      "HTTP/1.1 200 OK\r\n\r\n",
      frame(4, std::string(kTime) + " stream 4"),
      std::string("\1\0\0\0\xff\xff\xff\xff", 8),
      std::string("\1\0\0\0\0\x10\0\1", 8),
      std::string("\1\0\1\0\0\0\0\1", 8),
      frame(1, ""),
      frame(1, std::string(kTime)),
      frame(1, "2026-01-31 12:00:00.000000001Z text"),
      frame(1, "2026-01-31T12:00:00.00000000xZ text"),
      frame(1,
            "\xd9\xa2"
            "26-01-31T12:00:00.00000000Z text"),
  };
  for (const std::string& stream : bad) {
    const Taken taken = feed(entry(1, "good") + stream, 3);
    ASSERT_FALSE(taken.result) << stream;
    EXPECT_EQ(taken.result.error().code, Code::kDataLoss);
    EXPECT_EQ(taken.text, "[good]");
  }
}

TEST(Demux, TellsAnErrorOfTheEngine) {
  const Taken taken = feed(frame(3, "error grabbing logs: EOF"), 100);
  ASSERT_FALSE(taken.result);
  EXPECT_NE(taken.result.error().message.find("error grabbing logs"), std::string::npos);
}

TEST(Demux, PassesOnTheErrorOfTheTaker) {
  Demux demux;
  const auto fed = demux.feed(entry(1, "x"), [](const LogEntry&) -> Result<void> {
    return fail(Code::kResourceExhausted, "disk full");
  });
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().code, Code::kResourceExhausted);
}

TEST(Demux, SurvivesNoise) {
  std::mt19937 random(7);
  for (int round = 0; round < 5000; round++) {
    std::string noise = entry(1, "begin") + entry(2, "more");
    for (int i = 0; i < 3; i++) noise[random() % noise.size()] = static_cast<char>(random());
    Demux demux;
    const auto fed = demux.feed(noise, [](const LogEntry& found) -> Result<void> {
      EXPECT_LE(found.bytes.size(), 100U);
      return {};
    });
    EXPECT_TRUE(fed || !fed.error().message.empty());
  }
}

}  // namespace
}  // namespace manman::docker
