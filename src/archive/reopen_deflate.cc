#include "archive/reopen_deflate.h"

#include <zlib.h>

#include <algorithm>
#include <vector>

namespace manman::archive {
namespace {

// Of the last block of a deflate stream, in bits from the stream's beginning.
struct LastBlock {
  size_t begin = 0;
  size_t end = 0;
};

class Inflater {
 public:
  Inflater() : ready_(inflateInit2(&stream, -15) == Z_OK) {}
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() {
    if (ready_) inflateEnd(&stream);
  }
  bool ready() const { return ready_; }

  z_stream stream{};

 private:
  bool ready_;
};

// zlib stops at each block's end and says how many bits of the last byte it has not used.
Result<LastBlock> find_last_block(ConstBytes raw, ConstBytes packed) {
  constexpr int kAtBoundary = 128;
  constexpr int kInLastBlock = 64;
  Inflater inflater;
  if (!inflater.ready()) return fail(Code::kResourceExhausted, "zlib: out of memory");
  z_stream& stream = inflater.stream;
  std::vector<std::byte> made(raw.size());
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(made.data());
  stream.avail_out = static_cast<uInt>(made.size());
  LastBlock block;
  for (;;) {
    const int code = inflate(&stream, Z_BLOCK);
    if (code != Z_OK || (stream.data_type & kAtBoundary) == 0)
      return fail(Code::kInternal, "the compressed data does not decompress");
    const size_t at =
        (packed.size() - stream.avail_in) * 8 - static_cast<size_t>(stream.data_type & 7);
    if ((stream.data_type & kInLastBlock) == 0) {
      block.begin = at;
      continue;
    }
    block.end = at;
    if (stream.avail_out == 0 && std::ranges::equal(made, raw)) return block;
    return fail(Code::kInternal, "the compressed data decompresses to something else");
  }
}

}  // namespace

Result<size_t> reopen_deflate(ConstBytes raw, MutableBytes buffer, size_t size) {
  constexpr std::byte kEmptyStored[] = {std::byte{0}, std::byte{0}, std::byte{0xff},
                                        std::byte{0xff}};
  const LastBlock block = TRY(find_last_block(raw, buffer.first(size)));
  buffer[block.begin / 8] &= ~(std::byte{1} << (block.begin % 8));
  size_t end = (block.end + 7) / 8;
  // The three bits of the empty block's head: zeros, as the bits that are left in the last byte.
  if (end * 8 - block.end < 3) buffer[end++] = std::byte{0};
  std::ranges::copy(kEmptyStored, buffer.begin() + static_cast<ptrdiff_t>(end));
  return end + std::size(kEmptyStored);
}

}  // namespace manman::archive
