#include <algorithm>
#include <optional>

#include "archive/archive.h"
#include "archive/frame_codec.h"
#include "archive/frame_reader.h"
#include "archive/index_writer.h"
#include "archive/manners.h"
#include "archive/pack_planner.h"
#include "archive/path.h"
#include "archive/warnings.h"

namespace manman::archive {
namespace {

// Frames between planner and writer: enough to keep all workers busy, 2 MiB each.
constexpr size_t kMaxWindow = 24;

// Counts what passes through, and hashes it where that is wanted.
class CountingSink final : public Sink {
 public:
  CountingSink(Sink& out, bool hashes) : out_(out) {
    if (hashes) hash_.emplace();
  }
  Result<void> write(ConstBytes bytes) override {
    if (hash_) hash_->update(bytes);
    count_ += bytes.size();
    return out_.write(bytes);
  }
  uint64_t count() const { return count_; }
  Sha256Digest finish() { return hash_ ? hash_->finish() : Sha256Digest(); }

 private:
  Sink& out_;
  std::optional<Sha256> hash_;
  uint64_t count_ = 0;
};

// Writes the frames in order, and gathers the index on the way.
class Writer {
 public:
  Writer(Sink& out, const Container& container, const ZeroFrame& zero_frame,
         const PackOptions& options, PackNotes& notes)
      : out_(out, options.hash_whole),
        container_(container),
        zero_frame_(zero_frame),
        progress_(options.progress),
        origin_(options.origin),
        notes_(notes),
        index_(container) {}

  Result<PackResult> run(PackPipeline& pipeline) {
    TRY(out_.write(container_.header()));
    while (auto job = TRY(pipeline.pop())) {
      if (progress_ != nullptr) TRY(progress_->check());
      TRY(write(*job));
      pipeline.recycle(std::move(job));
    }
    return finish();
  }

 private:
  Result<void> write(PackJob& job) {
    TRY(out_.write(job.is_zero_frame ? zero_frame_.packed : job.packed));
    tail_.stream_crc32 = crc32_join(tail_.stream_crc32, job.record.crc32, job.record.raw_size);
    tail_.stream_size += job.record.raw_size;
    TRY(index_.add(job.record));
    for (EndingEntry& ending : job.endings) TRY(end(ending));
    job.endings.clear();
    if (progress_ != nullptr) progress_->done_bytes += job.data_size;
    return {};
  }

  Result<void> end(EndingEntry& ending) {
    format::EntryRecord& record = ending.record;
    if (ending.file) {
      ending.hole_size += ending.file->zeros();
      const std::string_view trouble = ending.file->trouble();
      record.changed = !trouble.empty();
      if (record.changed) notes_.add_changed(record.entry.path, trouble);
    }
    record.sparse = ending.hole_size > 0;
    tail_.data_size += record.entry.size_bytes;
    tail_.hole_size += ending.hole_size;
    result_.entries++;
    if (progress_ != nullptr) progress_->done_entries++;
    return index_.add(record);
  }

  Result<PackResult> finish() {
    TRY(out_.write(as_bytes(container_.data_end(tail_.stream_crc32, tail_.stream_size))));
    tail_.entries_offset = out_.count();
    TRY(index_.finish(tail_, origin_, out_));
    result_.archive_size_bytes = out_.count();
    result_.data_size_bytes = tail_.data_size;
    result_.sha256 = out_.finish();
    notes_.warnings.move_to(result_);
    notes_.changed.move_to(result_.changed, result_.changed_count);
    result_.left_out = notes_.left_out;
    return std::move(result_);
  }

  CountingSink out_;
  const Container& container_;
  const ZeroFrame& zero_frame_;
  Progress* progress_;
  const std::string& origin_;
  PackNotes& notes_;
  IndexWriter index_;
  format::Tail tail_;
  PackResult result_;
};

}  // namespace

Result<PackResult> pack(const std::filesystem::path& dir, Sink& out, const PackOptions& options) {
  const std::string prefix = options.prefix.empty() ? "" : clean_path(options.prefix);
  TRY(prefix.empty() ? Result<void>() : in("prefix", check_path(prefix)));
  const ZeroFrame zero_frame = TRY(make_zero_frame(*make_packer(options.compression)));
  const PathPatterns leave_out = TRY(PathPatterns::compile(options.leave_out));
  if (options.origin.size() > kMaxOriginBytes)
    return fail(Code::kInvalidArgument,
                "origin: must be at most " + std::to_string(kMaxOriginBytes) + " bytes");
  PackNotes notes;
  const int threads = thread_count(options.threads);
  PackPipeline pipeline(
      threads, std::min(kMaxWindow, static_cast<size_t>(threads) * 2 + 2),
      [&](PackPipeline& into) {
        if (options.background) give_way();
        return PackPlanner(into, prefix, leave_out, options, notes).run(dir.string());
      },
      [&options, &zero_frame] {
        if (options.background) give_way();
        return [packer = std::shared_ptr(make_packer(options.compression)),
                &zero_frame](PackJob& job) { return do_pack_job(*packer, zero_frame, job); };
      });
  return Writer(out, container_of(options.compression.format), zero_frame, options, notes)
      .run(pipeline);
}

}  // namespace manman::archive
