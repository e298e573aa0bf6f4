#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "archive/sequential_reader.h"

namespace manman::archive {

// The archive's bytes in order.
class ArchiveInput {
 public:
  ArchiveInput(RandomSource& source, const SequentialReading& reading)
      : source_(source), reading_(reading), buffer_(size_t{1} << 20) {}

  // The bytes not yet used, read anew when there are none; empty at the end.
  Result<ConstBytes> peek() {
    if (begin_ < end_) return unused();
    if (reading_.progress != nullptr) TRY(reading_.progress->check());
    begin_ = 0;
    end_ = std::min<uint64_t>(buffer_.size(), source_.size() - offset_);
    if (end_ == 0) return ConstBytes();
    TRY(source_.read_at(offset_, MutableBytes(buffer_).first(end_)));
    offset_ += end_;
    if (reading_.on_archive) reading_.on_archive(unused());
    return unused();
  }
  void use(size_t count) { begin_ += count; }
  // " at byte N of the archive": where the unused bytes begin.
  std::string place() const {
    return " at byte " + std::to_string(offset_ - (end_ - begin_)) + " of the archive";
  }

 private:
  ConstBytes unused() const { return ConstBytes(buffer_).subspan(begin_, end_ - begin_); }

  RandomSource& source_;
  const SequentialReading& reading_;
  std::vector<std::byte> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  uint64_t offset_ = 0;
};

}  // namespace manman::archive
