// What every Store must do, and what only an S3 store can get wrong, on the server that
// S3_ENDPOINT, S3_ACCESS_KEY, S3_SECRET_KEY, S3_REGION and S3_BUCKET name. Empties the bucket.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>

#include "base/sha256.h"
#include "store/s3/s3_store.h"
#include "store/store_conformance.h"

namespace manman {
namespace {

constexpr size_t kPart = 5U << 20;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set");
  return value;
}

S3Config settings() {
  S3Config config;
  config.endpoint = variable("S3_ENDPOINT");
  config.access_key = variable("S3_ACCESS_KEY");
  config.secret_key = variable("S3_SECRET_KEY");
  config.region = variable("S3_REGION");
  config.bucket = variable("S3_BUCKET");
  config.part_bytes = kPart;
  return config;
}

std::unique_ptr<Store> opened(const S3Config& config) {
  auto store = open_s3_store(config);
  if (!store) throw std::runtime_error(store.error().text());
  return std::move(*store);
}

// An empty bucket.
class S3Fixture {
 public:
  S3Fixture() : store_(opened(settings())) {
    EXPECT_TRUE(store_->sweep_uploads("", std::chrono::seconds(-86400)));
    for (const std::string& key : keys_below(*store_, "")) EXPECT_TRUE(store_->remove(key));
  }
  Store& store() { return *store_; }

 private:
  std::unique_ptr<Store> store_;
};
INSTANTIATE_TYPED_TEST_SUITE_P(S3, StoreConformance, S3Fixture);

class S3StoreTest : public testing::Test {
 protected:
  Store& store() { return fixture_.store(); }
  int uploads() { return store().sweep_uploads("", std::chrono::seconds(-86400)).value(); }

  void expect_round_trip(std::string_view key, size_t size) {
    const std::string bytes = random_bytes(size, size);
    const auto put = put_object(store(), key, bytes);
    ASSERT_TRUE(put) << key << ": " << put.error().message;
    EXPECT_EQ(put->size_bytes, size);
    EXPECT_EQ(store().head(key)->size_bytes, size);
    const auto got = get_object(store(), key, 0, size);
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(to_hex(Sha256::of(as_bytes(*got))), to_hex(Sha256::of(as_bytes(bytes))));
  }

  S3Fixture fixture_;
};

TEST_F(S3StoreTest, SizesAroundWholeParts) {
  for (const size_t size : {kPart - 1, kPart, kPart + 1, 2 * kPart, 2 * kPart + 1})
    expect_round_trip("size-" + std::to_string(size), size);
  EXPECT_EQ(uploads(), 0);
}

TEST_F(S3StoreTest, ManyPartsInParallel) {
  const std::string bytes = random_bytes(40'000'003, 1);
  const auto put = put_object(store(), "large", bytes);
  ASSERT_TRUE(put) << put.error().message;
  EXPECT_EQ(put->size_bytes, bytes.size());
  for (const auto& [offset, size] : {std::pair<size_t, size_t>{0, 1},
                                     {kPart - 10, 20},
                                     {3 * kPart + 7, 2 * kPart},
                                     {40'000'000, 3}})
    EXPECT_TRUE(get_object(store(), "large", offset, size) == bytes.substr(offset, size)) << offset;
  EXPECT_TRUE(get_object(store(), "large", 0, bytes.size()) == bytes);
  EXPECT_EQ(get_object(store(), "large", 40'000'000, 4).error().code, Code::kOutOfRange);
  EXPECT_EQ(uploads(), 0);
}

TEST_F(S3StoreTest, AnAbandonedUploadLeavesNothing) {
  {
    const auto upload = begin_large_upload(store(), "abandoned");
    ASSERT_TRUE(upload) << upload.error().message;
  }
  EXPECT_EQ(uploads(), 0);
  EXPECT_TRUE(keys_below(store(), "").empty());
}

TEST_F(S3StoreTest, AFailedPartFailsTheUploadAndLeavesNothing) {
  {
    auto upload = begin_large_upload(store(), "ended");
    ASSERT_TRUE(upload);
    ASSERT_TRUE(store().abort_uploads("ended"));
    Result<void> written;
    for (int i = 0; i < 4 && written; i++) written = (*upload)->write(as_bytes(large_object()));
    ASSERT_FALSE(written) << "parts of an upload that was ended were taken";
    EXPECT_TRUE(written.error().retryable) << written.error().message;
    EXPECT_NE(written.error().message.find("ended"), std::string::npos) << written.error().message;
    EXPECT_FALSE((*upload)->commit());
  }
  EXPECT_EQ(uploads(), 0);
  EXPECT_TRUE(keys_below(store(), "").empty());
}

TEST_F(S3StoreTest, KeysOfAnyBytes) {
  std::set<std::string> keys = {"plain",
                                "with space",
                                "a+b=c&d?e#f",
                                "100%",
                                "%41",
                                "quote'\"<>&amp;",
                                "caf\xc3\xa9/\xe4\xb8\x96",
                                "tilde~(x)*!,;:@$[]{}|\\^`",
                                "a/b.c-d_e",
                                "d/" + std::string(900, 'x')};
  for (const std::string& key : keys) expect_round_trip(key, 10);
  EXPECT_EQ(keys_below(store(), ""), keys);
  EXPECT_EQ(keys_below(store(), "with "), std::set<std::string>{"with space"});
  EXPECT_EQ(keys_below(store(), "a+"), std::set<std::string>{"a+b=c&d?e#f"});
  const auto upload = begin_large_upload(store(), "a b+c&d/\xc3\xa9");
  ASSERT_TRUE(upload);
  EXPECT_TRUE(store().abort_uploads("a b+c&d/\xc3\xa9"));
  EXPECT_EQ(uploads(), 0);
  for (const std::string& key : keys) EXPECT_TRUE(store().remove(key)) << key;
  EXPECT_TRUE(keys_below(store(), "").empty());
}

TEST_F(S3StoreTest, ListsMoreThanOnePage) {
  std::set<std::string> keys;
  for (int i = 0; i < 1005; i++) keys.insert("many/" + std::to_string(i));
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; t++)
      threads.emplace_back([&, t] {
        for (int i = t; i < 1005; i += 8)
          EXPECT_TRUE(put_object(store(), "many/" + std::to_string(i), ""));
      });
  }
  EXPECT_EQ(keys_below(store(), "many/"), keys);
}

TEST_F(S3StoreTest, SettingsThatAreWrongAreNamed) {
  const auto message = [](const std::function<void(S3Config&)>& change) {
    S3Config config = settings();
    config.open_retry_for = std::chrono::seconds(1);
    change(config);
    const auto store = open_s3_store(config);
    EXPECT_FALSE(store);
    if (store) return std::string();
    EXPECT_EQ(store.error().message.find(config.secret_key), std::string::npos);
    EXPECT_EQ(store.error().message.find('\n'), std::string::npos);
    std::cout << store.error().message << '\n';
    return store.error().text();
  };
  EXPECT_NE(message([](auto& c) { c.access_key = "nobody"; }).find("S3_ACCESS_KEY"),
            std::string::npos);
  EXPECT_NE(message([](auto& c) { c.secret_key = "wrong-secret"; }).find("S3_SECRET_KEY"),
            std::string::npos);
  EXPECT_NE(message([](auto& c) { c.bucket = "no-such-bucket"; }).find("S3_BUCKET"),
            std::string::npos);
  EXPECT_NE(message([](auto& c) { c.endpoint = "http://127.0.0.1:1"; }).find("S3_ENDPOINT"),
            std::string::npos);
  EXPECT_NE(
      message([](auto& c) { c.endpoint = "https" + c.endpoint.substr(4); }).find("S3_ENDPOINT"),
      std::string::npos);
}

TEST_F(S3StoreTest, CancelsPromptly) {
  std::atomic<bool> cancelled{false};
  S3Config config = settings();
  config.cancelled = [&] { return cancelled.load(); };
  const auto store = opened(config);
  auto upload = begin_large_upload(*store, "cancelled");
  ASSERT_TRUE(upload);
  cancelled = true;
  EXPECT_EQ((*upload)->commit().error().code, Code::kCancelled);
  upload->reset();
  EXPECT_EQ(uploads(), 0) << "the abort must still be made";
}

}  // namespace
}  // namespace manman
