#include <exception>
#include <optional>
#include <thread>

#include "api/fields.h"
#include "api/rpc/answer.h"
#include "api/rpc/backup_archive.h"
#include "api/rpc/service.h"
#include "archive/archive.h"
#include "base/log.h"
#include "base/sync.h"

namespace manman::api {
namespace {

constexpr std::chrono::milliseconds kLook{50};
constexpr std::chrono::milliseconds kProgressInterval{500};

// An archive::verify() in a thread of its own, so that the call's thread sees the client go. Ended
// and joined by the destructor.
class Verification {
 public:
  explicit Verification(RandomSource& archive) : thread_([this, &archive] { run(archive); }) {}
  Verification(const Verification&) = delete;
  Verification& operator=(const Verification&) = delete;
  ~Verification() { progress_.cancel = true; }

  // The result once it is there; nothing when the time passes before.
  std::optional<Result<archive::VerifyResult>> wait_for(std::chrono::milliseconds time) {
    auto result = result_.lock();
    result.wait_for(time, [&] { return result->has_value(); });
    return *result;
  }
  const Progress& progress() const { return progress_; }

 private:
  void run(RandomSource& archive) {
    Result<archive::VerifyResult> verified;
    try {
      verified = archive::verify(archive, 0, &progress_);
    } catch (const std::exception& error) {
      verified = fail(Code::kInternal, std::string("unexpected: ") + error.what());
    }
    *result_.lock() = std::move(verified);
    result_.notify_all();
  }

  Progress progress_;
  Sync<std::optional<Result<archive::VerifyResult>>> result_;
  std::jthread thread_;  // last: it uses all of the above
};

Result<archive::VerifyResult> verify(grpc::ServerContext& call, RandomSource& archive,
                                     grpc::ServerWriter<v1::VerifyBackupResponse>& writer) {
  Verification verification(archive);
  auto told = std::chrono::steady_clock::now();
  for (;;) {
    if (auto result = verification.wait_for(kLook)) return *std::move(result);
    if (call.IsCancelled()) return fail(Code::kCancelled, "the client is gone");
    const auto now = std::chrono::steady_clock::now();
    if (now - told < kProgressInterval) continue;
    told = now;
    v1::VerifyBackupResponse message;
    message.set_progress_bytes(static_cast<int64_t>(verification.progress().done_bytes.load()));
    message.set_total_bytes(static_cast<int64_t>(verification.progress().total_bytes.load()));
    if (!writer.Write(message)) return fail(Code::kCancelled, "the client is gone");
  }
}

Result<void> check_digest(const archive::VerifyResult& verified, const Backup& row) {
  if (row.sha256.empty() || to_hex(verified.sha256) == row.sha256) return {};
  return fail(Code::kDataLoss,
              "its archive is whole, but not the one that was stored: its SHA-256 is " +
                  to_hex(verified.sha256) + ", the row says " + row.sha256);
}

}  // namespace

grpc::Status Service::VerifyBackup(grpc::ServerContext* call,
                                   const v1::VerifyBackupRequest* request,
                                   grpc::ServerWriter<v1::VerifyBackupResponse>* writer) {
  return answer("VerifyBackup", [&](const Context& context) -> Result<void> {
    TRY(check_id("backup_id", request->backup_id()));
    const Slots::Slot slot = TRY(verifications_.take(
        context.config.max_verifications, "verifications", "--max-verifications allows"));
    const Backup row = TRY(completed_backup(context.database, request->backup_id()));
    const std::string name = "backup " + std::to_string(row.backup_id);
    const auto archive = TRY(in(name, open_archive(context.store, row, Reading::kInOrder)));
    const auto verified = in(name, verify(*call, *archive, *writer));
    if (!verified && verified.error().code == Code::kDataLoss)
      log_error({.backup_id = row.backup_id, .sgc_id = row.sgc_id}, "its archive is damaged: {}",
                verified.error().message);
    TRY(verified);
    TRY(in(name, check_digest(*verified, row)));
    v1::VerifyBackupResponse message;
    message.set_progress_bytes(static_cast<int64_t>(verified->data_size_bytes));
    message.set_total_bytes(static_cast<int64_t>(verified->data_size_bytes));
    v1::BackupVerification* result = message.mutable_result();
    result->set_backup_id(row.backup_id);
    result->set_entries(static_cast<int64_t>(verified->entries));
    result->set_frames(static_cast<int64_t>(verified->frames));
    result->set_data_size_bytes(static_cast<int64_t>(verified->data_size_bytes));
    result->set_indexed(verified->indexed);
    result->set_sha256(to_hex(verified->sha256));
    if (!writer->Write(message)) return fail(Code::kCancelled, "the client is gone");
    return {};
  });
}

}  // namespace manman::api
