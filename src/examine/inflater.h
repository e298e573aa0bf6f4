#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/stream.h"

struct libdeflate_decompressor;

namespace manman::examine {

enum class Wrapping { kGzip, kZlib };

// Decompresses whole streams in memory that it keeps for the next one. One thread at a time.
class Inflater {
 public:
  // What is larger when decompressed is not examined.
  static constexpr size_t kMaxBytes = size_t{64} << 20;

  Inflater();

  // What the first stream in `bytes` holds, until the next call. Damaged, or cut short: kDataLoss;
  // more than kMaxBytes: kOutOfRange.
  Result<ConstBytes> inflate(ConstBytes bytes, Wrapping wrapping);

 private:
  struct Free {
    void operator()(libdeflate_decompressor* decompressor) const;
  };

  std::unique_ptr<libdeflate_decompressor, Free> decompressor_;
  std::vector<std::byte> out_;
};

}  // namespace manman::examine
