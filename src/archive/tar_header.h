#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "archive/xattrs.h"
#include "base/error.h"
#include "base/stream.h"

// One 512-byte header block of a tar stream and the extended headers, parsed strictly; no state.
namespace manman::archive {

inline constexpr size_t kTarBlock = 512;
// No file system has larger files; with it no sum of sizes can overflow.
inline constexpr uint64_t kMaxTarSize = uint64_t{1} << 62;

// A run of a sparse file's contents that is stored; the rest is holes.
struct Extent {
  uint64_t offset = 0;
  uint64_t length = 0;
};
inline constexpr size_t kMaxExtents = 262'144;

struct RawHeader {
  std::string path;  // prefix and name joined
  std::string link_target;
  char type = '0';             // '\0' is given as '0'
  bool is_pax_format = false;  // magic "ustar", version "00"
  uint64_t size_bytes = 0;
  uint32_t mode = 0;
  uint64_t uid = 0;
  uint64_t gid = 0;
  int64_t mtime_s = 0;
  // Of the old GNU sparse kind ('S').
  std::vector<Extent> extents;
  bool more_extents = false;
  uint64_t real_size = 0;
};

// Whether a block's checksum is right, as unsigned or (ancient) signed bytes.
bool has_good_checksum(ConstBytes block);
// kDataLoss for a bad checksum or a field that is no number.
Result<RawHeader> parse_header(ConstBytes block);
// A block that continues the map of an old GNU sparse file; true when another follows.
Result<bool> parse_sparse_block(ConstBytes block, std::vector<Extent>& extents);

// What extended headers say about an entry. Unset: the header's own field stands.
struct Attributes {
  std::optional<std::string> path;
  std::optional<std::string> link_target;
  std::optional<uint64_t> size_bytes;
  std::optional<uint64_t> uid;
  std::optional<uint64_t> gid;
  std::optional<int64_t> mtime_s;
  uint32_t mtime_ns = 0;
  Xattrs xattrs;  // only those that archives carry
  // GNU's sparse files in pax: 0.0 and 0.1 carry the map here, 1.0 before the contents.
  bool sparse = false;
  bool map_in_data = false;
  std::optional<std::string> sparse_name;  // `path` is then a stand-in
  std::optional<uint64_t> real_size;
  std::vector<Extent> extents;
  std::optional<uint64_t> half_extent;  // an offset whose length is to come
};

// Adds the records of a pax header ("LENGTH KEY=VALUE\n"…) to attributes; an empty value takes one
// back. kDataLoss for anything malformed.
Result<void> parse_pax(ConstBytes records, Attributes& attributes);

// Digits only, at most INT64_MAX.
std::optional<uint64_t> parse_decimal(std::string_view text);

// Whether extents are in order, apart, inside real_size and stored_size long together.
bool extents_fit(const std::vector<Extent>& extents, uint64_t stored_size, uint64_t real_size);

}  // namespace manman::archive
