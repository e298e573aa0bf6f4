#include "examine/nbt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/file.h"
#include "examine/test_bytes.h"

namespace manman::examine::test {
namespace {

using testing::HasSubstr;

std::string fault_of(const std::string& nbt) {
  const auto checked = check_nbt(as_bytes(nbt));
  if (checked) return "none";
  EXPECT_EQ(checked.error().code, Code::kDataLoss);
  return checked.error().message;
}

std::string nested(int depth) {
  std::string lists;
  for (int i = 0; i < depth; i++) lists += be8(9) + be32(1);
  return compound(tag(9, "l") + lists + be8(0) + be32(0));
}

TEST(Nbt, EveryTagIsTaken) {
  const std::string all =
      tag(1, "b") + be8(5) + tag(2, "s") + be16(5) + tag(3, "i") + be32(5) + tag(4, "l") + be32(0) +
      be32(5) + tag(5, "f") + be32(0) + tag(6, "d") + be32(0) + be32(0) + tag(7, "ba") + be32(3) +
      "abc" + tag(8, "st") + be16(4) + "text" + tag(9, "empty") + be8(0) + be32(0) +
      tag(9, "strings") + be8(8) + be32(2) + be16(1) + "a" + be16(0) + tag(9, "compounds") +
      be8(10) + be32(2) + be8(0) + tag(1, "x") + be8(1) + be8(0) + tag(10, "c") + be8(0) +
      tag(11, "ia") + be32(1) + be32(7) + tag(12, "la") + be32(1) + be32(0) + be32(7);
  EXPECT_EQ(fault_of(compound(all)), "none");
  EXPECT_EQ(fault_of(compound("")), "none");
  EXPECT_EQ(fault_of(nested(500)), "none");
}

TEST(Nbt, EveryCutIsFound) {
  const std::string whole = compound(tag(9, "list") + be8(3) + be32(3) + be32(1) + be32(2) +
                                     be32(3) + tag(8, "name") + be16(3) + "abc");
  ASSERT_EQ(fault_of(whole), "none");
  for (size_t size = 0; size < whole.size(); size++)
    EXPECT_NE(fault_of(whole.substr(0, size)), "none") << size;
  EXPECT_THAT(fault_of(whole + '\0'), HasSubstr("1 bytes behind its end"));
}

TEST(Nbt, LiesAreFound) {
  const struct {
    std::string nbt, fault;
  } table[] = {
      {"", "the first tag of 1 bytes, where 0 are left"},
      {be8(1) + be16(0) + be8(1), "does not begin with a compound"},
      {compound(tag(13, "x")), "there is no tag 13"},
      {compound(tag(255, "x")), "there is no tag 255"},
      {compound(tag(7, "x") + be32(-1)), "the length of an array is negative"},
      {compound(tag(11, "x") + be32(0x7fffffff)), "a value of 8589934588 bytes, where 1 are left"},
      {compound(tag(12, "x") + be32(0x7fffffff)), "a value of 17179869176 bytes"},
      {compound(tag(9, "x") + be8(1) + be32(-5)), "the length of a list is negative"},
      {compound(tag(9, "x") + be8(0) + be32(0x7fffffff)), "has elements, but no tag for them"},
      {compound(tag(9, "x") + be8(6) + be32(0x7fffffff)), "a list of 17179869176 bytes"},
      {compound(tag(9, "x") + be8(10) + be32(0x7fffffff)), "a tag of 1 bytes, where 0 are left"},
      {compound(tag(8, "x") + be16(9)), "a string of 9 bytes, where 1 are left"},
      {compound(tag(8, "x") + be16(1) + "\xff"), "no modified UTF-8"},
      {compound(tag(8, "x") + be16(1) + "\xc3"), "no modified UTF-8"},
      {compound(tag(8, "x") + be16(4) + "\xf0\x9f\x98\x80"), "no modified UTF-8"},
      {nested(513), "nested deeper than 512"},
      {nested(100'000), "nested deeper than 512"},
  };
  for (const auto& [nbt, fault] : table) EXPECT_THAT(fault_of(nbt), HasSubstr(fault));
  EXPECT_EQ(fault_of(compound(tag(8, "x") + be16(2) + "\xc0\x80")), "none");  // NUL
}

}  // namespace
}  // namespace manman::examine::test
