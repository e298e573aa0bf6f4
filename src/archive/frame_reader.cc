#include "archive/frame_reader.h"

#include <algorithm>
#include <thread>

#include "archive/frame_codec.h"

namespace manman::archive {
namespace {

// More workers than cores, since a frame of a distant archive is mostly waited for.
constexpr int kExtraWorkers = 4;
constexpr int kMaxThreads = 16;

using Pipeline = OrderedPipeline<FrameJob>;

Result<void> produce(Pipeline& pipeline, FrameCursor cursor, const std::vector<Range>& ranges,
                     uint64_t stream_size) {
  for (size_t at = 0; at < ranges.size();) {
    auto frame = TRY(cursor.next());
    if (!frame) return fail(Code::kDataLoss, "the archive's index is damaged: frames are missing");
    const uint64_t begin = frame->number * format::kFrameSize;
    const uint64_t end = begin + frame->record.raw_size;
    const bool wanted = ranges[at].begin < end;
    while (at < ranges.size() && ranges[at].end <= end) at++;
    if (!wanted) continue;
    auto job = TRY(pipeline.make());
    job->frame = *frame;
    TRY(pipeline.push(std::move(job)));
  }
  // Where the last frame was wanted, nothing may stand behind it in the index.
  if (!ranges.empty() && ranges.back().end == stream_size && TRY(cursor.next()))
    return fail(Code::kDataLoss, "the archive's index is damaged: it has too many frames");
  return {};
}

Result<void> fetch(RandomSource& source, FrameUnpacker& unpacker, FrameJob& job) {
  const format::FrameRecord& record = job.frame.record;
  const std::string what = "frame " + std::to_string(job.frame.number) + " (at byte " +
                           std::to_string(job.frame.offset) + ")";
  job.packed.resize(format::kMaxPackedFrame + FrameUnpacker::kRoom);
  job.raw.resize(record.raw_size);
  const MutableBytes packed(job.packed);
  TRY(in(what, source.read_at(job.frame.offset, packed.first(record.packed_size))));
  return in(what + " is damaged", unpacker.unpack(record, packed, job.raw));
}

}  // namespace

int thread_count(int wanted) {
  if (wanted <= 0) wanted = static_cast<int>(std::thread::hardware_concurrency());
  return std::clamp(wanted, 1, kMaxThreads);
}

FrameReader::FrameReader(RandomSource& source, const Index& index, std::vector<Range> ranges,
                         int threads)
    : pipeline_(
          thread_count(threads) + kExtraWorkers,
          static_cast<size_t>(thread_count(threads) + kExtraWorkers) + 4,
          [cursor = index.frames(), ranges = std::move(ranges),
           stream_size = index.tail().stream_size](Pipeline& pipeline) {
            return produce(pipeline, cursor, ranges, stream_size);
          },
          [&source, format = index.format()] {
            return [&source, unpacker = std::shared_ptr(make_unpacker(format))](
                       FrameJob& job) -> Result<void> {
              job.outcome = fetch(source, *unpacker, job);
              return {};
            };
          }) {}

}  // namespace manman::archive
