#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "api/context.h"
#include "api/jobs/ticker.h"
#include "base/rate_limiter.h"
#include "domain/backup.h"

namespace manman::api {

// Verifies what the rules of policies, or else ApiConfig's, say is due: new backups where they are
// stored, and old ones again. One archive at a time is read in this process. API processes that
// share a database claim a backup first, for some minutes that they renew while they read, so that
// one of them does it; one that died has it taken over when its claim ends. What can't be looked at
// now (the store is away) is tried again later, and its row says nothing of it.
class Verifier {
 public:
  explicit Verifier(const Context& context);  // which must outlive this

  void start();
  void stop();

 private:
  void look_at_heads();
  void read_archives();
  using Due = std::function<bool(const Verification&)>;
  // One of which the look is due; nothing when there is none.
  Result<std::optional<Backup>> claim_new(VerifiedHow look);
  Result<std::optional<Backup>> claim_old();
  Result<std::optional<Backup>> claim_older_than(int64_t policy_id, int days);
  Result<std::optional<Backup>> claim_first(const std::vector<Backup>& found, const Due& due);
  Result<bool> claim_row(int64_t backup_id, const Due& due);
  // Nobody else claims it meanwhile.
  void hold_for(const Backup& backup, std::chrono::milliseconds time);
  Result<void> read(const Backup& backup);
  // False when there is no use in going on now.
  bool conclude(const Backup& backup, VerifiedHow how, int64_t begun_at,
                const Result<void>& outcome);

  const Context& context_;
  RateLimiter limit_;
  std::atomic<bool> stopping_{false};
  Ticker heads_;
  Ticker reads_;  // an archive may take hours
};

}  // namespace manman::api
