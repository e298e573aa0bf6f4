#include <algorithm>

#include "archive/index.h"
#include "base/file.h"
#include "fuzz/archive_mutator.h"
#include "fuzz/check.h"
#include "fuzz/memory_source.h"

// The reader of the index: what it gives lies inside the archive, in order and apart.
namespace manman::archive::fuzz {
namespace {

void walk_frames(const Index& index) {
  const format::Tail& tail = index.tail();
  FrameCursor frames = index.frames();
  const Container& container = container_of(index.format());
  uint64_t end = container.header().size();
  uint64_t stream = 0;
  for (uint64_t number = 0;; number++) {
    const auto frame = frames.next();
    if (!frame) return;
    if (!*frame) {
      CHECK(number == tail.frame_count && stream == tail.stream_size);
      CHECK(end + container.data_end_size() == tail.entries_offset);
      return;
    }
    CHECK((*frame)->number == number && (*frame)->offset == end);
    end += (*frame)->record.packed_size;
    stream += (*frame)->record.raw_size;
    CHECK(end <= tail.entries_offset && stream <= tail.stream_size);
    CHECK((*frame)->record.packed_size <= format::kMaxPackedFrame);
  }
}

void walk_entries(const Index& index) {
  const format::Tail& tail = index.tail();
  EntryCursor entries = index.entries();
  uint64_t end = 0;
  uint64_t data = 0;
  for (uint64_t number = 0;; number++) {
    const auto record = entries.next();
    if (!record) return;
    if (!*record) {
      CHECK(number == tail.entry_count && data == tail.data_size);
      return;
    }
    const format::EntryRecord& entry = **record;
    CHECK(entry.header_offset == end && entry.data_offset > end);
    CHECK(!entry.entry.path.empty() && entry.entry.path.size() <= format::kMaxPathSize);
    CHECK(entry.entry.path.find('\0') == std::string::npos);
    data += entry.entry.size_bytes;
    end = entry.data_offset + (entry.entry.size_bytes + 511) / 512 * 512;
    CHECK(end <= tail.stream_size && data <= tail.stream_size);
    // What was read is what would be written.
    const std::string again = format::encode(entry);
    ConstBytes rest = as_bytes(again);
    const auto decoded = format::decode_entry(rest);
    CHECK(decoded && rest.empty() && decoded->entry.path == entry.entry.path);
    CHECK(decoded->entry.mtime_s == entry.entry.mtime_s);
  }
}

}  // namespace
}  // namespace manman::archive::fuzz

using namespace manman;
using namespace manman::archive;
using namespace manman::archive::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  MemorySource source(std::as_bytes(std::span(data, size)));
  const auto index = Index::open(source);
  if (!index) {
    CHECK(!index.error().message.empty());
    return 0;
  }
  if (!*index) return 0;
  walk_frames(**index);
  walk_entries(**index);
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
  return mutate_with(mutate_archive, data, size, max_size, seed);
}
