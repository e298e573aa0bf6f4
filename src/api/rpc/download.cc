#include <algorithm>
#include <vector>

#include "api/fields.h"
#include "api/rpc/answer.h"
#include "api/rpc/backup_archive.h"
#include "api/rpc/service.h"
#include "base/sha256.h"

namespace manman::api {
namespace {

constexpr uint64_t kChunkBytes = 1 << 20;
constexpr int kMaxDownloads = 8;

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
    const Slots::Slot slot = TRY(downloads_.take(kMaxDownloads, "downloads"));
    const Backup row = TRY(completed_backup(context.database, request->backup_id()));
    const std::string about = "backup " + std::to_string(row.backup_id);
    const auto archive = TRY(in(about, open_archive(context.store, row, Reading::kInOrder)));
    return in(about, stream(*call, *archive, row, *writer));
  });
}

}  // namespace manman::api
