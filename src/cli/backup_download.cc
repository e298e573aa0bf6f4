#include "cli/backup_download.h"

#include <unistd.h>

#include <optional>

#include "base/compression.h"
#include "base/file.h"
#include "base/sha256.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/output_file.h"
#include "cli/progress_view.h"
#include "cli/text.h"

namespace manman::cli {
namespace {

// Counts, hashes and shows what passes.
class CheckedSink final : public Sink {
 public:
  CheckedSink(Sink& out, ProgressView& view, uint64_t expected_bytes)
      : out_(out), view_(view), expected_bytes_(expected_bytes) {}

  Result<void> write(ConstBytes bytes) override {
    hash_.update(bytes);
    size_bytes_ += bytes.size();
    view_.update(size_bytes_, expected_bytes_);
    return out_.write(bytes);
  }

  // Whether it was what the row says. Rows of other programs may have no digest.
  Result<std::string> check(const v1::Backup& backup) {
    const std::string digest = to_hex(hash_.finish());
    if (size_bytes_ != expected_bytes_)
      return fail(Code::kDataLoss, "the archive has " + std::to_string(size_bytes_) +
                                       " bytes, the backup's row says " +
                                       std::to_string(expected_bytes_));
    if (!backup.sha256().empty() && digest != backup.sha256())
      return fail(Code::kDataLoss, "the archive's SHA-256 is " + digest +
                                       ", the backup's row says " + backup.sha256());
    return digest;
  }

 private:
  Sink& out_;
  ProgressView& view_;
  uint64_t expected_bytes_;
  uint64_t size_bytes_ = 0;
  Sha256 hash_;
};

Result<std::string> fetch(Context& context, const v1::Backup& backup, Sink& out) {
  ProgressView view(context.globals, "backup " + std::to_string(backup.backup_id()));
  CheckedSink checked(out, view, static_cast<uint64_t>(backup.size_bytes()));
  v1::DownloadBackupRequest request;
  request.set_backup_id(backup.backup_id());
  TRY(TRY(context.client())
          ->read(
              request,
              [&](const v1::DownloadBackupResponse& chunk) {
                return checked.write(as_bytes(chunk.data()));
              },
              interrupted));
  return checked.check(backup);
}

// By the object's name, which ends as its format does.
std::string usual_name(const v1::Backup& backup) {
  const auto format = format_of_name(backup.s3_url());
  return "backup-" + std::to_string(backup.backup_id()) +
         std::string(name_ending(format.value_or(ArchiveFormat::kGzip)));
}

}  // namespace

Result<int> download(Context& context, const DownloadOptions& options) {
  const bool to_output = options.file == "-";
  if (to_output && ::isatty(STDOUT_FILENO) == 1)
    return fail(Code::kInvalidArgument, "an archive is not for a terminal; name a file");
  v1::GetBackupRequest request;
  request.set_backup_id(options.backup_id);
  const v1::Backup backup = TRY(TRY(context.client())->call(request))
  .backup();
  const std::string name = "backup " + std::to_string(options.backup_id);
  if (backup.status() != "completed")
    return fail(Code::kFailedPrecondition,
                name + " is " + backup.status() + ", only a completed one can be downloaded");

  InterruptGuard guard;
  if (to_output) {
    OutputSink out;
    TRY(in(name, fetch(context, backup, out)));
    return kOk;
  }
  const std::string path = options.file.empty() ? usual_name(backup) : options.file;
  OutputFile file = TRY(OutputFile::create(path, options.force));
  const std::string digest = TRY(in(name, fetch(context, backup, file)));
  TRY(file.commit(true));
  if (context.globals.json()) {
    TRY(print_item(context.globals, backup, "backup_id"));
  } else if (!context.globals.quiet) {
    TRY(print(name + ": " + format_bytes(static_cast<uint64_t>(backup.size_bytes())) + " in " +
              escape(path) + "\nsha256: " + digest + "\n"));
  }
  return kOk;
}

}  // namespace manman::cli
