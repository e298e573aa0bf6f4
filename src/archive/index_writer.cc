#include "archive/index_writer.h"

#include "archive/index_block.h"
#include "base/file.h"

namespace manman::archive {
namespace {

class HashingSink final : public Sink {
 public:
  explicit HashingSink(Sink& out) : out_(out) {}
  Result<void> write(ConstBytes bytes) override {
    hash_.update(bytes);
    return out_.write(bytes);
  }
  Sha256Digest finish() { return hash_.finish(); }

 private:
  Sink& out_;
  Sha256 hash_;
};

}  // namespace

Result<void> BlockWriter::add(const std::string& record) {
  if (block_.size() + record.size() > format::kMaxBlockSize) TRY(flush());
  block_ += record;
  records_++;
  return {};
}

Result<void> BlockWriter::finish() {
  return flush();
}

Result<void> BlockWriter::flush() {
  if (records_ == 0) return {};
  format::BlockHead head{.kind = kind_,
                         .deflated = true,
                         .raw_size = static_cast<uint32_t>(block_.size()),
                         .records = records_,
                         .first_record = first_};
  std::string payload = TRY(deflate_block(block_));
  if (payload.size() >= block_.size()) {
    head.deflated = false;
    payload = std::move(block_);
  }
  TRY(members_.append(as_bytes(container_.member(format::encode_block(head, payload)))));
  first_ += records_;
  records_ = 0;
  block_.clear();
  return {};
}

Result<void> IndexWriter::finish(format::Tail tail, std::string_view origin, Sink& out) {
  TRY(entries_.finish());
  TRY(frames_.finish());
  tail.frame_count = frames_.count();
  tail.entry_count = entries_.count();
  tail.frames_offset = tail.entries_offset + entries_.members().size();
  std::string origin_member;
  if (!origin.empty())
    origin_member =
        container_.member(static_cast<char>(format::MemberKind::kOrigin) + std::string(origin));
  tail.archive_size = tail.frames_offset + frames_.members().size() + origin_member.size() +
                      format::tail_size(container_);
  HashingSink hashed(out);
  TRY(entries_.members().copy_to(hashed));
  TRY(frames_.members().copy_to(hashed));
  TRY(hashed.write(as_bytes(origin_member)));
  tail.index_sha256 = hashed.finish();
  return out.write(as_bytes(format::encode(tail, container_)));
}

}  // namespace manman::archive
