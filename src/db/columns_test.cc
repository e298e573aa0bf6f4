#include "db/columns.h"

#include <gtest/gtest.h>

namespace manman::db {
namespace {

TEST(CheckTextTest, TakesEveryCharacterOfUnicode) {  // Unicode, table 3-7: its edges
  for (const char* good :
       {"", "a\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xec\xbf\xbf", "\xed\x9f\xbf",
        "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "日本語 x 🎮"}) {
    EXPECT_TRUE(check_text("c", good)) << good;
  }
}

TEST(CheckTextTest, RefusesEverythingElse) {
  for (const std::string& bad :
       {std::string("\0", 1), std::string("a\0", 2), std::string("\x80"), std::string("\xbf"),
        std::string("\xc1\xbf"), std::string("\xc2"), std::string("\xc2\x7f"),
        std::string("\xe0\x9f\xbf"), std::string("\xe1\x80"), std::string("\xed\xa0\x80"),
        std::string("\xf0\x8f\xbf\xbf"), std::string("\xf0\x90\x80"),
        std::string("\xf4\x90\x80\x80"), std::string("\xf5\x80\x80\x80"), std::string("\xff")}) {
    const auto checked = check_text("table.column", bad);
    ASSERT_FALSE(checked) << bad;
    EXPECT_EQ(checked.error().code, Code::kInvalidArgument);
    EXPECT_TRUE(checked.error().message.starts_with("table.column ")) << checked.error().message;
  }
}

TEST(TimestampTest, KnownAnswersBothWays) {
  const std::pair<int64_t, std::string> known[] = {{0, "1970-01-01 00:00:00"},
                                                   {951827696, "2000-02-29 12:34:56"},
                                                   {1769860800, "2026-01-31 12:00:00"},
                                                   {2147483648, "2038-01-19 03:14:08"},
                                                   {253402300799, "9999-12-31 23:59:59"}};
  for (const auto& [seconds, text] : known) {
    EXPECT_EQ(timestamp_of("c", seconds).value(), text);
    EXPECT_EQ(unix_seconds_from("c", text).value(), seconds);
  }
  EXPECT_EQ(unix_seconds_from("c", "2026-01-31 12:00:00.75").value(), 1769860800);
  EXPECT_EQ(timestamp_of("c", -1).error().code, Code::kInvalidArgument);
  EXPECT_EQ(timestamp_of("c", 253402300800).error().code, Code::kInvalidArgument);
}

TEST(ReadingTest, WhatNobodyWroteIsDataLossNamingTheColumn) {
  const auto expect_damaged = [](const auto& result) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::kDataLoss);
    EXPECT_NE(result.error().message.find("t.c"), std::string::npos) << result.error().message;
  };
  for (const char* text : {"", "yesterday", "2026-13-01 00:00:00", "2026-02-30 00:00:00",
                           "2026-01-01 24:00:00", "2026-01-01"}) {
    expect_damaged(unix_seconds_from("t.c", text));
  }
  for (const char* json : {"", "{", "null", "5", "[1]", "{\"a\":1}", "[[\"a\"]]"}) {
    expect_damaged(texts_from("t.c", json));
  }
  expect_damaged(text_map_from("t.c", "[\"a\"]"));
  expect_damaged(port_bindings_from("t.c", R"([{"container_port":"x"}])"));
}

}  // namespace
}  // namespace manman::db
