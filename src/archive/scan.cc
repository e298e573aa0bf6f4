#include "archive/scan.h"

#include <algorithm>
#include <vector>

#include "archive/bytes.h"
#include "archive/damage.h"
#include "archive/format.h"
#include "archive/frame_codec.h"
#include "archive/sequential_reader.h"
#include "archive/tar_parser.h"
#include "base/file.h"

namespace manman::archive {
namespace {

using format::EntryRecord;

bool same_entry(const Member& member, const EntryRecord& record) {
  const Entry& a = member.entry;
  const Entry& b = record.entry;
  return a.path == b.path && a.kind == b.kind && a.size_bytes == b.size_bytes && a.mode == b.mode &&
         a.uid == b.uid && a.gid == b.gid && a.mtime_s == b.mtime_s && a.mtime_ns == b.mtime_ns &&
         a.link_target == b.link_target && member.header_offset == record.header_offset &&
         member.data_offset == record.data_offset;
}

// Holds every member of the stream against the entry that the index has for it.
class CheckingVisitor final : public MemberVisitor {
 public:
  CheckingVisitor(MemberVisitor& inner, EntryCursor entries)
      : inner_(inner), entries_(std::move(entries)) {}

  Result<bool> begin(const Member& member) override {
    std::optional<EntryRecord> record;
    do {
      record = TRY(entries_.next());
    } while (record && record->header_offset < member.header_offset && skipping_);
    skipping_ = false;
    if (!record || !same_entry(member, *record) || member.sparse)
      return fail(Code::kDataLoss,
                  "the archive's index disagrees with its stream at " + member.entry.path);
    Member known = member;
    known.sparse = record->sparse;
    return inner_.begin(known);
  }
  Result<void> data(uint64_t offset, ConstBytes bytes) override {
    return inner_.data(offset, bytes);
  }
  Result<void> end() override { return inner_.end(); }

  // The next member begins a range: entries before it are passed over.
  void skip() { skipping_ = true; }
  Result<void> finish() {
    if (TRY(entries_.next()))
      return fail(Code::kDataLoss, "the archive's index has more entries than its stream");
    return {};
  }

 private:
  MemberVisitor& inner_;
  EntryCursor entries_;
  bool skipping_ = false;
};

class IndexedScan {
 public:
  IndexedScan(RandomSource& source, const Index& index, const ScanOptions& options,
              MemberVisitor& visitor)
      : source_(source), index_(index), options_(options), checked_(visitor, index.entries()) {}

  Result<void> run() {
    const bool whole = options_.ranges.empty();
    if (whole) TRY(check_header());
    const std::vector<Range> ranges =
        whole ? std::vector<Range>{{0, index_.tail().stream_size}} : options_.ranges;
    FrameReader frames(source_, index_, ranges, options_.threads);
    for (const Range& range : ranges)
      if (!TRY(read(range, frames, whole))) return {};
    return whole ? finish(frames) : Result<void>();
  }

 private:
  void show(ConstBytes bytes) {
    if (options_.on_archive) options_.on_archive(bytes);
  }

  Result<void> check_header() {
    const ConstBytes expected = index_.container().header();
    std::vector<std::byte> header(expected.size());
    TRY(source_.read_at(0, header));
    if (!std::ranges::equal(header, expected))
      return fail(Code::kDataLoss, "the archive's header is damaged");
    show(header);
    return {};
  }

  // Feeds one range to a parser of its own; false when the visitor ended the reading.
  Result<bool> read(const Range& range, FrameReader& frames, bool whole) {
    TarParser parser(checked_, range.begin);
    if (!whole) checked_.skip();
    for (uint64_t at = range.begin; at < range.end;) {
      if (options_.progress != nullptr) TRY(options_.progress->check());
      if (!job_ || at >= frame_end(*job_)) TRY(advance(frames));
      const uint64_t start = job_->frame.number * format::kFrameSize;
      const uint64_t end = std::min(range.end, frame_end(*job_));
      if (at < start || at >= end) return fail(Code::kInternal, "frames out of order");
      TRY(parser.feed(ConstBytes(job_->raw).subspan(at - start, end - at)));
      if (parser.stopped()) return false;
      at = end;
    }
    if (whole) TRY(parser.finish());
    if (!whole && !parser.between_members())
      return fail(Code::kDataLoss, "the archive's index disagrees with its stream");
    return true;
  }

  static uint64_t frame_end(const FrameJob& job) {
    return job.frame.number * format::kFrameSize + job.raw.size();
  }

  Result<void> advance(FrameReader& frames) {
    if (job_) frames.recycle(std::move(job_));
    job_ = TRY(frames.next());
    if (!job_) return fail(Code::kDataLoss, "the archive's index is damaged: frames are missing");
    if (!job_->outcome) {
      const Error& error = job_->outcome.error();
      return std::unexpected(is_damage(error) ? with_names(error, index_, job_->frame) : error);
    }
    const format::FrameRecord& record = job_->frame.record;
    crc_ = crc32_join(crc_, record.crc32, record.raw_size);
    show(job_->packed_bytes());
    return {};
  }

  // What stands behind the frames, and that the parts add up.
  Result<void> finish(FrameReader& frames) {
    if (job_) frames.recycle(std::move(job_));
    if (TRY(frames.next())) return fail(Code::kInternal, "more frames than asked for");
    TRY(checked_.finish());
    const format::Tail& tail = index_.tail();
    const std::string expected = index_.container().data_end(crc_, tail.stream_size);
    std::vector<std::byte> end(expected.size());
    TRY(source_.read_at(tail.entries_offset - end.size(), end));
    if (crc_ != tail.stream_crc32 || as_text(end) != expected)
      return fail(Code::kDataLoss, "the archive's CRC-32 or size at the end of its data is wrong");
    show(end);
    if (!options_.on_archive) return {};
    std::vector<std::byte> buffer(size_t{64} << 10);
    for (uint64_t at = tail.entries_offset; at < tail.archive_size;) {
      const auto part =
          MutableBytes(buffer).first(std::min<uint64_t>(buffer.size(), tail.archive_size - at));
      TRY(source_.read_at(at, part));
      show(part);
      at += part.size();
    }
    return {};
  }

  RandomSource& source_;
  const Index& index_;
  const ScanOptions& options_;
  CheckingVisitor checked_;
  std::unique_ptr<FrameJob> job_;
  uint32_t crc_ = 0;
};

}  // namespace

Result<void> scan(RandomSource& source, const std::optional<Index>& index,
                  const ScanOptions& options, MemberVisitor& visitor) {
  if (index) return IndexedScan(source, *index, options, visitor).run();
  TarParser parser(visitor);
  const SequentialReading reading{
      .on_stream = [&parser](ConstBytes bytes) -> Result<bool> {
        TRY(parser.feed(bytes));
        return !parser.stopped();
      },
      .on_archive = options.on_archive,
      .progress = options.progress,
  };
  auto read = read_sequentially(source, reading);
  if (read) return parser.finish();
  if (read.error().code == Code::kDataLoss && parser.at_work() != nullptr)
    read.error().message += "; it shows in " + *parser.at_work();
  return read;
}

}  // namespace manman::archive
