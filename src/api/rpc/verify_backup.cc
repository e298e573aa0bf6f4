#include "api/archive_check.h"
#include "api/fields.h"
#include "api/rpc/answer.h"
#include "api/rpc/backup_archive.h"
#include "api/rpc/service.h"
#include "domain/field_checks.h"

namespace manman::api {
namespace {

constexpr std::chrono::milliseconds kLook{50};
constexpr std::chrono::milliseconds kProgressInterval{500};

using Writer = grpc::ServerWriter<v1::VerifyBackupResponse>;

Result<VerifiedHow> how_from(const v1::VerifyBackupRequest& request) {
  const auto how = request.how().empty() ? VerifiedHow::kFull : verified_how_from(request.how());
  if (!how || *how == VerifiedHow::kDrill) return bad_field("how", "must be full or head");
  return *how;
}

Result<archive::VerifyResult> read_all(grpc::ServerContext& call, Store& store, const Backup& row,
                                       Writer& writer) {
  ArchiveCheck check(store, row);
  auto told = std::chrono::steady_clock::now();
  for (;;) {
    if (auto result = check.wait_for(kLook)) return *std::move(result);
    if (call.IsCancelled()) return fail(Code::kCancelled, "the client is gone");
    const auto now = std::chrono::steady_clock::now();
    if (now - told < kProgressInterval) continue;
    told = now;
    v1::VerifyBackupResponse message;
    message.set_progress_bytes(static_cast<int64_t>(check.progress().done_bytes.load()));
    message.set_total_bytes(static_cast<int64_t>(check.progress().total_bytes.load()));
    if (!writer.Write(message)) return fail(Code::kCancelled, "the client is gone");
  }
}

void to_proto(const archive::VerifyResult& verified, v1::VerifyBackupResponse& message) {
  message.set_progress_bytes(static_cast<int64_t>(verified.data_size_bytes));
  message.set_total_bytes(static_cast<int64_t>(verified.data_size_bytes));
  v1::BackupVerification* result = message.mutable_result();
  result->set_entries(static_cast<int64_t>(verified.entries));
  result->set_frames(static_cast<int64_t>(verified.frames));
  result->set_data_size_bytes(static_cast<int64_t>(verified.data_size_bytes));
  result->set_indexed(verified.indexed);
  result->set_sha256(to_hex(verified.sha256));
}

}  // namespace

grpc::Status Service::VerifyBackup(grpc::ServerContext* call,
                                   const v1::VerifyBackupRequest* request, Writer* writer) {
  return answer(call, "VerifyBackup", [&](const Context& context) -> Result<void> {
    TRY(check_id("backup_id", request->backup_id()));
    const VerifiedHow how = TRY(how_from(*request));
    const Slots::Slot slot = TRY(verifications_.take(
        context.config.max_verifications, "verifications", "--max-verifications allows"));
    const Backup row = TRY(completed_backup(context.database, request->backup_id()));
    const int64_t begun_at = context.clock.now_s();
    v1::VerifyBackupResponse message;
    Result<void> outcome;
    if (how == VerifiedHow::kHead) {
      outcome = check_head(context.store, row);
    } else if (auto verified = read_all(*call, context.store, row, *writer); verified) {
      to_proto(*verified, message);
    } else {
      outcome = std::unexpected(std::move(verified).error());
    }
    Result<void> noted;
    if (outcome || tells_of_damage(outcome.error()))
      noted = note_verified(context, row, how, begun_at, outcome);
    const std::string name = "backup " + std::to_string(row.backup_id);
    TRY(in(name, std::move(outcome)));
    TRY(in(name + " is whole, but its row could not be told", std::move(noted)));
    message.mutable_result()->set_backup_id(row.backup_id);
    message.mutable_result()->set_how(std::string(to_text(how)));
    if (!writer->Write(message)) return fail(Code::kCancelled, "the client is gone");
    return {};
  });
}

}  // namespace manman::api
