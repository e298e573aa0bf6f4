#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/stream.h"

namespace manman {

struct ObjectInfo {
  std::string key;
  uint64_t size_bytes = 0;
  std::string etag;         // never empty for an object that is there
  int64_t modified_at = 0;  // Unix seconds
};

// What was begun and is no object yet.
struct PendingUpload {
  std::string key;
  std::string id;        // of the store's own making
  int64_t begun_at = 0;  // Unix seconds; of a folder, when it was last written to. 0: not known
  int64_t age_s = 0;     // by the store's own clock
};

// An object on its way into the store: bytes are written in order, and only commit() makes them
// an object, whole, under its key. Destroyed before that, it aborts and leaves nothing. One
// thread at a time.
class Upload : public Sink {
 public:
  // Durable when it returns; replaces an object of the same key. What the store then holds.
  virtual Result<ObjectInfo> commit() = 0;
  // Before the first write: asked often while parts are on their way, by any thread; once it says
  // true, write() ends soon with kCancelled instead of waiting for them, and commit() tries nothing
  // again. The one request that makes the object is not cut off: the store may have carried it out.
  // A store that does not wait need not ask.
  virtual void cancel_when(std::function<bool()> /*cancelled*/) {}
};

// Where archives live. Keys are relative paths ("backups/3/5.tar.gz"): no empty, "." or ".."
// segment, no leading slash, at most 1,024 bytes; others are kInvalidArgument. A missing object is
// kNotFound. Errors that a retry may help are marked retryable. Thread-safe.
class Store {
 public:
  virtual ~Store() = default;

  // size_upper_bound: of what will be written, in bytes; a multipart store fixes its part size by
  // it, and more than that may be refused while it is written.
  virtual Result<std::unique_ptr<Upload>> put(std::string_view key, uint64_t size_upper_bound) = 0;
  // Ends every unfinished upload of this key that stands in the store, whoever began it: what a
  // crash left behind. An Upload that is still at work on one of them can't be committed any more.
  // None there is success.
  virtual Result<void> abort_uploads(std::string_view key) = 0;
  // The same for all keys that start with prefix, of uploads that are older than this; how many
  // there were.
  virtual Result<int> sweep_uploads(std::string_view prefix, std::chrono::seconds older_than) = 0;
  // Calls visit for every such upload, of any age, until visit returns false; of uploads begun or
  // ended meanwhile some may be missing. Memory is bounded.
  virtual Result<void> list_uploads(std::string_view prefix,
                                    const std::function<bool(const PendingUpload&)>& visit) = 0;
  // Fills all of buffer from offset; beyond the object's end is kOutOfRange.
  virtual Result<void> get(std::string_view key, uint64_t offset, MutableBytes buffer) = 0;
  virtual Result<ObjectInfo> head(std::string_view key) = 0;
  // Calls visit for every object whose key starts with prefix, in the order of the keys'
  // bytes, until visit returns false. Uploads that are not committed are no objects. Memory is
  // bounded.
  virtual Result<void> list(std::string_view prefix,
                            const std::function<bool(const ObjectInfo&)>& visit) = 0;
  // An object that is not there is success.
  virtual Result<void> remove(std::string_view key) = 0;
  // Whether each read is a round trip over a network.
  virtual bool distant() const = 0;
  // The name that stands in s3://{bucket}/{key}.
  virtual std::string bucket() const = 0;
};

// The rule for keys, for every implementation.
Result<void> check_key(std::string_view key);

// An object of a store as a RandomSource, with retries of reads that a retry may help. The store
// must outlive it.
Result<std::unique_ptr<RandomSource>> open_object(Store& store, std::string_view key);
// The same for one who reads all of it in order: with read_ahead() where the store is distant.
Result<std::unique_ptr<RandomSource>> open_object_in_order(Store& store, std::string_view key);

}  // namespace manman
