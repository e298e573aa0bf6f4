#pragma once

#include <string_view>

// Conditions in the very words of the partial indexes, which a database uses only when it finds
// them again.
namespace manman::db {

inline constexpr std::string_view kSessionIsLive =
    "status IN ('pending', 'starting', 'running', 'stopping')";
inline constexpr std::string_view kSessionIsLeased =
    "status IN ('pending', 'starting', 'stopping')";
inline constexpr std::string_view kSessionIsUndoing = "replaced_data = 'undoing'";
inline constexpr std::string_view kPolicyIsTimed = "next_due_at > 0";
inline constexpr std::string_view kPolicyVerifies = "verify_every_days > 0";
inline constexpr std::string_view kPolicyDrills = "drill_every_days > 0";
inline constexpr std::string_view kRunIsWaiting = "outcome = 'waiting'";
inline constexpr std::string_view kRunIsScheduled = "run_trigger = 'schedule'";
inline constexpr std::string_view kRunIsOfSession = "of_session > 0";
inline constexpr std::string_view kDeliveryWaits = "status = 'waiting'";
inline constexpr std::string_view kBackupIsActive = "status IN ('pending', 'running')";
inline constexpr std::string_view kBackupIsGood =
    "status = 'completed' AND verify_failed_at = 0 AND verify_due = ''";
inline constexpr std::string_view kBackupIsToBeLookedAt =
    "status = 'completed' AND verify_due <> '' AND verify_failed_at = 0";
inline constexpr std::string_view kBackupIsLeased =
    "status IN ('pending', 'running') AND lease_until_ms >= 0";
inline constexpr std::string_view kBackupIsStored = "status = 'completed'";
inline constexpr std::string_view kBackupIsRestorable =
    "status = 'completed' AND verified_how IN ('full', 'drill') AND verify_failed_at = 0";
inline constexpr std::string_view kDrillIsActive = "status IN ('pending', 'running')";

}  // namespace manman::db
