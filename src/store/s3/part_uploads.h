#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/sync.h"
#include "store/s3/multipart.h"

namespace manman::s3 {

// Memory for one part.
class PartBuffer {
 public:
  explicit PartBuffer(size_t capacity)
      : bytes_(std::make_unique_for_overwrite<std::byte[]>(capacity)), capacity_(capacity) {}

  // Takes the beginning of bytes, as much as there is room for; how much that was.
  size_t append(ConstBytes bytes);
  bool full() const { return size_ == capacity_; }
  ConstBytes bytes() const { return {bytes_.get(), size_}; }
  void clear() { size_ = 0; }

 private:
  std::unique_ptr<std::byte[]> bytes_;
  size_t capacity_;
  size_t size_ = 0;
};

// The parts of one upload on their way, by threads of its own. One thread gives the parts; the
// destructor cuts off what is under way.
class PartUploads {
 public:
  // At most `buffers` part buffers exist at the same time, the one that is being filled included.
  // cancelled: see Upload::cancel_when(); may be empty.
  PartUploads(Client& client, const Multipart& upload, size_t part_bytes, int threads, int buffers,
              std::function<bool()> cancelled);
  ~PartUploads();

  // Takes a part, and gives an empty buffer for the next one as soon as one is free. After a part
  // that failed for good: its error.
  Result<PartBuffer> exchange(PartBuffer part);
  // Takes the last part and waits for all of them; their ETags in order.
  Result<std::vector<std::string>> finish(PartBuffer last);
  const Multipart& upload() const { return upload_; }

 private:
  struct Part {
    int number;
    PartBuffer buffer;
  };
  struct State {
    std::deque<Part> waiting;
    std::vector<PartBuffer> free;
    int buffers = 1;  // that there are; the first is the caller's
    size_t under_way = 0;
    std::vector<std::string> etags;  // by number, from 1
    std::optional<Error> error;
    bool ended = false;
  };

  Result<void> add(PartBuffer part);
  void work();
  std::optional<Part> next_part();

  Client& client_;
  const Multipart upload_;
  const size_t part_bytes_;
  const int max_buffers_;
  const std::function<bool()> cancelled_;
  Sync<State> state_;
  std::atomic<bool> cut_off_{false};
  std::vector<std::jthread> threads_;
};

}  // namespace manman::s3
