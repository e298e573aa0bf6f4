#include "archive/zstd_frames.h"

#include <zstd.h>

#include <algorithm>

#include "archive/bytes.h"
#include "archive/probe.h"
#include "base/file.h"

namespace manman::archive {
namespace {

// Magic, descriptor, content size.
constexpr size_t kHeadSize = kZstdFrameStart.size() + sizeof(uint64_t);

// How long libzstd's own head of such a frame is: its content size has no more bytes than it needs.
size_t short_head_size(size_t raw_size) {
  return kZstdFrameStart.size() + (raw_size < 256 ? 1 : raw_size < 65536 + 256 ? 2 : 4);
}

std::unexpected<Error> zstd_failed(size_t code) {
  return fail(Code::kInternal, std::string("zstd: ") + ZSTD_getErrorName(code));
}

class ZstdPacker final : public FramePacker {
 public:
  explicit ZstdPacker(int level) : writer_(level) {}

 private:
  Result<void> compress(ConstBytes raw, std::vector<std::byte>& packed) override {
    if (TRY(probe_.compresses(raw))) return writer_.write(raw, packed);
    packed.assign(probe_.frame().begin(), probe_.frame().end());
    return {};
  }

  ZstdWriter writer_;
  Probe probe_;
};

class ZstdUnpacker final : public FrameUnpacker {
 private:
  Result<void> decompress(MutableBytes packed_and_room, MutableBytes raw) override {
    if (!context_) return fail(Code::kResourceExhausted, "out of memory");
    const ConstBytes packed = packed_and_room.first(packed_and_room.size() - kRoom);
    const size_t made =
        ZSTD_decompressDCtx(context_.get(), raw.data(), raw.size(), packed.data(), packed.size());
    if (ZSTD_isError(made) == 0 && made == raw.size()) return {};
    return fail(Code::kDataLoss, "it does not decompress to its size");
  }

  struct Deleter {
    void operator()(ZSTD_DCtx* one) const { ZSTD_freeDCtx(one); }
  };
  std::unique_ptr<ZSTD_DCtx, Deleter> context_{ZSTD_createDCtx()};
};

}  // namespace

ZstdWriter::ZstdWriter(int level) : context_(ZSTD_createCCtx()) {
  if (!context_) return;
  ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
  // At least a frame, which is then a single segment.
  ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_windowLog, 20);
}
ZstdWriter::~ZstdWriter() = default;

void ZstdWriter::Deleter::operator()(ZSTD_CCtx_s* one) const {
  ZSTD_freeCCtx(one);
}

Result<void> ZstdWriter::write(ConstBytes raw, std::vector<std::byte>& packed) {
  if (!context_) return fail(Code::kResourceExhausted, "out of memory");
  packed.resize(format::kMaxPackedFrame);
  // Written so far in that the longer head ends where libzstd's does.
  const size_t short_size = short_head_size(raw.size());
  const size_t before = kHeadSize - short_size;
  const size_t size = ZSTD_compress2(context_.get(), packed.data() + before, packed.size() - before,
                                     raw.data(), raw.size());
  if (ZSTD_isError(size) != 0) return zstd_failed(size);
  const auto descriptor = std::to_integer<unsigned>(packed[before + 4]);
  const unsigned expected = (short_size == 6 ? 0U : short_size == 7 ? 1U : 2U) << 6 | 0x24;
  if (descriptor != expected) return fail(Code::kInternal, "zstd: a frame header of another kind");
  packed.resize(before + size);
  std::string head(kZstdFrameStart);
  put_le(head, static_cast<uint64_t>(raw.size()));
  std::ranges::copy(as_bytes(head), packed.begin());
  return {};
}

std::unique_ptr<FramePacker> make_zstd_packer(int level) {
  return std::make_unique<ZstdPacker>(level);
}

std::unique_ptr<FrameUnpacker> make_zstd_unpacker() {
  return std::make_unique<ZstdUnpacker>();
}

}  // namespace manman::archive
