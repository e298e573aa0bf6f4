#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/compression.h"
#include "base/stream.h"

namespace manman::archive {

// What an archive of a format has around its frames, and how its index is wrapped so that readers
// of the format pass over it. Stateless; any thread.
class Container {
 public:
  virtual ~Container() = default;

  // What stands before the first frame, always the same bytes.
  virtual ConstBytes header() const = 0;
  // What stands behind the last frame.
  virtual std::string data_end(uint32_t stream_crc32, uint64_t stream_size) const = 0;
  virtual size_t data_end_size() const = 0;
  // Whether these first bytes of an archive are those of one that was made with an index at its
  // end: so one that was cut off there is told from a foreign one.
  virtual bool is_marked(ConstBytes start) const = 0;

  // A member carries bytes of the index, at most kMaxMemberData: head, bytes, end.
  virtual size_t member_head_size() const = 0;
  virtual std::string member_head(size_t data_size) const = 0;
  // The size of the data of a member with this head, 0 when it is none of one.
  virtual size_t member_data_size(ConstBytes head) const = 0;
  // What follows such data; it has no other value.
  virtual std::string_view member_end(size_t data_size) const = 0;

  std::string member(std::string_view data) const;
  size_t member_size(size_t data_size) const {
    return member_head_size() + data_size + member_end(data_size).size();
  }
};

inline constexpr size_t kMaxMemberData = 65535 - 4;

const Container& container_of(ArchiveFormat format);
// The format whose Container::is_marked() says so, if any.
std::optional<ArchiveFormat> format_marked_by(ConstBytes start);
inline bool is_marked(ConstBytes start) {
  return format_marked_by(start).has_value();
}

// The first bytes of every zstd frame that holds data, the content size aside: magic, and a header
// that has a content size of 8 bytes, a single segment and a checksum. libzstd itself writes so
// long a size only from 4 GiB on, which makes it the mark.
inline constexpr std::string_view kZstdFrameStart{"\x28\xb5\x2f\xfd\xe4", 5};

}  // namespace manman::archive
