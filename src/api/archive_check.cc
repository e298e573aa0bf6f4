#include "api/archive_check.h"

#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "api/events.h"
#include "api/rpc/backup_archive.h"
#include "base/log.h"
#include "db/repositories.h"

namespace manman::api {
namespace {

// Reads no faster than the limit.
class LimitedSource final : public RandomSource {
 public:
  LimitedSource(RandomSource& source, RateLimiter& limit, const Progress& progress)
      : source_(source), limit_(limit), progress_(progress) {}
  uint64_t size() const override { return source_.size(); }
  Result<void> read_at(uint64_t offset, MutableBytes buffer) override {
    TRY(limit_.take(buffer.size(), &progress_));
    return source_.read_at(offset, buffer);
  }

 private:
  RandomSource& source_;
  RateLimiter& limit_;
  const Progress& progress_;
};

Result<void> check_digest(const archive::VerifyResult& verified, const Backup& row) {
  if (row.sha256.empty() || to_hex(verified.sha256) == row.sha256) return {};
  return fail(Code::kDataLoss,
              "its archive is whole, but not the one that was stored: its SHA-256 is " +
                  to_hex(verified.sha256) + ", the row says " + row.sha256);
}

bool is_same(const Backup& row, const Backup& looked_at) {
  return row.status == BackupStatus::kCompleted && row.attempt == looked_at.attempt &&
         row.s3_url == looked_at.s3_url && row.sha256 == looked_at.sha256;
}

}  // namespace

// Opening it asks the store for nothing but its size.
Result<void> check_head(Store& store, const Backup& backup) {
  TRY(open_archive(store, backup, Reading::kHereAndThere));
  return {};
}

ArchiveCheck::ArchiveCheck(Store& store, Backup backup, RateLimiter* limit)
    : store_(store), backup_(std::move(backup)), limit_(limit), thread_([this] {
        Result<archive::VerifyResult> checked;
        try {
          checked = check();
        } catch (const std::exception& error) {
          checked = fail(Code::kInternal, std::string("unexpected: ") + error.what());
        }
        *result_.lock() = std::move(checked);
        result_.notify_all();
      }) {}

Result<archive::VerifyResult> ArchiveCheck::check() {
  const auto archive = TRY(open_archive(store_, backup_, Reading::kInOrder));
  std::optional<LimitedSource> limited;
  if (limit_ != nullptr && limit_->limits()) limited.emplace(*archive, *limit_, progress_);
  RandomSource& source = limited ? static_cast<RandomSource&>(*limited) : *archive;
  const auto verified = TRY(archive::verify(source, 0, &progress_));
  TRY(check_digest(verified, backup_));
  return verified;
}

std::optional<Result<archive::VerifyResult>> ArchiveCheck::wait_for(
    std::chrono::milliseconds time) {
  auto result = result_.lock();
  result.wait_for(time, [&] { return result->has_value(); });
  return *result;
}

// What is no archive at all is damaged, too: one was stored.
bool tells_of_damage(const Error& error) {
  return error.code == Code::kDataLoss || error.code == Code::kInvalidArgument;
}

Result<bool> record_look(const Context& context, db::Transaction& tx, const Backup& looked_at,
                         VerifiedHow how, int64_t begun_at, const Result<void>& outcome) {
  auto found = db::backups::hold(tx, looked_at.backup_id);
  if (!found && found.error().code == Code::kNotFound) return false;
  Backup row = TRY(std::move(found));
  if (!is_same(row, looked_at)) return false;
  const bool counted = row.verification.counts();
  if (outcome) {
    row.verification.found_good(how, begun_at);
    // What waited for it to be counted on may go.
    if (!counted && row.verification.counts())
      TRY(db::retention_queue::add(tx, row.sgc_id, context.clock.now_s()));
  } else {
    row.verification.found_damaged(how, begun_at, context.clock.now_s(), outcome.error().message);
    TRY(note_event(context, tx,
                   {.kind = EventKind::kVerificationFailed,
                    .sgc_id = row.sgc_id,
                    .backup_id = row.backup_id,
                    .policy_id = row.policy_id,
                    .message = std::string(to_text(how)) + ": " + outcome.error().message}));
  }
  row.verification.lease_until_ms = 0;
  TRY(db::backups::update(tx, row));
  return true;
}

Result<void> note_verified(const Context& context, const Backup& looked_at, VerifiedHow how,
                           int64_t begun_at, const Result<void>& outcome) {
  const auto noted = context.database.transact(db::Isolation::kStatement, [&](db::Transaction& tx) {
    return record_look(context, tx, looked_at, how, begun_at, outcome);
  });
  if (!TRY(noted)) return {};
  const About about{.backup_id = looked_at.backup_id, .sgc_id = looked_at.sgc_id};
  if (outcome) {
    context.counters.backups_verified++;
    log_info(about, "verified: {}", to_text(how));
  } else {
    context.counters.backups_damaged++;
    log_error(about, "what is stored of it is damaged: {}", outcome.error().message);
  }
  return {};
}

}  // namespace manman::api
