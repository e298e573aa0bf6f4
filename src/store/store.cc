#include "store/store.h"

#include <algorithm>

#include "base/retry.h"
#include "store/read_ahead.h"

namespace manman {
namespace {

constexpr size_t kMaxKeyBytes = 1024;
constexpr int kReadAttempts = 5;

// An object read through the store. The size is that at the opening.
class ObjectSource final : public RandomSource {
 public:
  ObjectSource(Store& store, std::string key, uint64_t size)
      : store_(store), key_(std::move(key)), size_(size) {}

  uint64_t size() const override { return size_; }

  Result<void> read_at(uint64_t offset, MutableBytes buffer) override {
    if (offset > size_ || buffer.size() > size_ - offset)
      return fail(Code::kOutOfRange, key_ + " ends at byte " + std::to_string(size_) +
                                         ", before offset " +
                                         std::to_string(offset + buffer.size()));
    if (buffer.empty()) return {};
    return retry(kReadAttempts, Backoff{}, {}, [&] { return store_.get(key_, offset, buffer); });
  }

 private:
  Store& store_;
  std::string key_;
  uint64_t size_;
};

// The key as it may be shown: shortened, no control characters.
std::string shown(std::string_view key) {
  constexpr size_t kShown = 80;
  std::string text(key.substr(0, kShown));
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  if (key.size() > kShown) text += "…";
  return "\"" + text + "\"";
}

}  // namespace

Result<void> check_key(std::string_view key) {
  const auto refuse = [&](std::string_view why) {
    return fail(Code::kInvalidArgument, "key " + shown(key) + " " + std::string(why));
  };
  if (key.empty()) return refuse("is empty");
  if (key.size() > kMaxKeyBytes) return refuse("is longer than 1024 bytes");
  if (key.find('\0') != std::string_view::npos) return refuse("holds a NUL byte");
  for (size_t begin = 0; begin <= key.size();) {
    const size_t end = std::min(key.find('/', begin), key.size());
    const std::string_view segment = key.substr(begin, end - begin);
    if (segment.empty()) return refuse("has an empty segment");
    if (segment == "." || segment == "..") return refuse("has a segment \".\" or \"..\"");
    begin = end + 1;
  }
  return {};
}

Result<std::unique_ptr<RandomSource>> open_object(Store& store, std::string_view key) {
  const auto info = TRY(retry(kReadAttempts, Backoff{}, {}, [&] { return store.head(key); }));
  return std::make_unique<ObjectSource>(store, std::string(key), info.size_bytes);
}

Result<std::unique_ptr<RandomSource>> open_object_in_order(Store& store, std::string_view key) {
  auto object = TRY(open_object(store, key));
  if (!store.distant()) return object;
  return read_ahead(std::move(object), {});
}

}  // namespace manman
