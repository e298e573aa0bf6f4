#include "domain/drill.h"

#include <utility>

#include "domain/transition_table.h"

namespace manman {
namespace {

using enum DrillStatus;
using enum DrillEvent;

constexpr Transition<DrillStatus, DrillEvent> kTable[] = {
    {kPending, kHostRunning, kRunning},  {kPending, kHostPassed, kPassed},
    {kPending, kHostFailed, kFailed},    {kPending, kHostGaveUp, kGivenUp},
    {kPending, kLeaseExpired, kGivenUp}, {kPending, kBackupGone, kGivenUp},

    {kRunning, kHostRunning, kRunning},  // renews the lease
    {kRunning, kHostPassed, kPassed},    {kRunning, kHostFailed, kFailed},
    {kRunning, kHostGaveUp, kGivenUp},   {kRunning, kLeaseExpired, kGivenUp},
    {kRunning, kBackupGone, kGivenUp},

    {kGivenUp, kHostPassed, kPassed},    {kGivenUp, kHostFailed, kFailed},
};
static_assert(is_deterministic(kTable));

constexpr std::pair<DrillStatus, std::string_view> kNames[] = {{kPending, "pending"},
                                                               {kRunning, "running"},
                                                               {kPassed, "passed"},
                                                               {kFailed, "failed"},
                                                               {kGivenUp, "given-up"}};

}  // namespace

std::optional<DrillStatus> next(DrillStatus status, DrillEvent event) {
  return look_up(kTable, status, event);
}

std::string_view to_text(DrillStatus status) {
  for (const auto& [value, name] : kNames)
    if (value == status) return name;
  return "";
}

std::optional<DrillStatus> drill_status_from(std::string_view text) {
  for (const auto& [value, name] : kNames)
    if (name == text) return value;
  return std::nullopt;
}

}  // namespace manman
