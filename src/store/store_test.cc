#include "store/store.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/file.h"

namespace manman {
namespace {

// A store of one object whose reads fail a number of times first.
class FlakyStore final : public Store {
 public:
  explicit FlakyStore(std::string bytes) : bytes_(std::move(bytes)) {}

  Result<ObjectInfo> head(std::string_view key) override {
    TRY(maybe_fail());
    return ObjectInfo{std::string(key), bytes_.size(), "etag", 0};
  }
  Result<void> get(std::string_view, uint64_t offset, MutableBytes buffer) override {
    TRY(maybe_fail());
    std::memcpy(buffer.data(), bytes_.data() + offset, buffer.size());
    return {};
  }
  Result<std::unique_ptr<Upload>> put(std::string_view, uint64_t) override { return unused(); }
  Result<void> abort_uploads(std::string_view) override { return unused(); }
  Result<int> sweep_uploads(std::string_view, std::chrono::seconds) override { return unused(); }
  Result<void> list_uploads(std::string_view,
                            const std::function<bool(const PendingUpload&)>&) override {
    return unused();
  }
  Result<void> list(std::string_view, const std::function<bool(const ObjectInfo&)>&) override {
    return unused();
  }
  Result<void> remove(std::string_view) override { return unused(); }
  bool distant() const override { return false; }
  std::string bucket() const override { return "b"; }

  int failures = 0;
  bool retryable = true;

 private:
  std::unexpected<Error> unused() { return fail(Code::kUnimplemented, "not in this test"); }
  Result<void> maybe_fail() {
    if (failures == 0) return {};
    failures--;
    return std::unexpected(Error{Code::kUnavailable, "connection cut", retryable});
  }

  std::string bytes_;
};

TEST(OpenObjectTest, RetriesWhatARetryMayHelp) {
  FlakyStore store("0123456789");
  store.failures = 2;
  auto source = open_object(store, "k");
  ASSERT_TRUE(source) << source.error().message;
  store.failures = 2;
  std::string part(3, '\0');
  ASSERT_TRUE((*source)->read_at(4, std::as_writable_bytes(std::span(part))));
  EXPECT_EQ(part, "456");
}

TEST(OpenObjectTest, GivesUpOnOtherErrorsAtOnce) {
  FlakyStore store("0123456789");
  auto source = open_object(store, "k");
  ASSERT_TRUE(source);
  store.failures = 1;
  store.retryable = false;
  std::string part(3, '\0');
  const auto read = (*source)->read_at(4, std::as_writable_bytes(std::span(part)));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, "connection cut");
}

TEST(CheckKeyTest, NamesTheRuleAndTheKey) {
  const auto checked = check_key("backups/../etc");
  ASSERT_FALSE(checked);
  EXPECT_NE(checked.error().message.find("\"backups/../etc\""), std::string::npos);
  EXPECT_NE(checked.error().message.find("\"..\""), std::string::npos);
  EXPECT_TRUE(check_key(std::string(1024, 'x')));
  EXPECT_FALSE(check_key(std::string(1025, 'x')));
}

}  // namespace
}  // namespace manman
