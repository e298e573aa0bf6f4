#include <algorithm>
#include <vector>

#include "archive/archive.h"
#include "archive/bytes.h"
#include "fuzz/archive_mutator.h"
#include "fuzz/arena.h"
#include "fuzz/check.h"
#include "fuzz/memory_source.h"

// Whole archives: verify, list, cat, unpack and salvage. Nothing is made outside of the target, and
// the answers agree with one another.
namespace manman::archive::fuzz {
namespace {

constexpr uint64_t kMaxUnpacked = 8 << 20;

struct NullSink final : Sink {
  uint64_t size = 0;
  Result<void> write(ConstBytes bytes) override {
    size += bytes.size();
    if (size > kMaxUnpacked) return fail(Code::kCancelled, "enough");
    return {};
  }
};

void check_error(const Error& error) {
  CHECK(!error.message.empty());
  CHECK(error.code != Code::kInternal && error.code != Code::kUnknown);
}

// The names of an archive, up to some; false when it can't be listed.
bool list_names(RandomSource& source, std::vector<Entry>& entries) {
  const auto listed = list(source, [&](const Entry& entry) {
    entries.push_back(entry);
    return entries.size() < 10'000;
  });
  if (!listed) check_error(listed.error());
  return listed.has_value();
}

void check_cat(RandomSource& source, const std::vector<Entry>& entries, bool whole) {
  if (entries.empty()) return;
  NullSink sink;
  const Entry& entry = entries[entries.size() / 2];
  const auto done = cat(source, entry.path, sink);
  if (!done) return check_error(done.error());
  // Of several entries of one name cat gives the last.
  const bool only = std::ranges::count(entries, entry.path, &Entry::path) == 1;
  if (whole && only && entry.kind == EntryKind::kFile) CHECK(sink.size == entry.size_bytes);
}

}  // namespace
}  // namespace manman::archive::fuzz

using namespace manman;
using namespace manman::archive;
using namespace manman::archive::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Arena arena;
  MemorySource source(std::as_bytes(std::span(data, size)));
  const auto verified = verify(source, 1, nullptr);
  if (!verified) check_error(verified.error());
  std::vector<Entry> entries;
  const bool listed = list_names(source, entries);
  if (verified) CHECK(listed && (entries.size() == verified->entries || entries.size() == 10'000));
  check_cat(source, entries, verified.has_value());
  const UnpackOptions options{
      .threads = 1, .max_unpacked_bytes = kMaxUnpacked, .max_ratio = 100'000};
  const auto unpacked = [&] {
    const WatchCalls watch;
    return unpack(source, arena.target(), options);
  }();
  arena.check_and_clear();
  uint64_t lost = 0;
  const auto salvaged = [&] {
    const WatchCalls watch;
    return salvage(source, arena.target(), options, [&lost](const Entry&) { lost++; });
  }();
  arena.check_and_clear();
  if (unpacked) {
    CHECK(verified && unpacked->entries == verified->entries);
    CHECK(unpacked->data_size_bytes == verified->data_size_bytes);
    CHECK(salvaged && lost == 0 && salvaged->lost_entries == 0 && salvaged->damage.empty());
    CHECK(salvaged->to_the_end && salvaged->entries == unpacked->entries);
    CHECK(salvaged->data_size_bytes == unpacked->data_size_bytes);
  } else {
    CHECK(!unpacked.error().message.empty());
    CHECK(!salvaged || salvaged->lost_entries == lost);
  }
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
  return mutate_with(mutate_archive, data, size, max_size, seed);
}
