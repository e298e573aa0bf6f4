#include "archive/damage.h"

#include <algorithm>
#include <string>

namespace manman::archive {
namespace {

constexpr size_t kNamesShown = 3;

bool overlap(const Range& a, const Range& b) {
  return a.begin < b.end && b.begin < a.end;
}

Range range_of(const Frame& frame) {
  const uint64_t begin = frame.number * format::kFrameSize;
  return {begin, begin + frame.record.raw_size};
}

}  // namespace

bool is_damage(const Error& error) {
  return error.code == Code::kDataLoss || error.code == Code::kOutOfRange ||
         (error.code == Code::kInternal && !error.retryable);
}

Range range_of(const format::EntryRecord& record) {
  return {record.header_offset, record.data_offset + (record.entry.size_bytes + 511) / 512 * 512};
}

void add_range(std::vector<Range>& ranges, Range range) {
  if (!ranges.empty() && ranges.back().end == range.begin)
    ranges.back().end = range.end;
  else
    ranges.push_back(range);
}

Result<Damage> find_damage(RandomSource& source, const Index& index, int threads,
                           const Progress* progress) {
  Damage damage;
  FrameReader frames(source, index, {{0, index.tail().stream_size}}, threads);
  while (auto job = TRY(frames.next())) {
    if (progress != nullptr) TRY(progress->check());
    if (!job->outcome) {
      if (!is_damage(job->outcome.error())) return std::unexpected(job->outcome.error());
      if (!damage.first) damage.first = job->outcome.error();
      damage.frames++;
      add_range(damage.runs, range_of(job->frame));
    }
    frames.recycle(std::move(job));
  }
  return damage;
}

Error with_names(Error error, const Index& index, const Frame& frame) {
  std::string names;
  uint64_t count = 0;
  EntryCursor entries = index.entries();
  for (;;) {
    const auto record = entries.next();
    if (!record || !*record) break;
    if (!overlap(range_of(**record), range_of(frame))) continue;
    if (count++ < kNamesShown) names += (names.empty() ? "" : ", ") + (*record)->entry.path;
  }
  if (count > kNamesShown) names += " and " + std::to_string(count - kNamesShown) + " more";
  if (count > 0) error.message += "; it holds all or a part of " + names;
  return error;
}

}  // namespace manman::archive
