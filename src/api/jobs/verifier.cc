#include "api/jobs/verifier.h"

#include "api/archive_check.h"
#include "base/log.h"
#include "db/repositories.h"

namespace manman::api {
namespace {

constexpr std::chrono::seconds kInterval{2};
constexpr std::chrono::milliseconds kLook{200};
constexpr std::chrono::minutes kClaim{2};
constexpr std::chrono::seconds kRenewAfter{30};
constexpr std::chrono::minutes kTryAgainAfter{10};
constexpr int kBatch = 20;
constexpr int64_t kDaySeconds = 24 * 60 * 60;

About about(const Backup& backup) {
  return {.backup_id = backup.backup_id, .sgc_id = backup.sgc_id};
}

}  // namespace

Verifier::Verifier(const Context& context)
    : context_(context),
      limit_(context.config.verify.bytes_per_second),
      heads_("verifier of heads", kInterval, [this] { look_at_heads(); }),
      reads_("verifier", kInterval, [this] { read_archives(); }) {}

void Verifier::start() {
  const VerifyRules& rules = context_.config.verify;
  if (rules.after_upload == VerifiedHow::kHead) heads_.start();
  if (rules.after_upload == VerifiedHow::kFull || rules.every_days > 0) reads_.start();
}

void Verifier::stop() {
  stopping_ = true;
  heads_.stop();
  reads_.stop();
}

void Verifier::look_at_heads() {
  while (!stopping_) {
    const auto backup = claim(0, true);
    if (!backup) return log_warn({}, "verifier: {}", backup.error().text());
    if (!*backup) return;
    const int64_t begun_at = context_.clock.now_s();
    if (!conclude(**backup, VerifiedHow::kHead, begun_at, check_head(context_.store, **backup)))
      return;
  }
}

void Verifier::read_archives() {
  const VerifyRules& rules = context_.config.verify;
  while (!stopping_) {
    const int64_t old_s =
        rules.every_days > 0 ? context_.clock.now_s() - rules.every_days * kDaySeconds : 0;
    const auto backup = claim(old_s, rules.after_upload == VerifiedHow::kFull);
    if (!backup) return log_warn({}, "verifier: {}", backup.error().text());
    if (!*backup) return;
    const int64_t begun_at = context_.clock.now_s();
    if (!conclude(**backup, VerifiedHow::kFull, begun_at, read(**backup))) return;
  }
}

Result<std::optional<Backup>> Verifier::claim(int64_t before_s, bool new_too) {
  const auto due = TRY(context_.database.look([&](db::Transaction& tx) {
    return db::backups::to_verify(tx, before_s, context_.clock.now_ms(), kBatch);
  }));
  for (const Backup& backup : due)
    if ((new_too || backup.verification.looked_at > 0) &&
        TRY(claim_row(backup.backup_id, before_s)))
      return backup;
  return std::nullopt;
}

// Another API may have been faster.
Result<bool> Verifier::claim_row(int64_t backup_id, int64_t before_s) {
  return context_.database.transact(
      db::Isolation::kStatement, [&](db::Transaction& tx) -> Result<bool> {
        auto found = db::backups::hold(tx, backup_id);
        if (!found && found.error().code == Code::kNotFound) return false;
        Backup row = TRY(std::move(found));
        const int64_t now_ms = context_.clock.now_ms();
        if (row.status != BackupStatus::kCompleted || row.verification.looked_at > before_s ||
            row.verification.lease_until_ms > now_ms)
          return false;
        row.verification.lease_until_ms = now_ms + std::chrono::milliseconds(kClaim).count();
        TRY(db::backups::update(tx, row));
        return true;
      });
}

// What can't be renewed may be read twice, which does no harm.
void Verifier::hold_for(const Backup& backup, std::chrono::milliseconds time) {
  const auto held = context_.database.transact(
      db::Isolation::kStatement, [&](db::Transaction& tx) -> Result<void> {
        Backup row = TRY(db::backups::hold(tx, backup.backup_id));
        row.verification.lease_until_ms = context_.clock.now_ms() + time.count();
        return db::backups::update(tx, row);
      });
  if (!held && held.error().code != Code::kNotFound)
    log_warn(about(backup), "verifier: {}", held.error().text());
}

Result<void> Verifier::read(const Backup& backup) {
  ArchiveCheck check(context_.store, backup, &limit_);
  auto renewed = std::chrono::steady_clock::now();
  for (;;) {
    if (const auto result = check.wait_for(kLook)) {
      if (*result) return {};
      return std::unexpected(result->error());
    }
    if (stopping_) return fail(Code::kCancelled, "the service stops");
    const auto now = std::chrono::steady_clock::now();
    if (now - renewed < kRenewAfter) continue;
    renewed = now;
    hold_for(backup, kClaim);
  }
}

bool Verifier::conclude(const Backup& backup, VerifiedHow how, int64_t begun_at,
                        const Result<void>& outcome) {
  if (outcome || tells_of_damage(outcome.error())) {
    const auto noted = note_verified(context_, backup, how, begun_at, outcome);
    if (!noted) log_warn(about(backup), "verifier: {}", noted.error().text());
    return noted.has_value();
  }
  if (stopping_) return false;
  log_warn(about(backup), "can't be verified now: {}", outcome.error().text());
  hold_for(backup, kTryAgainAfter);
  return false;
}

}  // namespace manman::api
