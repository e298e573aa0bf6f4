#include "base/path_patterns.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace manman {
namespace {

bool matches(const std::vector<std::string>& patterns, std::string_view path,
             bool is_folder = false) {
  const auto compiled = PathPatterns::compile(patterns);
  EXPECT_TRUE(compiled) << compiled.error().message;
  return compiled && compiled->match(path, is_folder);
}

TEST(PathPatterns, NamesAnywhereAndPathsFromTheTop) {
  EXPECT_TRUE(matches({"*.log"}, "logs/deep/latest.log"));
  EXPECT_FALSE(matches({"*.log"}, "logs/latest.log.gz"));
  EXPECT_TRUE(matches({"/cache"}, "cache"));
  EXPECT_FALSE(matches({"/cache"}, "world/cache"));
  EXPECT_TRUE(matches({"world/cache"}, "world/cache"));
  EXPECT_FALSE(matches({"world/cache"}, "old/world/cache"));
  EXPECT_FALSE(matches({"cache/"}, "cache", false));
  EXPECT_TRUE(matches({"cache/"}, "world/cache", true));
}

TEST(PathPatterns, StarsAndSets) {
  EXPECT_FALSE(matches({"/a/*"}, "a/b/c"));
  EXPECT_TRUE(matches({"a/**"}, "a/b/c"));
  EXPECT_FALSE(matches({"a/**"}, "a", true));
  EXPECT_TRUE(matches({"a/**/b"}, "a/b"));
  EXPECT_TRUE(matches({"a/**/b"}, "a/x/y/b"));
  EXPECT_FALSE(matches({"a/**/b"}, "a/xb"));
  EXPECT_TRUE(matches({"**/b"}, "b"));
  EXPECT_TRUE(matches({"r.[!0-3].mc?"}, "region/r.7.mca"));
  EXPECT_FALSE(matches({"r.[^0-3].mca"}, "region/r.2.mca"));
  EXPECT_TRUE(matches({"[[:upper:]_]x"}, "_x"));
  EXPECT_FALSE(matches({"a[!x]b/c"}, "a/b/c"));
  EXPECT_TRUE(matches({"\\!\\*"}, "!*"));
}

TEST(PathPatterns, TheLastOneCounts) {
  EXPECT_FALSE(matches({"*.log", "!keep.log"}, "keep.log"));
  EXPECT_TRUE(matches({"*.log", "!keep.log", "keep.*"}, "keep.log"));
  EXPECT_FALSE(matches({"# a comment", "", "   "}, "# a comment"));
  EXPECT_TRUE(matches({"a  "}, "a"));
  EXPECT_TRUE(matches({"a\\ "}, "a "));
}

TEST(PathPatterns, WhatCanMatchNothingIsNamed) {
  for (const std::string bad : {"a[b", "a\\", "/", "!", "[[:what:]]", "[a\\"}) {
    const auto compiled = PathPatterns::compile({"fine", bad});
    EXPECT_EQ(compiled.error().code, Code::kInvalidArgument) << bad;
    EXPECT_NE(compiled.error().message.find(bad), std::string::npos) << compiled.error().message;
  }
  EXPECT_EQ(PathPatterns::compile({std::string(5000, 'a')}).error().code, Code::kInvalidArgument);
}

// Matchers that try one way after the other take longer than anyone waits.
TEST(PathPatterns, HostilePatternsTakeNoLonger) {
  std::string stars;
  for (int i = 0; i < 100; i++) stars += "*a";
  EXPECT_FALSE(matches({stars + "b"}, std::string(4000, 'a')));
  std::string folders;
  std::string path;
  for (int i = 0; i < 100; i++) folders += "**/a/";
  for (int i = 0; i < 1000; i++) path += "a/";
  EXPECT_FALSE(matches({folders + "b"}, path + "c"));
  EXPECT_TRUE(matches({folders + "b"}, path + "b"));
}

}  // namespace
}  // namespace manman
