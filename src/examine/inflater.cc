#include "examine/inflater.h"

#include <libdeflate.h>

#include <algorithm>
#include <new>

namespace manman::examine {
namespace {

constexpr size_t kFirstBytes = size_t{1} << 20;  // few chunks have more
constexpr size_t kGrowth = 4;

}  // namespace

void Inflater::Free::operator()(libdeflate_decompressor* decompressor) const {
  ::libdeflate_free_decompressor(decompressor);
}

Inflater::Inflater() : decompressor_(::libdeflate_alloc_decompressor()), out_(kFirstBytes) {
  if (!decompressor_) throw std::bad_alloc();
}

Result<ConstBytes> Inflater::inflate(ConstBytes bytes, Wrapping wrapping) {
  const auto decompress = wrapping == Wrapping::kGzip ? ::libdeflate_gzip_decompress_ex
                                                      : ::libdeflate_zlib_decompress_ex;
  for (;;) {
    size_t used = 0;
    size_t made = 0;
    switch (decompress(decompressor_.get(), bytes.data(), bytes.size(), out_.data(), out_.size(),
                       &used, &made)) {
      case LIBDEFLATE_SUCCESS:
        return ConstBytes(out_).first(made);
      case LIBDEFLATE_INSUFFICIENT_SPACE:
        if (out_.size() >= kMaxBytes)
          return fail(Code::kOutOfRange,
                      "is larger than " + std::to_string(kMaxBytes >> 20) + " MiB decompressed");
        out_.resize(std::min(out_.size() * kGrowth, kMaxBytes));
        break;
      default:
        return fail(Code::kDataLoss, "its compressed data is damaged or cut short");
    }
  }
}

}  // namespace manman::examine
