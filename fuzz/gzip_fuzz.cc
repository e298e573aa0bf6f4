#include <libdeflate.h>
#include <zstd.h>

#include <algorithm>

#include "archive/bytes.h"
#include "archive/sequential_reader.h"
#include "archive/zstd_stream.h"
#include "base/sha256.h"
#include "fuzz/check.h"
#include "fuzz/gzip_mutator.h"
#include "fuzz/memory_source.h"

// The reader of archives without an index: what it takes as whole, another decoder of gzip, or
// zstd's for whole buffers, gives the same bytes of; and it has shown all bytes of the archive.
namespace manman::archive::fuzz {
namespace {

// The stream by libdeflate; what is damaged, cut short, or not gzip is a finding, as the reader
// took it.
std::string decode_gzip(ConstBytes bytes, size_t stream_size) {
  std::string stream(stream_size, '\0');
  size_t made = 0;
  libdeflate_decompressor* decoder = libdeflate_alloc_decompressor();
  while (!all_zero(bytes)) {
    size_t used = 0;
    size_t size = 0;
    CHECK(libdeflate_gzip_decompress_ex(decoder, bytes.data(), bytes.size(), stream.data() + made,
                                        stream.size() - made, &used, &size) == LIBDEFLATE_SUCCESS);
    made += size;
    bytes = bytes.subspan(used);
  }
  libdeflate_free_decompressor(decoder);
  CHECK(made == stream_size);
  return stream;
}

std::string decode_zstd(ConstBytes bytes, size_t stream_size) {
  std::string stream(stream_size, '\0');
  CHECK(ZSTD_decompress(stream.data(), stream.size(), bytes.data(), bytes.size()) == stream_size);
  return stream;
}

std::string decode(ConstBytes bytes, size_t stream_size) {
  if (as_text(bytes).starts_with("\x1f\x8b")) return decode_gzip(bytes, stream_size);
  if (is_zstd(bytes)) return decode_zstd(bytes, stream_size);
  return std::string(as_text(bytes));
}

}  // namespace
}  // namespace manman::archive::fuzz

using namespace manman;
using namespace manman::archive;
using namespace manman::archive::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ConstBytes bytes = std::as_bytes(std::span(data, size));
  MemorySource source(bytes);
  std::string stream;
  Sha256 seen;
  const SequentialReading reading{
      .on_stream = [&](ConstBytes more) -> Result<bool> {
        CHECK(!more.empty());
        stream += as_text(more);
        return stream.size() <= (16U << 20);
      },
      .on_archive = [&](ConstBytes more) { seen.update(more); },
  };
  const auto outcome = read_sequentially(source, reading);
  if (!outcome) {
    CHECK(!outcome.error().message.empty());
    return 0;
  }
  if (stream.size() > (16U << 20)) return 0;
  CHECK(seen.finish() == Sha256::of(bytes));
  CHECK(stream == decode(bytes, stream.size()));
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
  return mutate_with(mutate_gzip, data, size, max_size, seed);
}
