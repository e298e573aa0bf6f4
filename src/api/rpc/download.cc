#include <algorithm>
#include <vector>

#include "api/fields.h"
#include "api/rpc/answer.h"
#include "api/rpc/service.h"
#include "base/sha256.h"
#include "db/repositories.h"
#include "domain/object_url.h"

namespace manman::api {
namespace {

constexpr uint64_t kChunkBytes = 1 << 20;
// Each holds one thread of the server for as long as its client reads.
constexpr int kMaxDownloads = 8;

class Slot {
 public:
  explicit Slot(std::atomic<int>& used) : used_(used), taken_(used_.fetch_add(1) + 1) {}
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  ~Slot() { used_.fetch_sub(1); }
  bool there() const { return taken_ <= kMaxDownloads; }

 private:
  std::atomic<int>& used_;
  int taken_;
};

Result<Backup> completed_backup(db::Database& database, int64_t backup_id) {
  const Backup row =
      TRY(database.look([&](db::Transaction& tx) { return db::backups::get(tx, backup_id); }));
  if (row.status != BackupStatus::kCompleted)
    return fail(Code::kFailedPrecondition, "backup " + std::to_string(backup_id) + " is " +
                                               std::string(wire_text(row.status)) +
                                               "; only a completed one has an archive");
  return row;
}

Result<std::unique_ptr<RandomSource>> open_archive(Store& store, const Backup& row) {
  const ObjectUrl url = TRY(ObjectUrl::parse(row.s3_url));
  if (url.bucket != store.bucket())
    return fail(Code::kFailedPrecondition, "its archive is in bucket " + url.bucket +
                                               "; this service reads from " + store.bucket());
  auto object = open_object_in_order(store, url.key);
  if (!object && object.error().code == Code::kNotFound)
    return fail(Code::kDataLoss, "its archive " + row.s3_url + " is not in the store");
  if (object && (*object)->size() != static_cast<uint64_t>(row.size_bytes))
    return fail(Code::kDataLoss, "its archive " + row.s3_url + " is " +
                                     std::to_string((*object)->size()) + " bytes instead of " +
                                     std::to_string(row.size_bytes));
  return object;
}

Result<void> stream(grpc::ServerContext& call, RandomSource& archive, const Backup& row,
                    grpc::ServerWriter<v1::DownloadBackupResponse>& writer) {
  Sha256 hash;
  v1::DownloadBackupResponse chunk;
  for (uint64_t offset = 0; offset < archive.size();) {
    const uint64_t size = std::min(kChunkBytes, archive.size() - offset);
    std::string& data = *chunk.mutable_data();
    data.resize(size);
    const auto bytes = std::as_writable_bytes(std::span(data));
    TRY(archive.read_at(offset, bytes));
    hash.update(bytes);
    offset += size;
    if (call.IsCancelled() || !writer.Write(chunk))
      return fail(Code::kCancelled, "the client is gone");
  }
  if (!row.sha256.empty() && to_hex(hash.finish()) != row.sha256)
    return fail(Code::kDataLoss,
                "its archive " + row.s3_url + " does not have the SHA-256 that was recorded");
  return {};
}

}  // namespace

grpc::Status Service::DownloadBackup(grpc::ServerContext* call,
                                     const v1::DownloadBackupRequest* request,
                                     grpc::ServerWriter<v1::DownloadBackupResponse>* writer) {
  return answer("DownloadBackup", [&](const Context& context) -> Result<void> {
    TRY(check_id("backup_id", request->backup_id()));
    const Slot slot(downloads_);
    if (!slot.there())
      return fail(Code::kResourceExhausted,
                  std::to_string(kMaxDownloads) + " downloads are at work, as many as are allowed");
    const Backup row = TRY(completed_backup(context.database, request->backup_id()));
    const std::string about = "backup " + std::to_string(row.backup_id);
    const auto archive = TRY(in(about, open_archive(context.store, row)));
    return in(about, stream(*call, *archive, row, *writer));
  });
}

}  // namespace manman::api
