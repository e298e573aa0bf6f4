#pragma once

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "store/store.h"

// What every Store must do. An implementation's test gives a fixture type that is default
// constructible and has `Store& store()` with an empty store, then
//   INSTANTIATE_TYPED_TEST_SUITE_P(Name, StoreConformance, Fixture);
namespace manman {

inline std::string random_bytes(size_t size, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

inline Result<ObjectInfo> put_object(Store& store, std::string_view key, std::string_view bytes) {
  auto upload = TRY(store.put(key, bytes.size()));
  for (size_t offset = 0; offset < bytes.size(); offset += 70000)
    TRY(upload->write(as_bytes(bytes.substr(offset, 70000))));
  return upload->commit();
}

inline Result<std::string> get_object(Store& store, std::string_view key, uint64_t offset,
                                      size_t size) {
  std::string bytes(size, '\0');
  TRY(store.get(key, offset, std::as_writable_bytes(std::span(bytes))));
  return bytes;
}

inline std::set<std::string> keys_below(Store& store, std::string_view prefix) {
  std::set<std::string> keys;
  const auto listed = store.list(prefix, [&](const ObjectInfo& object) {
    EXPECT_TRUE(keys.insert(object.key).second) << object.key << " listed twice";
    return true;
  });
  EXPECT_TRUE(listed) << listed.error().message;
  return keys;
}

template <typename Fixture>
class StoreConformance : public testing::Test {
 protected:
  Store& store() { return fixture_.store(); }

 private:
  Fixture fixture_;
};
TYPED_TEST_SUITE_P(StoreConformance);

TYPED_TEST_P(StoreConformance, KeepsWhatWasPut) {
  const std::string bytes = random_bytes(3'000'001, 1);
  const auto put = put_object(this->store(), "backups/3/5.tar.gz", bytes);
  ASSERT_TRUE(put) << put.error().message;
  EXPECT_EQ(put->key, "backups/3/5.tar.gz");
  EXPECT_EQ(put->size_bytes, bytes.size());
  EXPECT_FALSE(put->etag.empty());
  const auto head = this->store().head("backups/3/5.tar.gz");
  ASSERT_TRUE(head) << head.error().message;
  EXPECT_EQ(head->size_bytes, bytes.size());
  EXPECT_EQ(head->etag, put->etag);
  EXPECT_NEAR(static_cast<double>(head->modified_at), static_cast<double>(::time(nullptr)), 60);
  EXPECT_TRUE(get_object(this->store(), "backups/3/5.tar.gz", 0, bytes.size()) == bytes);
}

TYPED_TEST_P(StoreConformance, KeepsAnEmptyObject) {
  ASSERT_TRUE(put_object(this->store(), "empty", ""));
  EXPECT_EQ(this->store().head("empty")->size_bytes, 0U);
  EXPECT_TRUE(get_object(this->store(), "empty", 0, 0));
  EXPECT_EQ(get_object(this->store(), "empty", 0, 1).error().code, Code::kOutOfRange);
  EXPECT_EQ(keys_below(this->store(), ""), std::set<std::string>{"empty"});
}

TYPED_TEST_P(StoreConformance, ReadsRanges) {
  const std::string bytes = random_bytes(100'000, 2);
  ASSERT_TRUE(put_object(this->store(), "a/b", bytes));
  EXPECT_EQ(get_object(this->store(), "a/b", 0, 1), bytes.substr(0, 1));
  EXPECT_EQ(get_object(this->store(), "a/b", 50'000, 1234), bytes.substr(50'000, 1234));
  EXPECT_EQ(get_object(this->store(), "a/b", 99'999, 1), bytes.substr(99'999));
  EXPECT_EQ(get_object(this->store(), "a/b", 99'999, 2).error().code, Code::kOutOfRange);
  EXPECT_EQ(get_object(this->store(), "a/b", 100'000, 1).error().code, Code::kOutOfRange);
  EXPECT_EQ(get_object(this->store(), "a/b", ~uint64_t{0}, 16).error().code, Code::kOutOfRange);
}

TYPED_TEST_P(StoreConformance, ReadsFromManyThreads) {
  const std::string bytes = random_bytes(1 << 20, 3);
  ASSERT_TRUE(put_object(this->store(), "a", bytes));
  std::vector<int> right(4);
  {
    std::vector<std::jthread> threads;
    for (int& count : right)
      threads.emplace_back([&, seed = &count - right.data()] {
        std::mt19937_64 random(static_cast<uint64_t>(seed));
        for (int i = 0; i < 50; i++) {
          const size_t offset = random() % bytes.size();
          const size_t size = random() % (bytes.size() - offset);
          count += get_object(this->store(), "a", offset, size) == bytes.substr(offset, size);
        }
      });
  }
  EXPECT_EQ(right, std::vector<int>(4, 50));
}

TYPED_TEST_P(StoreConformance, ReplacesAnObjectWhole) {
  const auto first = put_object(this->store(), "a/b", random_bytes(10'000, 4));
  const std::string bytes = random_bytes(10'000, 5);
  auto upload = this->store().put("a/b", bytes.size());
  ASSERT_TRUE(upload);
  ASSERT_TRUE((*upload)->write(as_bytes(bytes)));
  EXPECT_EQ(this->store().head("a/b")->etag, first->etag) << "replaced before commit()";
  const auto second = (*upload)->commit();
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_NE(second->etag, first->etag);
  EXPECT_EQ(get_object(this->store(), "a/b", 0, bytes.size()), bytes);
  EXPECT_EQ(keys_below(this->store(), ""), std::set<std::string>{"a/b"});
}

TYPED_TEST_P(StoreConformance, AnUploadNotCommittedIsNoObject) {
  {
    auto upload = this->store().put("a/b", 1 << 20);
    ASSERT_TRUE(upload);
    ASSERT_TRUE((*upload)->write(as_bytes(random_bytes(1 << 20, 6))));
    EXPECT_EQ(this->store().head("a/b").error().code, Code::kNotFound);
    EXPECT_TRUE(keys_below(this->store(), "").empty());
  }
  EXPECT_EQ(this->store().head("a/b").error().code, Code::kNotFound);
  EXPECT_TRUE(keys_below(this->store(), "").empty());
}

// More than any store keeps in memory before it begins an upload.
inline const std::string& large_object() {
  static const std::string bytes = random_bytes(24 << 20, 8);
  return bytes;
}

inline Result<std::unique_ptr<Upload>> begin_large_upload(Store& store, std::string_view key) {
  auto upload = TRY(store.put(key, large_object().size() + 1));
  TRY(upload->write(as_bytes(large_object())));
  return upload;
}

TYPED_TEST_P(StoreConformance, AnAbortedUploadCannotBeCommitted) {
  auto upload = begin_large_upload(this->store(), "a/b");
  auto other = begin_large_upload(this->store(), "a/b2");
  ASSERT_TRUE(upload && other);
  ASSERT_TRUE(this->store().abort_uploads("a/b"));
  EXPECT_TRUE(this->store().abort_uploads("a/b")) << "gone already is success";
  EXPECT_FALSE((*upload)->commit());
  EXPECT_EQ(this->store().head("a/b").error().code, Code::kNotFound);
  const auto stored = (*other)->commit();
  ASSERT_TRUE(stored) << stored.error().message;
  EXPECT_EQ(stored->size_bytes, large_object().size());
}

TYPED_TEST_P(StoreConformance, SweepsOldUploadsOfAPrefix) {
  constexpr std::chrono::seconds kDay{86400};
  constexpr std::chrono::seconds kFuture{-3600};
  auto below = begin_large_upload(this->store(), "a/b");
  auto beside = begin_large_upload(this->store(), "c");
  ASSERT_TRUE(below && beside);
  std::set<std::string> listed;
  ASSERT_TRUE(this->store().list_uploads("a/", [&](const PendingUpload& upload) {
    EXPECT_TRUE(listed.insert(upload.key).second) << upload.key << " listed twice";
    EXPECT_NEAR(static_cast<double>(upload.age_s), 0, 60);
    EXPECT_FALSE(upload.id.empty());
    return true;
  }));
  EXPECT_EQ(listed, std::set<std::string>{"a/b"});
  EXPECT_EQ(this->store().sweep_uploads("", kDay), 0);
  EXPECT_EQ(this->store().sweep_uploads("a/", kFuture), 1);
  EXPECT_EQ(this->store().sweep_uploads("a/", kFuture), 0);
  EXPECT_FALSE((*below)->commit());
  EXPECT_TRUE((*beside)->commit());
  EXPECT_EQ(this->store().sweep_uploads("", kFuture), 0);
}

TYPED_TEST_P(StoreConformance, UploadsOfOneKeyDoNotMix) {
  auto first = this->store().put("k", 8);
  auto second = this->store().put("k", 8);
  ASSERT_TRUE(first && second);
  ASSERT_TRUE((*first)->write(as_bytes("first")));
  ASSERT_TRUE((*second)->write(as_bytes("second")));
  ASSERT_TRUE((*second)->commit());
  ASSERT_TRUE((*first)->commit());
  EXPECT_EQ(this->store().head("k")->size_bytes, 5U);
  EXPECT_EQ(get_object(this->store(), "k", 0, 5), "first");
}

TYPED_TEST_P(StoreConformance, ListsByPrefix) {
  std::map<std::string, size_t> sizes = {{"backups/3/5.tar.gz", 5},
                                         {"backups/3/50.tar.gz", 50},
                                         {"backups/31/5.tar.gz", 31},
                                         {"backups/4/a/b/c", 4},
                                         {"backups/4.note", 6},
                                         {"backup", 1},
                                         {"other/3", 3}};
  for (const auto& [key, size] : sizes)
    ASSERT_TRUE(put_object(this->store(), key, std::string(size, 'x')));
  const auto expect = [&](std::string_view prefix, const std::set<std::string>& keys) {
    EXPECT_EQ(keys_below(this->store(), prefix), keys) << "prefix \"" << prefix << '"';
  };
  std::set<std::string> all;
  for (const auto& [key, size] : sizes) all.insert(key);
  expect("", all);
  expect("backups/3/", {"backups/3/5.tar.gz", "backups/3/50.tar.gz"});
  expect("backups/3", {"backups/3/5.tar.gz", "backups/3/50.tar.gz", "backups/31/5.tar.gz"});
  expect("backups/3/5.tar.gz", {"backups/3/5.tar.gz"});
  expect("backups/4", {"backups/4.note", "backups/4/a/b/c"});
  expect("backups/3/5.tar.gz/", {});
  expect("back", {"backup", "backups/3/5.tar.gz", "backups/3/50.tar.gz", "backups/31/5.tar.gz",
                  "backups/4.note", "backups/4/a/b/c"});
  expect("../", {});
  expect("/", {});
  expect("nothing", {});
  std::string before;
  const auto listed = this->store().list("", [&](const ObjectInfo& object) {
    EXPECT_LT(before, object.key) << "not in the order of the keys' bytes";
    before = object.key;
    EXPECT_EQ(object.size_bytes, sizes[object.key]) << object.key;
    EXPECT_FALSE(object.etag.empty());
    return true;
  });
  EXPECT_TRUE(listed);
}

TYPED_TEST_P(StoreConformance, ListStopsWhenToldTo) {
  for (const char* key : {"a/1", "a/2", "b/1", "b/2"})
    ASSERT_TRUE(put_object(this->store(), key, "x"));
  int seen = 0;
  ASSERT_TRUE(this->store().list("", [&](const ObjectInfo&) { return ++seen < 2; }));
  EXPECT_EQ(seen, 2);
}

TYPED_TEST_P(StoreConformance, RemovesOnlyTheObject) {
  ASSERT_TRUE(put_object(this->store(), "a/1", "one"));
  ASSERT_TRUE(put_object(this->store(), "a/2", "two"));
  EXPECT_TRUE(this->store().remove("a/1"));
  EXPECT_TRUE(this->store().remove("a/1")) << "gone already is success";
  EXPECT_TRUE(this->store().remove("never/was")) << "not there is success";
  EXPECT_TRUE(this->store().remove("a")) << "a is no object";
  EXPECT_EQ(keys_below(this->store(), ""), std::set<std::string>{"a/2"});
  EXPECT_TRUE(put_object(this->store(), "a/1", "again"));
}

TYPED_TEST_P(StoreConformance, AMissingObjectIsNotFoundAndNamed) {
  ASSERT_TRUE(put_object(this->store(), "a/b", "x"));
  for (const char* key : {"missing", "a", "a/b/c", "a/c"}) {
    const auto head = this->store().head(key);
    ASSERT_FALSE(head) << key;
    EXPECT_EQ(head.error().code, Code::kNotFound) << key;
    EXPECT_NE(head.error().message.find(key), std::string::npos) << head.error().message;
    EXPECT_EQ(get_object(this->store(), key, 0, 1).error().code, Code::kNotFound) << key;
    EXPECT_EQ(open_object(this->store(), key).error().code, Code::kNotFound) << key;
  }
}

TYPED_TEST_P(StoreConformance, RefusesBadKeys) {
  using std::string_view_literals::operator""sv;
  const std::string long_key(1025, 'x');
  for (const std::string_view key :
       {""sv, "/a"sv, "a/"sv, "a//b"sv, "."sv, ".."sv, "../a"sv, "a/../b"sv, "a/./b"sv, "a/.."sv,
        "a\0b"sv, std::string_view(long_key)}) {
    EXPECT_EQ(this->store().put(key, 1).error().code, Code::kInvalidArgument) << key;
    EXPECT_EQ(this->store().head(key).error().code, Code::kInvalidArgument) << key;
    EXPECT_EQ(get_object(this->store(), key, 0, 1).error().code, Code::kInvalidArgument) << key;
    EXPECT_EQ(this->store().remove(key).error().code, Code::kInvalidArgument) << key;
    EXPECT_EQ(this->store().abort_uploads(key).error().code, Code::kInvalidArgument) << key;
  }
  EXPECT_TRUE(put_object(this->store(), "..a/b..c/.d", "dots inside names are fine"));
}

TYPED_TEST_P(StoreConformance, OpensAnObjectAsASource) {
  const std::string bytes = random_bytes(100'000, 7);
  ASSERT_TRUE(put_object(this->store(), "a/b", bytes));
  auto source = open_object(this->store(), "a/b");
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ((*source)->size(), bytes.size());
  std::string part(5000, '\0');
  ASSERT_TRUE((*source)->read_at(95'000, std::as_writable_bytes(std::span(part))));
  EXPECT_EQ(part, bytes.substr(95'000));
  EXPECT_EQ((*source)->read_at(95'001, std::as_writable_bytes(std::span(part))).error().code,
            Code::kOutOfRange);
}

REGISTER_TYPED_TEST_SUITE_P(StoreConformance, KeepsWhatWasPut, KeepsAnEmptyObject, ReadsRanges,
                            ReadsFromManyThreads, ReplacesAnObjectWhole,
                            AnUploadNotCommittedIsNoObject, AnAbortedUploadCannotBeCommitted,
                            SweepsOldUploadsOfAPrefix, UploadsOfOneKeyDoNotMix, ListsByPrefix,
                            ListStopsWhenToldTo, RemovesOnlyTheObject,
                            AMissingObjectIsNotFoundAndNamed, RefusesBadKeys,
                            OpensAnObjectAsASource);

}  // namespace manman
