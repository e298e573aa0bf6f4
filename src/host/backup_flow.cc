#include "host/backup_flow.h"

#include <string>
#include <utility>

#include "archive/archive.h"
#include "archive/data_size.h"
#include "base/failpoint.h"
#include "base/rate_limiter.h"
#include "base/retry.h"
#include "domain/object_url.h"
#include "host/cancel_flow.h"
#include "host/fingerprint.h"
#include "host/outcome.h"
#include "host/place.h"
#include "host/world_reader.h"

namespace manman::host {
namespace {

constexpr Backoff kBackoff{std::chrono::milliseconds(500), std::chrono::milliseconds(15000)};

class BackupFlow {
 public:
  BackupFlow(Context& context, Job& job, const BackupCommand& command)
      : context_(context),
        job_(job),
        command_(command),
        gsc_(context.gsc(command.launch.environment, command.sgc_id)) {}

  void run();

 private:
  Result<BackupReport> backup_with_retries();
  Result<BackupReport> backup_once();

  bool is_superseded() const;
  bool cancelled() const { return is_cancelled(context_, command_.backup_id, command_.s3_url); }
  void give_way();
  Result<void> check_destination() const;
  Result<void> abort_earlier_uploads();
  bool looks_unchanged();
  Result<archive::DataSize> measure_game();
  Result<void> report_running();
  Result<std::unique_ptr<Upload>> start_upload(const archive::DataSize& expected);
  Result<WorldRead> archive_game(Upload& upload);
  Result<void> finish_upload(Upload& upload);
  Result<void> check_stored(const archive::PackResult& packed) const;
  BackupReport completed(const WorldRead& world) const;
  BackupReport skipped(const std::string& why, int64_t unchanged_since_backup_id = 0) const;

  void conclude_completed(const BackupReport& report);
  void conclude_skipped(const BackupReport& report);
  void conclude_failed(const Error& error);
  void conclude_cancelled();
  void remove_object();

  Context& context_;
  Job& job_;
  const BackupCommand& command_;
  const GscDir gsc_;
  std::string fingerprint_;
};

void BackupFlow::run() {
  if (is_superseded()) return give_way();
  if (cancelled()) return conclude_cancelled();
  const auto report = guarded([this] { return backup_with_retries(); });
  if (cancelled() && !context_.stopping) return conclude_cancelled();
  if (report && report->skipped) return conclude_skipped(*report);
  if (report) return conclude_completed(*report);
  if (context_.stopping) return;  // goes on at the next start
  conclude_failed(report.error());
}

Result<BackupReport> BackupFlow::backup_with_retries() {
  TRY(check_worth_a_try(context_, job_.key));
  const auto place = TRY(context_.archives.enter(job_.cancelled()));
  const auto once = [this] {
    auto report = guarded([this] { return backup_once(); });
    if (!report && report.error().retryable)
      log_warn(job_.about, "a try failed: {}", report.error().message);
    return report;
  };
  return retry(context_.config.upload_attempts, kBackoff, job_.cancelled(),
               context_.metrics.counting(Metrics::Retry::kUpload, once));
}

Result<BackupReport> BackupFlow::backup_once() {
  TRY(check_destination());
  TRY(check_place(*context_.store, command_.s3_key, command_.mark));
  TRY(abort_earlier_uploads());
  if (!TRY(folder_exists(gsc_.game())))
    return skipped("SGC " + std::to_string(command_.sgc_id) + " has no save data in " +
                   gsc_.game().string() + ": the server has never run here");
  if (looks_unchanged())
    return skipped("nothing changed since backup " + std::to_string(command_.last_backup_id),
                   command_.last_backup_id);
  const archive::DataSize expected = TRY(measure_game());
  TRY(report_running());
  const auto upload = TRY(start_upload(expected));
  const WorldRead world = TRY(archive_game(*upload));
  TRY(finish_upload(*upload));
  TRY(check_stored(world.packed));
  return completed(world);
}

// The host was away so long that the backup was given to it again meanwhile: only the latest
// attempt counts.
bool BackupFlow::is_superseded() const {
  for (const Record& record : context_.journal->unfinished()) {
    if (record.key.kind == JobKind::kBackup && record.key.id == job_.key.id &&
        record.key.attempt > job_.key.attempt)
      return true;
  }
  return false;
}

void BackupFlow::give_way() {
  log_info(job_.about, "attempt {} is superseded by a later one", command_.attempt);
  if (auto aborted = abort_earlier_uploads(); !aborted)
    log_warn(job_.about, "abort the uploads of an earlier try: {}", aborted.error().message);
  if (auto finished = context_.journal->finish(job_.key); !finished)
    log_error(job_.about, "{}", finished.error().message);
}

// The row says where the archive is to be found; a host with another store must not fill it.
Result<void> BackupFlow::check_destination() const {
  if (command_.s3_url.empty()) return {};
  const ObjectUrl ours{context_.store->bucket(), command_.s3_key};
  if (command_.s3_url == ours.text()) return {};
  return fail(Code::kFailedPrecondition, "the backup is to be stored as " + command_.s3_url +
                                             ", but this host's store would make it " +
                                             ours.text());
}

Result<void> BackupFlow::abort_earlier_uploads() {
  const auto record = context_.journal->find(job_.key);
  if (!record || !record->upload_begun) return {};
  auto aborted = context_.store->abort_uploads(command_.s3_key);
  if (aborted || aborted.error().retryable) return aborted;
  log_warn(job_.about, "abort the uploads of an earlier try: {}", aborted.error().message);
  return {};
}

// Before the game is held: what is written from here on may be in the backup, and shows next time.
bool BackupFlow::looks_unchanged() {
  if (!command_.fingerprint) return false;
  fingerprint_ = fingerprint_of(context_, job_, command_);
  return !fingerprint_.empty() && fingerprint_ == command_.last_fingerprint;
}

Result<archive::DataSize> BackupFlow::measure_game() {
  const archive::DataSize size = TRY(archive::measure(gsc_.game(), job_.progress));
  job_.progress.done_bytes = 0;
  job_.progress.total_bytes = size.file_bytes;
  return size;
}

Result<void> BackupFlow::report_running() {
  context_.reporter.offer(job_.renewal(job_.progress));
  return failpoint::pass("backup.running_reported");
}

// The journal first, so that no crash leaves an upload that nobody knows of.
Result<std::unique_ptr<Upload>> BackupFlow::start_upload(const archive::DataSize& expected) {
  TRY(context_.journal->update(job_.key, [](Record& record) { record.upload_begun = true; }));
  auto upload = TRY(context_.store->put(command_.s3_key,
                                        expected.archive_upper_bound(command_.compression.format)));
  upload->cancel_when(job_.cancelled());
  TRY(failpoint::pass("backup.upload_started"));
  return upload;
}

// The game is resumed before anything else is done, also before anything is cleaned up.
Result<WorldRead> BackupFlow::archive_game(Upload& upload) {
  LimitedSink of_host(upload, context_.backup_bandwidth, &job_.progress);
  RateLimiter own(static_cast<uint64_t>(command_.upload_bytes_per_second));
  LimitedSink limited(of_host, own, &job_.progress);
  return read_world(context_, job_, command_, limited);
}

Result<void> BackupFlow::finish_upload(Upload& upload) {
  TRY(failpoint::pass("backup.archived"));
  TRY(check_place(*context_.store, command_.s3_key, command_.mark));
  TRY(in("complete the upload of " + command_.s3_key, upload.commit()));
  return failpoint::pass("backup.uploaded");
}

Result<void> BackupFlow::check_stored(const archive::PackResult& packed) const {
  const ObjectInfo stored = TRY(context_.store->head(command_.s3_key));
  if (stored.size_bytes == packed.archive_size_bytes && !stored.etag.empty()) return {};
  return std::unexpected(Error{Code::kDataLoss,
                               "the store holds " + std::to_string(stored.size_bytes) +
                                   " bytes of " + command_.s3_key + ", " +
                                   std::to_string(packed.archive_size_bytes) + " were written" +
                                   (stored.etag.empty() ? "; it names no ETag" : ""),
                               true});
}

BackupReport BackupFlow::completed(const WorldRead& world) const {
  const archive::PackResult& packed = world.packed;
  BackupReport report = backup_renewal(command_, context_.config.server_id, job_.progress);
  report.status = "completed";
  report.s3_url = ObjectUrl{context_.store->bucket(), command_.s3_key}.text();
  report.size_bytes = static_cast<int64_t>(packed.archive_size_bytes);
  report.sha256 = to_hex(packed.sha256);
  report.entries = static_cast<int64_t>(packed.entries);
  report.progress_bytes = static_cast<int64_t>(packed.data_size_bytes);
  report.total_bytes = report.progress_bytes;
  report.warnings = packed.warnings;
  report.compression = command_.compression;
  report.verdict = world.verdict;
  report.fingerprint = fingerprint_;
  if (packed.warning_count > packed.warnings.size())
    report.warnings.push_back(std::to_string(packed.warning_count - packed.warnings.size()) +
                              " more warnings");
  return report;
}

BackupReport BackupFlow::skipped(const std::string& why, int64_t unchanged_since_backup_id) const {
  BackupReport report = backup_renewal(command_, context_.config.server_id, job_.progress);
  report.status = "failed";
  report.error_message = why;
  report.skipped = true;
  report.unchanged_since_backup_id = unchanged_since_backup_id;
  return report;
}

void BackupFlow::conclude_completed(const BackupReport& report) {
  log_info(job_.about, "completed: {} bytes, {} entries, {} warnings; {}: {}", report.size_bytes,
           report.entries, report.warnings.size(), to_text(report.verdict.consistency),
           report.verdict.evidence);
  context_.metrics.backup_ended(Metrics::BackupEnd::kCompleted, report);
  const Message message = message_of(report);
  record_outcome(context_, job_.key, message, true);
  if (auto passed = failpoint::pass("backup.upload_journaled"); !passed)
    log_error(job_.about, "{}", passed.error().message);
  deliver_outcome(context_, job_.key, message);
}

void BackupFlow::conclude_failed(const Error& error) {
  log_error(job_.about, "failed: {}", error.message);
  remove_object();
  BackupReport report = backup_renewal(command_, context_.config.server_id, job_.progress);
  report.status = "failed";
  report.error_message = error.text();
  context_.metrics.backup_ended(Metrics::BackupEnd::kFailed, report);
  conclude(context_, job_.key, message_of(report));
}

void BackupFlow::conclude_skipped(const BackupReport& report) {
  log_info(job_.about, "not made: {}", report.error_message);
  context_.metrics.backup_ended(Metrics::BackupEnd::kSkipped, report);
  remove_object();
  conclude(context_, job_.key, message_of(report));
}

// No report: the row says so already.
void BackupFlow::conclude_cancelled() {
  log_info(job_.about, "cancelled");
  context_.metrics.backup_ended(Metrics::BackupEnd::kCancelled, {});
  remove_object();
  if (auto passed = failpoint::pass("backup.cancelled"); !passed)
    log_error(job_.about, "{}", passed.error().message);
  if (auto finished = context_.journal->finish(job_.key); !finished)
    log_error(job_.about, "{}", finished.error().message);
}

// A try, perhaps before a crash, may have got as far as an object, and the row will say that there
// is none. What was never begun to be written here is not ours to remove.
void BackupFlow::remove_object() {
  const auto record = context_.journal->find(job_.key);
  if (!record || !record->upload_begun) return;
  if (auto aborted = abort_earlier_uploads(); !aborted)
    log_warn(job_.about, "abort the uploads of an earlier try: {}", aborted.error().message);
  if (auto removed = clear_place(*context_.store, command_.s3_key, command_.mark); !removed)
    log_warn(job_.about, "remove {}: {}", command_.s3_key, removed.error().message);
}

}  // namespace

void run_backup(Context& context, Job& job, const BackupCommand& command) {
  BackupFlow(context, job, command).run();
}

BackupReport backup_renewal(const BackupCommand& command, int64_t server_id,
                            const Progress& progress) {
  BackupReport report;
  report.backup_id = command.backup_id;
  report.server_id = server_id;
  report.attempt = command.attempt;
  report.mark = command.mark;
  report.status = "running";
  report.s3_url = command.s3_url;
  report.progress_bytes = static_cast<int64_t>(progress.done_bytes.load());
  report.total_bytes = static_cast<int64_t>(progress.total_bytes.load());
  return report;
}

}  // namespace manman::host
