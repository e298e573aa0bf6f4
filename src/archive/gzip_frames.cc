#include "archive/gzip_frames.h"

#include <isa-l/igzip_lib.h>
#include <libdeflate.h>

#include <algorithm>

#include "archive/probe.h"
#include "archive/reopen_deflate.h"

namespace manman::archive {
namespace {

constexpr size_t kMaxStoredBlock = 65535;
// Of ISA-L's levels the smallest that is fast; larger buffers make larger blocks that fit the data
// less.
constexpr uint32_t kIsalLevel = 2;
constexpr uint32_t kIsalBufferSize = ISAL_DEF_LVL2_MEDIUM;
// Of libdeflate's levels: about as small as gzip -6 and twice as fast; and smaller than gzip -9.
constexpr int kDefaultLevel = 6;
constexpr int kBestLevel = 10;

uint8_t* as_u8(std::byte* bytes) {
  return reinterpret_cast<uint8_t*>(bytes);
}

std::unexpected<Error> out_of_memory() {
  return fail(Code::kResourceExhausted, "out of memory");
}

// Frames that don't shrink: five bytes a block and the bytes as they are.
void store(ConstBytes raw, std::vector<std::byte>& packed) {
  packed.clear();
  packed.reserve(format::kMaxPackedFrame);
  while (!raw.empty()) {
    const size_t size = std::min(raw.size(), kMaxStoredBlock);
    const auto low = static_cast<std::byte>(size & 0xff);
    const auto high = static_cast<std::byte>(size >> 8);
    for (const std::byte byte : {std::byte{0}, low, high, ~low, ~high}) packed.push_back(byte);
    packed.insert(packed.end(), raw.begin(), raw.begin() + static_cast<ptrdiff_t>(size));
    raw = raw.subspan(size);
  }
}

// An encoder makes a frame of raw and says its size, 0 when it does not fit.
template <typename Encoder>
class GzipPacker final : public FramePacker {
 public:
  explicit GzipPacker(Encoder encoder) : encoder_(std::move(encoder)) {}

 private:
  Result<void> compress(ConstBytes raw, std::vector<std::byte>& packed) override {
    if (!TRY(probe_.compresses(raw))) {
      store(raw, packed);
      return {};
    }
    packed.resize(format::kMaxPackedFrame);
    packed.resize(TRY(encoder_.deflate(raw, packed)));
    if (packed.empty() || packed.size() >= raw.size()) store(raw, packed);
    return {};
  }

  Encoder encoder_;
  Probe probe_;
};

class IsalEncoder {
 public:
  IsalEncoder() : stream_(std::make_unique<isal_zstream>()), buffer_(kIsalBufferSize) {}

  Result<size_t> deflate(ConstBytes raw, MutableBytes packed) {
    isal_deflate_stateless_init(stream_.get());
    stream_->level = kIsalLevel;
    stream_->level_buf = buffer_.data();
    stream_->level_buf_size = static_cast<uint32_t>(buffer_.size());
    stream_->gzip_flag = IGZIP_DEFLATE;
    stream_->flush = FULL_FLUSH;
    stream_->end_of_stream = 0;
    // ISA-L only reads the input; its interface has no const.
    stream_->next_in = reinterpret_cast<uint8_t*>(const_cast<std::byte*>(raw.data()));
    stream_->avail_in = static_cast<uint32_t>(raw.size());
    stream_->next_out = as_u8(packed.data());
    stream_->avail_out = static_cast<uint32_t>(packed.size());
    const int code = isal_deflate_stateless(stream_.get());
    if (code == STATELESS_OVERFLOW) return 0;
    if (code != COMP_OK)
      return fail(Code::kInternal, "deflate failed with code " + std::to_string(code));
    return stream_->avail_in == 0 ? stream_->total_out : 0;
  }

 private:
  std::unique_ptr<isal_zstream> stream_;
  std::vector<uint8_t> buffer_;
};

// By libdeflate, which makes whole streams: the mark of their last block is taken off again.
class LibdeflateEncoder {
 public:
  explicit LibdeflateEncoder(int level) : compressor_(libdeflate_alloc_compressor(level)) {}

  Result<size_t> deflate(ConstBytes raw, MutableBytes packed) {
    if (!compressor_) return out_of_memory();
    const size_t size = libdeflate_deflate_compress(compressor_.get(), raw.data(), raw.size(),
                                                    packed.data(), packed.size() - kMaxFlushSize);
    if (size == 0) return 0;
    return reopen_deflate(raw, packed, size);
  }

 private:
  struct Deleter {
    void operator()(libdeflate_compressor* one) const { libdeflate_free_compressor(one); }
  };
  std::unique_ptr<libdeflate_compressor, Deleter> compressor_;
};

// ISA-L where it makes frames about as small as gzip does, as of region files; elsewhere, as of
// text, libdeflate, which is slower. A sample of each frame tells.
class DefaultEncoder {
 public:
  Result<size_t> deflate(ConstBytes raw, MutableBytes packed) {
    return TRY(is_worth_more(raw, packed))
    ? thorough_.deflate(raw, packed) : fast_.deflate(raw, packed);
  }

 private:
  Result<bool> is_worth_more(ConstBytes raw, MutableBytes scratch) {
    if (raw.size() < 4 * kSample) return true;
    const ConstBytes sample = raw.subspan(raw.size() / 2, kSample);
    const size_t fast = TRY(fast_.deflate(sample, scratch));
    const size_t thorough = TRY(thorough_.deflate(sample, scratch));
    // In hundredths: on region files the difference is one or two, on text twenty.
    return fast * 100 > thorough * 104;
  }

  static constexpr size_t kSample = size_t{32} << 10;

  IsalEncoder fast_;
  LibdeflateEncoder thorough_{kDefaultLevel};
};

class GzipUnpacker final : public FrameUnpacker {
 private:
  Result<void> decompress(MutableBytes packed_and_room, MutableBytes raw) override {
    if (!decompressor_) return out_of_memory();
    // With a final empty block behind it the frame is a whole stream.
    packed_and_room[packed_and_room.size() - 2] = std::byte{0x03};
    packed_and_room[packed_and_room.size() - 1] = std::byte{0x00};
    size_t used = 0;
    size_t made = 0;
    const auto code = libdeflate_deflate_decompress_ex(decompressor_.get(), packed_and_room.data(),
                                                       packed_and_room.size(), raw.data(),
                                                       raw.size(), &used, &made);
    if (code == LIBDEFLATE_SUCCESS && used == packed_and_room.size() && made == raw.size())
      return {};
    return fail(Code::kDataLoss, "it does not decompress to its size");
  }

  struct Deleter {
    void operator()(libdeflate_decompressor* one) const { libdeflate_free_decompressor(one); }
  };
  std::unique_ptr<libdeflate_decompressor, Deleter> decompressor_{libdeflate_alloc_decompressor()};
};

}  // namespace

std::unique_ptr<FramePacker> make_gzip_packer(int level) {
  if (level == Compression::kGzipFast)
    return std::make_unique<GzipPacker<IsalEncoder>>(IsalEncoder());
  if (level == Compression::kGzipBest)
    return std::make_unique<GzipPacker<LibdeflateEncoder>>(LibdeflateEncoder(kBestLevel));
  return std::make_unique<GzipPacker<DefaultEncoder>>(DefaultEncoder());
}

std::unique_ptr<FrameUnpacker> make_gzip_unpacker() {
  return std::make_unique<GzipUnpacker>();
}

}  // namespace manman::archive
