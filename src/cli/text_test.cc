#include "cli/text.h"

#include <gtest/gtest.h>

namespace manman::cli {
namespace {

TEST(Text, BytesInBinaryUnits) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1024), "1.0 KiB");
  EXPECT_EQ(format_bytes(1024 * 1024 - 1), "1.0 MiB");  // never "1024.0 KiB"
  EXPECT_EQ(format_bytes(3ULL << 30), "3.0 GiB");
  EXPECT_EQ(format_bytes(UINT64_MAX), "16.0 EiB");
}

TEST(Text, Durations) {
  EXPECT_EQ(format_duration(0), "0s");
  EXPECT_EQ(format_duration(59), "59s");
  EXPECT_EQ(format_duration(65), "1m05s");
  EXPECT_EQ(format_duration(7380), "2h03m");
}

TEST(Text, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(escape("game/world"), "game/world");
  EXPECT_EQ(escape("größe ☃ 🎮"), "größe ☃ 🎮");
  EXPECT_EQ(escape("a\nb\x1b[2J\x7f"), "a\\012b\\033[2J\\177");
  EXPECT_EQ(escape("back\\slash"), "back\\\\slash");
  EXPECT_EQ(escape("caf\xe9 latin1"), "caf\\351 latin1");
  EXPECT_EQ(escape("\xc2\x9b"
                   "31m"),
            "\\302\\23331m");                            // U+009B is CSI
  EXPECT_EQ(escape("\xed\xa0\x80"), "\\355\\240\\200");  // a surrogate is not UTF-8
  EXPECT_EQ(escape("\xf0\x9f"), "\\360\\237");           // cut short
}

TEST(Text, KnowsUtf8) {
  EXPECT_TRUE(is_utf8("größe ☃ 🎮"));
  EXPECT_FALSE(is_utf8("caf\xe9"));
  EXPECT_FALSE(is_utf8("\xc0\xaf"));          // overlong
  EXPECT_FALSE(is_utf8("\xf4\x90\x80\x80"));  // beyond U+10FFFF
}

TEST(Text, Base64OfRfc4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(base64("\xff\xfe\xfd"), "//79");
}

}  // namespace
}  // namespace manman::cli
