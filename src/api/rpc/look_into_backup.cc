#include <algorithm>

#include "api/fields.h"
#include "api/rpc/answer.h"
#include "api/rpc/backup_archive.h"
#include "api/rpc/batches.h"
#include "api/rpc/service.h"
#include "archive/archive.h"
#include "archive/diff.h"
#include "archive/path.h"

namespace manman::api {
namespace {

constexpr int kMaxLooks = 16;
constexpr size_t kMaxPathBytes = 64 << 10;
constexpr size_t kChunkBytes = 1 << 20;

std::string name_of(int64_t backup_id) {
  return "backup " + std::to_string(backup_id);
}

struct Archive {
  std::string name;
  std::unique_ptr<RandomSource> source;
};

Result<Archive> archive_of(const Context& context, int64_t backup_id) {
  const Backup row = TRY(completed_backup(context.database, backup_id));
  Archive archive{.name = name_of(backup_id), .source = nullptr};
  archive.source = TRY(in(archive.name, open_archive(context.store, row, Reading::kHereAndThere)));
  return archive;
}

// The one error whose remedy the archive engine does not know.
template <typename T>
Result<T> with_hint(Result<T> result) {
  if (result || result.error().code != Code::kFailedPrecondition) return result;
  return std::unexpected(std::move(result).error().with_hint(
      "'manman backup download' fetches it, and 'manman archive' reads it"));
}

Result<void> check_path(const std::string& path) {
  if (path.size() > kMaxPathBytes || path.find('\0') != std::string::npos)
    return bad_field("path", "must be at most 65536 bytes, none of them NUL");
  return {};
}

void to_proto(const archive::Entry& entry, v1::BackupEntry* message) {
  message->set_path(entry.path);
  message->set_kind(std::string(to_text(entry.kind)));
  message->set_size_bytes(static_cast<int64_t>(entry.size_bytes));
  message->set_mode(entry.mode);
  message->set_uid(entry.uid);
  message->set_gid(entry.gid);
  message->set_mtime_s(entry.mtime_s);
  message->set_mtime_ns(entry.mtime_ns);
  message->set_link_target(entry.link_target);
}

size_t size_of(const archive::Entry& entry) {
  return entry.path.size() + entry.link_target.size() + 64;
}

// Sends a file's contents in chunks.
class ChunkSink final : public Sink {
 public:
  ChunkSink(grpc::ServerContext& call, grpc::ServerWriter<v1::ReadBackupFileResponse>& writer)
      : call_(call), writer_(writer) {}

  Result<void> write(ConstBytes bytes) override {
    while (!bytes.empty()) {
      const ConstBytes part = bytes.first(std::min(bytes.size(), kChunkBytes - data().size()));
      data().append(reinterpret_cast<const char*>(part.data()), part.size());
      bytes = bytes.subspan(part.size());
      if (data().size() == kChunkBytes) TRY(send());
    }
    return {};
  }
  Result<void> finish() { return data().empty() ? Result<void>() : send(); }

 private:
  std::string& data() { return *chunk_.mutable_data(); }
  Result<void> send() {
    if (call_.IsCancelled() || !writer_.Write(chunk_))
      return fail(Code::kCancelled, "the client is gone");
    data().clear();
    return {};
  }

  grpc::ServerContext& call_;
  grpc::ServerWriter<v1::ReadBackupFileResponse>& writer_;
  v1::ReadBackupFileResponse chunk_;
};

}  // namespace

grpc::Status Service::ListBackupEntries(grpc::ServerContext* call,
                                        const v1::ListBackupEntriesRequest* request,
                                        grpc::ServerWriter<v1::ListBackupEntriesResponse>* writer) {
  return answer("ListBackupEntries", [&](const Context& context) -> Result<void> {
    TRY(check_id("backup_id", request->backup_id()));
    TRY(check_path(request->path()));
    const Slots::Slot slot = TRY(looks_.take(kMaxLooks, "looks into archives"));
    const Archive archive = TRY(archive_of(context, request->backup_id()));
    const std::string below = archive::clean_path(request->path());
    bool found = request->path().empty();
    Batches<v1::ListBackupEntriesResponse> batches(*call, *writer);
    const auto visit = [&](const archive::Entry& entry) {
      if (!archive::is_at_or_below(entry.path, below)) return true;
      found = true;
      to_proto(entry, batches.message().add_entries());
      return batches.added(size_of(entry));
    };
    TRY(with_hint(
        in(archive.name, archive::list(*archive.source, visit, archive::WithoutIndex::kRefuse))));
    TRY(batches.finish());
    if (!found)
      return fail(Code::kNotFound, archive.name + ": no entry " + below + " in the archive");
    return {};
  });
}

grpc::Status Service::ReadBackupFile(grpc::ServerContext* call,
                                     const v1::ReadBackupFileRequest* request,
                                     grpc::ServerWriter<v1::ReadBackupFileResponse>* writer) {
  return answer("ReadBackupFile", [&](const Context& context) -> Result<void> {
    TRY(check_id("backup_id", request->backup_id()));
    if (request->path().empty()) return bad_field("path", "is needed: which file");
    TRY(check_path(request->path()));
    const Slots::Slot slot = TRY(looks_.take(kMaxLooks, "looks into archives"));
    const Archive archive = TRY(archive_of(context, request->backup_id()));
    ChunkSink chunks(*call, *writer);
    TRY(with_hint(in(archive.name, archive::cat(*archive.source, request->path(), chunks,
                                                archive::WithoutIndex::kRefuse))));
    return chunks.finish();
  });
}

grpc::Status Service::DiffBackups(grpc::ServerContext* call, const v1::DiffBackupsRequest* request,
                                  grpc::ServerWriter<v1::DiffBackupsResponse>* writer) {
  return answer("DiffBackups", [&](const Context& context) -> Result<void> {
    TRY(check_id("from_backup_id", request->from_backup_id()));
    TRY(check_id("to_backup_id", request->to_backup_id()));
    const Slots::Slot slot = TRY(looks_.take(kMaxLooks, "looks into archives"));
    const Archive from = TRY(archive_of(context, request->from_backup_id()));
    const Archive to = TRY(archive_of(context, request->to_backup_id()));
    Batches<v1::DiffBackupsResponse> batches(*call, *writer);
    const auto visit = [&](const archive::Difference& difference) {
      if (difference.change == archive::Change::kMetadata && !request->metadata()) return true;
      v1::BackupChange* change = batches.message().add_changes();
      change->set_change(std::string(to_text(difference.change)));
      size_t bytes = 0;
      if (difference.before != nullptr) {
        to_proto(*difference.before, change->mutable_before());
        bytes += size_of(*difference.before);
      }
      if (difference.after != nullptr) {
        to_proto(*difference.after, change->mutable_after());
        bytes += size_of(*difference.after);
      }
      return batches.added(bytes);
    };
    TRY(with_hint(
        in(from.name + " and " + to.name, archive::diff(*from.source, *to.source, visit))));
    return batches.finish();
  });
}

}  // namespace manman::api
