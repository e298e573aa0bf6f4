#pragma once

#include <functional>
#include <vector>

#include "archive/index.h"
#include "archive/ordered_pipeline.h"
#include "base/stream.h"

namespace manman::archive {

// A half-open run of the tar stream.
struct Range {
  uint64_t begin = 0;
  uint64_t end = 0;
};

// A frame on its way out of the archive.
struct FrameJob {
  Frame frame;
  std::vector<std::byte> packed;  // with two bytes of room behind
  std::vector<std::byte> raw;
  Result<void> outcome;  // why it could not be fetched or is damaged; raw is then void

  ConstBytes packed_bytes() const { return ConstBytes(packed).first(frame.record.packed_size); }
};

// Fetches, checks and decompresses the frames that hold the given ranges of the stream, several at
// once, and gives them out in order, damaged ones too. Ranges are in order and apart. Everything
// referred to must outlive the reader.
class FrameReader {
 public:
  FrameReader(RandomSource& source, const Index& index, std::vector<Range> ranges, int threads);

  // The next frame, null after the last. Each is handed back by recycle().
  Result<std::unique_ptr<FrameJob>> next() { return pipeline_.pop(); }
  void recycle(std::unique_ptr<FrameJob> job) { pipeline_.recycle(std::move(job)); }

 private:
  using Pipeline = OrderedPipeline<FrameJob>;
  Pipeline pipeline_;
};

// How many threads to use where the caller asked for `wanted`, 0 meaning one per core.
int thread_count(int wanted);

}  // namespace manman::archive
