#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/error.h"

namespace manman {

using ConstBytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

// Takes a stream of bytes in order. One thread at a time. After an error the sink is spoilt:
// nothing more may be written to it.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual Result<void> write(ConstBytes bytes) = 0;
};

// Gives a stream of bytes in order. One thread at a time.
class Source {
 public:
  virtual ~Source() = default;
  // Reads at most buffer.size() bytes and says how many; 0 is the end of the stream.
  virtual Result<size_t> read(MutableBytes buffer) = 0;
};

// Bytes that can be read at any offset: a local file, or an object through ranged reads. Any
// number of threads at once.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  virtual uint64_t size() const = 0;
  // Fills all of buffer from offset; reaching the end before that is kOutOfRange.
  virtual Result<void> read_at(uint64_t offset, MutableBytes buffer) = 0;
};

}  // namespace manman
