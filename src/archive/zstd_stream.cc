#include "archive/zstd_stream.h"

#include <zstd.h>
#include <zstd_errors.h>

#include <memory>

#include "archive/bytes.h"

namespace manman::archive {
namespace {

// 128 MiB, what zstd itself takes unless told otherwise.
constexpr int kMaxWindowLog = 27;

struct Deleter {
  void operator()(ZSTD_DCtx* one) const { ZSTD_freeDCtx(one); }
};

std::unexpected<Error> refuse(size_t code, bool at_frame_start) {
  switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_frameParameter_windowTooLarge:
      return std::unexpected(
          Error{Code::kUnimplemented,
                "the zstd stream needs a window of more than 128 MiB to be read"}
              .with_hint("compress it again with a smaller one: zstd -d --long=31 | zstd"));
    case ZSTD_error_dictionary_wrong:
      return fail(Code::kUnimplemented, "the zstd stream was compressed with a dictionary");
    case ZSTD_error_memory_allocation:
      return fail(Code::kResourceExhausted, "zstd: out of memory");
    case ZSTD_error_prefix_unknown:
      if (at_frame_start) return fail(Code::kDataLoss, "unknown bytes follow the zstd stream");
      break;
    default:
      break;
  }
  return fail(Code::kDataLoss,
              std::string("the zstd stream is damaged: ") + ZSTD_getErrorName(code));
}

}  // namespace

bool is_zstd(ConstBytes start) {
  ByteReader fields(start);
  const auto magic = fields.le<uint32_t>();
  return fields.ok() && (magic == ZSTD_MAGICNUMBER ||
                         (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START);
}

Result<void> read_zstd(ArchiveInput& input, const SequentialReading& reading) {
  const std::unique_ptr<ZSTD_DCtx, Deleter> context(ZSTD_createDCtx());
  if (!context) return fail(Code::kResourceExhausted, "zstd: out of memory");
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
  std::vector<std::byte> made(ZSTD_DStreamOutSize());
  bool at_frame_start = true;
  for (;;) {
    const ConstBytes bytes = TRY(input.peek());
    if (bytes.empty() && at_frame_start) return {};
    if (bytes.empty()) return fail(Code::kDataLoss, "the zstd stream is cut short");
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    // Takes what is there, and gives all that is made of it.
    for (bool full = false; in.pos < in.size || full;) {
      ZSTD_outBuffer out{made.data(), made.size(), 0};
      const size_t code = ZSTD_decompressStream(context.get(), &out, &in);
      if (ZSTD_isError(code) != 0) return refuse(code, at_frame_start);
      if (out.pos > 0 && !TRY(reading.on_stream(ConstBytes(made).first(out.pos)))) return {};
      at_frame_start = code == 0;
      full = out.pos == out.size && !at_frame_start;
    }
    input.use(bytes.size());
  }
}

}  // namespace manman::archive
