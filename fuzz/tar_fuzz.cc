#include <cstdlib>

#include "archive/format.h"
#include "archive/tar_parser.h"
#include "base/file.h"
#include "base/sha256.h"
#include "fuzz/check.h"
#include "fuzz/tar_mutator.h"

// The parser of tar streams: what it tells of a stream must hold together, and be the same however
// the stream comes in pieces.
namespace manman::archive::fuzz {
namespace {

// Writes down all that the parser tells, and checks that it can be.
class Witness final : public MemberVisitor {
 public:
  explicit Witness(uint64_t stream_size) : stream_size_(stream_size) {}

  Result<bool> begin(const Member& member) override {
    const Entry& entry = member.entry;
    CHECK(!open_);
    CHECK(!entry.path.empty() && entry.path.size() <= format::kMaxPathSize);
    CHECK(entry.path.find('\0') == std::string::npos);
    CHECK(entry.link_target.size() <= format::kMaxPathSize);
    CHECK(entry.link_target.find('\0') == std::string::npos);
    CHECK(entry.mode <= 07777 && entry.mtime_ns < 1'000'000'000);
    CHECK(entry.size_bytes <= kMaxTarSize);
    CHECK(member.header_offset >= end_ && member.data_offset > member.header_offset);
    CHECK(member.data_offset <= stream_size_);
    const bool link = entry.kind == EntryKind::kSymlink || entry.kind == EntryKind::kHardLink;
    CHECK(link == !entry.link_target.empty());
    CHECK(entry.kind == EntryKind::kFile || entry.size_bytes == 0);
    note(entry.path + '\0' + entry.link_target + '\0' +
         std::to_string(static_cast<int>(entry.kind)) + ' ' + std::to_string(entry.size_bytes) +
         ' ' + std::to_string(entry.mode) + ' ' + std::to_string(entry.uid) + ' ' +
         std::to_string(entry.gid) + ' ' + std::to_string(entry.mtime_s) + ' ' +
         std::to_string(entry.mtime_ns) + ' ' + std::to_string(member.header_offset) + ' ' +
         std::to_string(member.data_offset));
    open_ = true;
    size_ = entry.size_bytes;
    at_ = 0;
    end_ = member.data_offset;
    return true;
  }
  Result<void> data(uint64_t offset, ConstBytes bytes) override {
    CHECK(open_ && !bytes.empty());
    CHECK(offset >= at_ && offset <= size_ && bytes.size() <= size_ - offset);
    // Runs that touch are one run, whatever the pieces.
    if (offset != at_ || at_ == 0) note("@" + std::to_string(offset) + ":");
    hash_.update(bytes);
    at_ = offset + bytes.size();
    given_ += bytes.size();
    CHECK(given_ <= stream_size_);
    return {};
  }
  Result<void> end() override {
    CHECK(open_);
    open_ = false;
    note("end");
    return {};
  }

  Sha256Digest finish() { return hash_.finish(); }
  void note(const std::string& text) { hash_.update(as_bytes(text)); }

 private:
  const uint64_t stream_size_;
  Sha256 hash_;
  bool open_ = false;
  uint64_t size_ = 0;
  uint64_t at_ = 0;
  uint64_t end_ = 0;
  uint64_t given_ = 0;
};

Sha256Digest parse(ConstBytes stream, size_t piece) {
  Witness witness(stream.size());
  TarParser parser(witness);
  Result<void> outcome;
  for (size_t at = 0; at < stream.size() && outcome; at += piece)
    outcome = parser.feed(stream.subspan(at, std::min(piece, stream.size() - at)));
  if (outcome) outcome = parser.finish();
  witness.note(outcome ? "good" : outcome.error().message);
  return witness.finish();
}

}  // namespace
}  // namespace manman::archive::fuzz

using namespace manman;
using namespace manman::archive::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ConstBytes stream = std::as_bytes(std::span(data, size));
  const Sha256Digest whole = parse(stream, std::max<size_t>(size, 1));
  for (const size_t piece : {size_t{1}, size_t{511}, size_t{1024}})
    CHECK(piece == 1 && size > 16384 ? true : parse(stream, piece) == whole);
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
  return mutate_with(mutate_tar, data, size, max_size, seed);
}
