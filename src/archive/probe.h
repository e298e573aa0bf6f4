#pragma once

#include <vector>

#include "archive/zstd_frames.h"

namespace manman::archive {

// Tells data that does not compress (packed already, encrypted) from other, at next to no cost
// for the other: samples whose bytes are not about equally frequent settle it. What seems random is
// searched for repeats by a compression that is fast on such data.
class Probe {
 public:
  Result<bool> compresses(ConstBytes raw);
  // Of data that does not compress: its zstd frame.
  ConstBytes frame() const { return frame_; }

 private:
  ZstdWriter writer_{ZstdWriter::kProbing};
  std::vector<std::byte> frame_;
};

// Whether raw seems to be packed data with zeros between, as region files are: nothing but the
// zeros compresses.
bool is_packed_but_zeros(ConstBytes raw);

}  // namespace manman::archive
