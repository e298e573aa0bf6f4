#pragma once

#include <cstdint>

#include "domain/verification.h"

namespace manman {

// When backups are verified without being asked for.
struct VerifyRules {
  VerifiedHow after_upload = VerifiedHow::kHead;  // kNot: not at all
  int every_days = 0;             // all of it is read so long after the last look; 0: never
  uint64_t bytes_per_second = 0;  // how fast at most; 0: no limit

  bool operator==(const VerifyRules&) const = default;
};

}  // namespace manman
