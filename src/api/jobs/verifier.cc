#include "api/jobs/verifier.h"

#include "api/archive_check.h"
#include "base/log.h"
#include "base/time.h"
#include "db/repositories.h"

namespace manman::api {
namespace {

constexpr std::chrono::seconds kInterval{2};
constexpr std::chrono::milliseconds kLook{200};
constexpr std::chrono::minutes kClaim{2};
constexpr std::chrono::seconds kRenewAfter{30};
constexpr std::chrono::minutes kTryAgainAfter{10};
constexpr int kBatch = 20;

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
  heads_.start();
  reads_.start();
}

void Verifier::stop() {
  stopping_ = true;
  heads_.stop();
  reads_.stop();
}

void Verifier::look_at_heads() {
  while (!stopping_) {
    const auto backup = claim_new(VerifiedHow::kHead);
    if (!backup) return log_warn({}, "verifier: {}", backup.error().text());
    if (!*backup) return;
    const int64_t begun_at = context_.clock.now_s();
    if (!conclude(**backup, VerifiedHow::kHead, begun_at, check_head(context_.store, **backup)))
      return;
  }
}

void Verifier::read_archives() {
  while (!stopping_) {
    auto backup = claim_new(VerifiedHow::kFull);
    if (backup && !*backup) backup = claim_old();
    if (!backup) return log_warn({}, "verifier: {}", backup.error().text());
    if (!*backup) return;
    const int64_t begun_at = context_.clock.now_s();
    if (!conclude(**backup, VerifiedHow::kFull, begun_at, read(**backup))) return;
  }
}

Result<std::optional<Backup>> Verifier::claim_new(VerifiedHow look) {
  const auto found = TRY(context_.database.look([&](db::Transaction& tx) {
    return db::backups::to_verify(tx, look, context_.clock.now_ms(), kBatch);
  }));
  return claim_first(found, [look](const Verification& known) {
    return known.due == look && known.failed_at == 0;
  });
}

Result<std::optional<Backup>> Verifier::claim_old() {
  const auto policy = TRY(context_.database.look(
      [&](db::Transaction& tx) { return db::policies::verifying(tx, context_.clock.now_ms()); }));
  if (policy) {
    auto claimed = TRY(claim_older_than(policy->policy_id, *policy->verify.every_days));
    if (claimed) return claimed;
  }
  const int days = context_.config.verify.every_days;
  if (days == 0) return std::nullopt;
  return claim_older_than(0, days);
}

Result<std::optional<Backup>> Verifier::claim_older_than(int64_t policy_id, int days) {
  const int64_t before_s = context_.clock.now_s() - days * kDaySeconds;
  const auto found = TRY(context_.database.look([&](db::Transaction& tx) {
    return db::backups::to_verify_again(tx, policy_id, before_s, context_.clock.now_ms(), kBatch);
  }));
  return claim_first(found,
                     [before_s](const Verification& known) { return known.looked_at <= before_s; });
}

Result<std::optional<Backup>> Verifier::claim_first(const std::vector<Backup>& found,
                                                    const Due& due) {
  for (const Backup& backup : found)
    if (TRY(claim_row(backup.backup_id, due))) return backup;
  return std::nullopt;
}

// Another API may have been faster.
Result<bool> Verifier::claim_row(int64_t backup_id, const Due& due) {
  return context_.database.transact(
      db::Isolation::kStatement, [&](db::Transaction& tx) -> Result<bool> {
        auto found = db::backups::hold(tx, backup_id);
        if (!found && found.error().code == Code::kNotFound) return false;
        Backup row = TRY(std::move(found));
        const int64_t now_ms = context_.clock.now_ms();
        if (row.status != BackupStatus::kCompleted || !due(row.verification) ||
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
