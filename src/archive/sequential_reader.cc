#include "archive/sequential_reader.h"

#include <zlib.h>

#include <array>
#include <vector>

#include "archive/archive_input.h"
#include "archive/bytes.h"
#include "archive/container.h"
#include "archive/zstd_stream.h"

namespace manman::archive {
namespace {

constexpr size_t kInflateSize = size_t{256} << 10;

std::unexpected<Error> index_gone() {
  return std::unexpected(
      Error{Code::kDataLoss,
            "the archive was cut short or changed: its index is missing or damaged"}
          .with_hint("tar, gzip and zstd can still read what is there of the data"));
}

// Inflates the members of a gzip stream, one after the other.
class Gunzip {
 public:
  Gunzip(ArchiveInput& input, const SequentialReading& reading)
      : input_(input), reading_(reading), out_(kInflateSize) {}
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;
  ~Gunzip() {
    if (ready_) inflateEnd(&stream_);
  }

  // True when the reading may go on behind the member.
  Result<bool> member() {
    if (!ready_ && inflateInit2(&stream_, 15 + 16) != Z_OK)
      return fail(Code::kResourceExhausted, "zlib: out of memory");
    if (ready_ && inflateReset(&stream_) != Z_OK) return fail(Code::kInternal, "zlib: reset");
    ready_ = true;
    header_ = gz_header{};
    header_.extra = extra_.data();
    header_.extra_max = extra_.size();
    inflateGetHeader(&stream_, &header_);
    bool header_checked = false;
    for (;;) {
      const ConstBytes bytes = TRY(input_.peek());
      if (bytes.empty())
        return fail(Code::kDataLoss, "the gzip stream is cut short" + input_.place());
      const int code = step(bytes);
      if (!header_checked && header_.done == 1) {
        header_checked = true;
        if (is_index()) return index_gone();
      }
      const size_t made = out_.size() - stream_.avail_out;
      if (made > 0 && !TRY(reading_.on_stream(ConstBytes(out_).first(made)))) return false;
      if (code == Z_STREAM_END) return true;
      if (code != Z_OK && code != Z_BUF_ERROR)
        return fail(Code::kDataLoss, "the gzip stream is damaged" + input_.place() + ": " +
                                         (stream_.msg != nullptr ? stream_.msg : "bad data"));
    }
  }

 private:
  int step(ConstBytes bytes) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out_.data());
    stream_.avail_out = static_cast<uInt>(out_.size());
    const int code = inflate(&stream_, Z_NO_FLUSH);
    input_.use(bytes.size() - stream_.avail_in);
    return code;
  }

  // The member carries a piece of our index, which is met only when the tail is not where it should
  // be.
  bool is_index() const { return header_.extra_len >= 2 && extra_[0] == 'm' && extra_[1] == 'm'; }

  ArchiveInput& input_;
  const SequentialReading& reading_;
  std::vector<std::byte> out_;
  z_stream stream_{};
  gz_header header_{};
  std::array<Bytef, 2> extra_{};
  bool ready_ = false;
};

Result<void> read_gzip(ArchiveInput& input, const SequentialReading& reading) {
  Gunzip gunzip(input, reading);
  for (bool padding = false;;) {
    const ConstBytes bytes = TRY(input.peek());
    if (bytes.empty()) return {};
    if (bytes[0] == std::byte{0}) {
      padding = true;
      input.use(1);
      continue;
    }
    if (padding || bytes[0] != std::byte{0x1f})
      return fail(Code::kDataLoss, "unknown bytes follow the gzip stream");
    if (!TRY(gunzip.member())) return {};
  }
}

Result<void> read_plain(ArchiveInput& input, const SequentialReading& reading) {
  for (;;) {
    const ConstBytes bytes = TRY(input.peek());
    if (bytes.empty() || !TRY(reading.on_stream(bytes))) return {};
    input.use(bytes.size());
  }
}

}  // namespace

Result<void> read_sequentially(RandomSource& source, const SequentialReading& reading) {
  ArchiveInput input(source, reading);
  const ConstBytes start = TRY(input.peek());
  if (start.empty()) return fail(Code::kDataLoss, "the archive is empty (0 bytes)");
  if (is_marked(start)) return index_gone();
  const std::string_view text = as_text(start);
  if (text.starts_with("\x1f\x8b")) return read_gzip(input, reading);
  if (is_zstd(start)) return read_zstd(input, reading);
  if (text.starts_with("\xfd"
                       "7zXZ") ||
      text.starts_with("BZh"))
    return fail(Code::kUnimplemented, "the archive is compressed, but not with gzip or zstd");
  return read_plain(input, reading);
}

}  // namespace manman::archive
