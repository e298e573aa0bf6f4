#include "archive/index_block.h"

#include <libdeflate.h>

#include <memory>

#include "archive/bytes.h"

namespace manman::archive {

Result<std::string> deflate_block(std::string_view raw) {
  const std::unique_ptr<libdeflate_compressor, void (*)(libdeflate_compressor*)> compressor(
      libdeflate_alloc_compressor(6), libdeflate_free_compressor);
  if (!compressor) return fail(Code::kResourceExhausted, "out of memory");
  std::string packed(libdeflate_deflate_compress_bound(compressor.get(), raw.size()), '\0');
  packed.resize(libdeflate_deflate_compress(compressor.get(), raw.data(), raw.size(), packed.data(),
                                            packed.size()));
  return packed;
}

Result<std::string> inflate_block(ConstBytes packed, size_t raw_size) {
  const std::unique_ptr<libdeflate_decompressor, void (*)(libdeflate_decompressor*)> decompressor(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  if (!decompressor) return fail(Code::kResourceExhausted, "out of memory");
  std::string raw(raw_size, '\0');
  size_t used = 0;
  size_t made = 0;
  const auto code = libdeflate_deflate_decompress_ex(
      decompressor.get(), packed.data(), packed.size(), raw.data(), raw.size(), &used, &made);
  if (code != LIBDEFLATE_SUCCESS || used != packed.size() || made != raw_size)
    return fail(Code::kDataLoss,
                "the archive's index is damaged: a block does not decompress to its size");
  return raw;
}

Result<std::string> block_records(const format::BlockHead& head, ConstBytes payload) {
  if (!head.deflated) return std::string(as_text(payload));
  return inflate_block(payload, head.raw_size);
}

}  // namespace manman::archive
