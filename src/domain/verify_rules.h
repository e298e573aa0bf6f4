#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "domain/verification.h"

namespace manman {

// When backups are verified without being asked for, as the service has it.
struct VerifyRules {
  VerifiedHow after_upload = VerifiedHow::kHead;  // kNot: not at all
  int every_days = 0;             // all of it is read so long after the last look; 0: never
  uint64_t bytes_per_second = 0;  // how fast at most; 0: no limit

  bool operator==(const VerifyRules&) const = default;
};

// The same for the backups of a policy; nothing is as the service has it.
struct PolicyVerifyRules {
  static constexpr int kMaxDays = 36'500;

  std::optional<VerifiedHow> after_upload;  // kNot, kHead or kFull
  std::optional<int> every_days;
  // So often the newest of them is drilled on the host of its SGC; 0: never.
  int drill_every_days = 0;
  bool drill_starts_game = false;

  bool operator==(const PolicyVerifyRules&) const = default;
};

// "none", "head", "full", as users say them; of others nothing.
std::string_view rule_text(VerifiedHow after_upload);
std::optional<VerifiedHow> verify_rule_from(std::string_view text);

}  // namespace manman
