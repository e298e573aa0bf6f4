#include <gtest/gtest.h>

#include "bus/bus.h"

namespace manman {
namespace {

TEST(TopicTest, MatchesAsAmqpSays) {
  const struct {
    const char* pattern;
    const char* key;
    bool matches;
  } table[] = {
      {"a", "a", true},
      {"a", "b", false},
      {"a", "a.b", false},
      {"a.b", "a", false},
      {"a", "aa", false},
      {"A", "a", false},
      {"*", "a", true},
      {"*", "a.b", false},
      {"*", "", false},
      {"#", "", true},
      {"#", "a", true},
      {"#", "a.b.c", true},
      {"", "", true},
      {"", "a", false},
      {"a", "", false},
      {"a.*", "a", false},
      {"a.*", "a.b", true},
      {"a.*", "a.b.c", false},
      {"a.#", "a", true},
      {"a.#", "a.b.c", true},
      {"a.#", "b", false},
      {"a.#", "ab", false},
      {"#.c", "c", true},
      {"#.c", "a.b.c", true},
      {"#.c", "a.c.b", false},
      {"a.#.c", "a.c", true},
      {"a.#.c", "a.b.b.c", true},
      {"a.#.c", "a.b.b", false},
      {"a.*.c", "a.c", false},
      {"a.*.c", "a.b.c", true},
      {"#.#", "", true},
      {"#.#", "a", true},
      {"#.*", "", false},
      {"#.*", "a", true},
      {"*.#", "a", true},
      {"*.#.*", "a", false},
      {"*.#.*", "a.b", true},
      {"#.b.#", "a.b", true},
      {"#.b.#", "b.b.b", true},
      {"#.b.#", "a.c", false},
      {"a*", "ab", false},
      {"a*", "a*", true},
      {"a#", "a", false},
      {"*", "a.", false},
      {"a.*", "a.", true},
      {"command.host.3.#", "command.host.3.session.start", true},
      {"command.host.3.#", "command.host.31.session.start", false},
      {"status.backup.*", "status.backup.5", true},
  };
  for (const auto& [pattern, key, matches] : table)
    EXPECT_EQ(topic_matches(pattern, key), matches) << '"' << pattern << "\" on \"" << key << '"';
}

TEST(TopicTest, ManyHashesCostNoMoreThanTheirLength) {
  std::string pattern;
  std::string key;
  for (int i = 0; i < 200; i++) {
    pattern += "#.a.";
    key += "a.";
  }
  EXPECT_FALSE(topic_matches(pattern + "b", key + "c"));
  EXPECT_TRUE(topic_matches(pattern + "#", key + "c"));
}

}  // namespace
}  // namespace manman
