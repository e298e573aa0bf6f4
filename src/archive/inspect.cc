#include <algorithm>
#include <array>

#include "archive/archive.h"
#include "archive/entries.h"
#include "archive/index.h"
#include "archive/path.h"
#include "archive/scan.h"

// list, verify and cat: what reads an archive and unpacks nothing.
namespace manman::archive {
namespace {

class Verifier final : public MemberVisitor {
 public:
  Verifier(VerifyResult& result, Progress* progress) : result_(result), progress_(progress) {}
  Result<bool> begin(const Member& member) override {
    TRY(check_path(member.entry.path));
    if (member.entry.kind == EntryKind::kHardLink) TRY(check_path(member.entry.link_target));
    result_.entries++;
    result_.data_size_bytes += member.entry.size_bytes;
    if (progress_ != nullptr) progress_->done_entries++;
    return true;
  }
  Result<void> data(uint64_t /*offset*/, ConstBytes bytes) override {
    if (progress_ != nullptr) progress_->done_bytes += bytes.size();
    return {};
  }
  Result<void> end() override { return {}; }

 private:
  VerifyResult& result_;
  Progress* progress_;
};

// Writes the contents of the member at an offset of the stream, holes as zeros.
class Catter final : public MemberVisitor {
 public:
  Catter(uint64_t header_offset, Sink& out) : header_offset_(header_offset), out_(out) {}
  Result<bool> begin(const Member& member) override {
    if (done_) return false;
    at_work_ = member.header_offset == header_offset_;
    size_ = member.entry.size_bytes;
    at_ = 0;
    return true;
  }
  Result<void> data(uint64_t offset, ConstBytes bytes) override {
    if (!at_work_) return {};
    TRY(zeros_until(offset));
    at_ += bytes.size();
    return out_.write(bytes);
  }
  Result<void> end() override {
    if (!at_work_) return {};
    TRY(zeros_until(size_));
    at_work_ = false;
    done_ = true;
    return {};
  }
  bool done() const { return done_; }

 private:
  Result<void> zeros_until(uint64_t offset) {
    static constexpr std::array<std::byte, 65536> kZeros{};
    while (at_ < offset) {
      const size_t count = std::min<uint64_t>(kZeros.size(), offset - at_);
      TRY(out_.write(ConstBytes(kZeros).first(count)));
      at_ += count;
    }
    return {};
  }

  const uint64_t header_offset_;
  Sink& out_;
  bool at_work_ = false;
  bool done_ = false;
  uint64_t size_ = 0;
  uint64_t at_ = 0;
};

// The last entry of the path: a later one replaces an earlier one when unpacked.
Result<std::optional<format::EntryRecord>> find_entry(RandomSource& archive,
                                                      const std::optional<Index>& index,
                                                      const std::string& path) {
  std::optional<format::EntryRecord> found;
  TRY(for_each_entry(archive, index, nullptr,
                     [&](const format::EntryRecord& record) -> Result<bool> {
                       if (record.entry.path == path) found = record;
                       return true;
                     }));
  return found;
}

Result<std::optional<Index>> open_index(RandomSource& archive, WithoutIndex without) {
  auto index = TRY(Index::open(archive));
  if (!index && without == WithoutIndex::kRefuse)
    return fail(Code::kFailedPrecondition, "the archive has no index: another program made it");
  return index;
}

}  // namespace

Result<void> list(RandomSource& archive, const std::function<bool(const Entry&)>& visit,
                  WithoutIndex without) {
  const std::optional<Index> index = TRY(open_index(archive, without));
  return for_each_entry(
      archive, index, nullptr,
      [&](const format::EntryRecord& record) -> Result<bool> { return visit(record.entry); });
}

Result<std::string> origin(RandomSource& archive) {
  const auto none_if_damaged = [](const Error& error) -> Result<std::string> {
    if (error.code == Code::kDataLoss || error.code == Code::kUnimplemented) return std::string();
    return std::unexpected(error);
  };
  const auto index = Index::open(archive);
  if (!index) return none_if_damaged(index.error());
  if (!*index) return std::string();
  auto found = (*index)->origin();
  if (!found) return none_if_damaged(found.error());
  return found;
}

Result<VerifyResult> verify(RandomSource& archive, int threads, Progress* progress) {
  const std::optional<Index> index = TRY(Index::open(archive));
  VerifyResult result;
  if (index) {
    result.indexed = true;
    result.frames = index->tail().frame_count;
    if (progress != nullptr && progress->total_bytes == 0)
      progress->total_bytes = index->tail().data_size;
  }
  Verifier verifier(result, progress);
  Sha256 hash;
  const ScanOptions scanning{.threads = threads,
                             .ranges = {},
                             .on_archive = [&hash](ConstBytes bytes) { hash.update(bytes); },
                             .progress = progress};
  TRY(scan(archive, index, scanning, verifier));
  result.sha256 = hash.finish();
  return result;
}

Result<void> cat(RandomSource& archive, std::string_view path, Sink& out, WithoutIndex without) {
  const std::optional<Index> index = TRY(open_index(archive, without));
  const std::string asked = clean_path(path);
  auto found = TRY(find_entry(archive, index, asked));
  if (found && found->entry.kind == EntryKind::kHardLink)
    found = TRY(find_entry(archive, index, std::string(found->entry.link_target)));
  if (!found) return fail(Code::kNotFound, "no entry " + asked + " in the archive");
  if (found->entry.kind != EntryKind::kFile)
    return fail(Code::kInvalidArgument, asked + " is not a file");
  ScanOptions scanning;
  if (index)
    scanning.ranges = {
        {found->header_offset, found->data_offset + (found->entry.size_bytes + 511) / 512 * 512}};
  Catter catter(found->header_offset, out);
  TRY(scan(archive, index, scanning, catter));
  if (!catter.done()) return fail(Code::kDataLoss, asked + " was not found again in the archive");
  return {};
}

}  // namespace manman::archive
