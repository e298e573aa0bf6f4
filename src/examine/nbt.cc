#include "examine/nbt.h"

#include <cstdint>
#include <string>
#include <vector>

namespace manman::examine {
namespace {

enum Tag : uint8_t {
  kEnd = 0,
  kByte = 1,
  kShort = 2,
  kInt = 3,
  kLong = 4,
  kFloat = 5,
  kDouble = 6,
  kByteArray = 7,
  kString = 8,
  kList = 9,
  kCompound = 10,
  kIntArray = 11,
  kLongArray = 12,
};

constexpr size_t kMaxDepth = 512;  // the game's own limit

// By the tag: how many bytes a number has; 0 for what is no number.
constexpr uint8_t kNumberSize[] = {0, 1, 2, 4, 8, 4, 8, 0, 0, 0, 0, 0, 0};
// How many bytes an element of an array has.
constexpr uint8_t kElementSize[] = {0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 4, 8};

class Parser {
 public:
  explicit Parser(ConstBytes bytes) : bytes_(bytes) {}

  Result<void> parse();

 private:
  // A list or compound that is open. Of a list the rest of its elements, all of one tag.
  struct Level {
    bool is_list = false;
    uint8_t tag = kEnd;
    uint32_t left = 0;
  };

  std::unexpected<Error> wrong(std::string what) const {
    return fail(Code::kDataLoss, "byte " + std::to_string(at_) + " of its NBT: " + std::move(what));
  }
  Result<void> need(uint64_t size, const char* what) const {
    if (size <= bytes_.size() - at_) return {};
    return wrong(std::string(what) + " of " + std::to_string(size) + " bytes, where " +
                 std::to_string(bytes_.size() - at_) + " are left");
  }
  Result<uint64_t> number(size_t size, const char* what);
  Result<uint32_t> length(const char* what);
  Result<uint8_t> tag(const char* what);
  Result<void> string();
  Result<void> list();
  Result<void> value(uint8_t tag);
  Result<void> open(Level level);
  Result<void> step();

  const ConstBytes bytes_;
  size_t at_ = 0;
  std::vector<Level> levels_;
};

Result<uint64_t> Parser::number(size_t size, const char* what) {
  TRY(need(size, what));
  uint64_t value = 0;
  for (size_t i = 0; i < size; i++) value = value << 8 | std::to_integer<uint8_t>(bytes_[at_++]);
  return value;
}

Result<uint32_t> Parser::length(const char* what) {
  const auto length = static_cast<int32_t>(TRY(number(4, what)));
  if (length < 0) return wrong(std::string(what) + " is negative");
  return static_cast<uint32_t>(length);
}

Result<uint8_t> Parser::tag(const char* what) {
  const auto tag = static_cast<uint8_t>(TRY(number(1, what)));
  if (tag > kLongArray) return wrong("there is no tag " + std::to_string(tag));
  return tag;
}

// Modified UTF-8: 0xxxxxxx, 110xxxxx 10xxxxxx or 1110xxxx 10xxxxxx 10xxxxxx.
Result<void> Parser::string() {
  const uint64_t size = TRY(number(2, "the length of a string"));
  TRY(need(size, "a string"));
  for (const size_t end = at_ + size; at_ < end;) {
    const auto first = std::to_integer<uint8_t>(bytes_[at_]);
    const size_t more = first < 0x80 ? 0 : first >> 5 == 6 ? 1 : first >> 4 == 14 ? 2 : SIZE_MAX;
    if (more == SIZE_MAX || more >= end - at_) return wrong("a string is no modified UTF-8");
    for (size_t i = 1; i <= more; i++)
      if (std::to_integer<uint8_t>(bytes_[at_ + i]) >> 6 != 2)
        return wrong("a string is no modified UTF-8");
    at_ += more + 1;
  }
  return {};
}

Result<void> Parser::open(Level level) {
  if (levels_.size() == kMaxDepth) return wrong("lists and compounds are nested deeper than 512");
  levels_.push_back(level);
  return {};
}

Result<void> Parser::list() {
  const uint8_t of = TRY(tag("the tag of a list"));
  const uint32_t count = TRY(length("the length of a list"));
  if (count > 0 && of == kEnd) return wrong("a list has elements, but no tag for them");
  if (kNumberSize[of] == 0) return open({.is_list = true, .tag = of, .left = count});
  const uint64_t size = uint64_t{kNumberSize[of]} * count;
  TRY(need(size, "a list"));
  at_ += size;
  return {};
}

Result<void> Parser::value(uint8_t tag) {
  if (tag == kString) return string();
  if (tag == kList) return list();
  if (tag == kCompound) return open({});
  uint64_t size = kNumberSize[tag];
  if (kElementSize[tag] != 0)
    size = uint64_t{kElementSize[tag]} * TRY(length("the length of an array"));
  TRY(need(size, "a value"));
  at_ += size;
  return {};
}

// The next tag of a compound, or element of a list; or its end.
Result<void> Parser::step() {
  Level& level = levels_.back();
  if (level.is_list) {
    if (level.left == 0) {
      levels_.pop_back();
      return {};
    }
    level.left--;
    return value(level.tag);
  }
  const uint8_t next = TRY(tag("a tag"));
  if (next == kEnd) {
    levels_.pop_back();
    return {};
  }
  TRY(string());
  return value(next);
}

Result<void> Parser::parse() {
  if (TRY(tag("the first tag")) != kCompound) return wrong("it does not begin with a compound");
  TRY(string());
  TRY(open({}));
  while (!levels_.empty()) TRY(step());
  if (at_ < bytes_.size())
    return wrong(std::to_string(bytes_.size() - at_) + " bytes behind its end");
  return {};
}

}  // namespace

Result<void> check_nbt(ConstBytes bytes) {
  return Parser(bytes).parse();
}

}  // namespace manman::examine
