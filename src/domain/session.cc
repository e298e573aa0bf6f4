#include "domain/session.h"

#include "domain/transition_table.h"

namespace manman {
namespace {

using enum SessionStatus;
using enum SessionEvent;

// A session that is being stopped hears nothing of starting or running any more, and ends as the
// host says that it ended.
constexpr Transition<SessionStatus, SessionEvent> kTable[] = {
    {kPending, kHostStarting, kStarting},
    {kPending, kHostRunning, kRunning},
    {kPending, kHostStopped, kStopped},
    {kPending, kHostCrashed, kCrashed},
    {kPending, kHostCompleted, kCompleted},
    {kPending, kStop, kStopping},
    {kPending, kLeaseExpired, kLost},

    {kStarting, kHostStarting, kStarting},  // renews the lease
    {kStarting, kHostRunning, kRunning},
    {kStarting, kHostStopped, kStopped},
    {kStarting, kHostCrashed, kCrashed},
    {kStarting, kHostCompleted, kCompleted},
    {kStarting, kStop, kStopping},
    {kStarting, kLeaseExpired, kLost},

    {kRunning, kHostRunning, kRunning},
    {kRunning, kHostStopped, kStopped},
    {kRunning, kHostCrashed, kCrashed},
    {kRunning, kHostCompleted, kCompleted},
    {kRunning, kStop, kStopping},

    {kStopping, kHostStopping, kStopping},  // renews the lease
    {kStopping, kHostStopped, kStopped},
    {kStopping, kHostCrashed, kCrashed},
    {kStopping, kHostCompleted, kCompleted},
    {kStopping, kStop, kStopping},
    {kStopping, kLeaseExpired, kLost},

    {kLost, kHostStarting, kStarting},
    {kLost, kHostRunning, kRunning},
    {kLost, kHostStopping, kStopping},
    {kLost, kHostStopped, kStopped},
    {kLost, kHostCrashed, kCrashed},
    {kLost, kHostCompleted, kCompleted},
};
static_assert(is_deterministic(kTable));

template <typename Value>
struct Name {
  Value value;
  std::string_view text;
};

constexpr Name<SessionStatus> kStatusNames[] = {
    {kPending, "pending"},     {kStarting, "starting"}, {kRunning, "running"},
    {kStopping, "stopping"},   {kStopped, "stopped"},   {kCrashed, "crashed"},
    {kCompleted, "completed"}, {kLost, "lost"},
};

constexpr Name<ReplacedData> kReplacedNames[] = {
    {ReplacedData::kNone, ""},           {ReplacedData::kKept, "kept"},
    {ReplacedData::kUndoing, "undoing"}, {ReplacedData::kUndone, "undone"},
    {ReplacedData::kRemoved, "removed"},
};

template <typename Value, size_t N>
std::string_view text_of(const Name<Value> (&names)[N], Value value) {
  for (const auto& name : names) {
    if (name.value == value) return name.text;
  }
  return "unknown";
}

template <typename Value, size_t N>
std::optional<Value> value_of(const Name<Value> (&names)[N], std::string_view text) {
  for (const auto& name : names) {
    if (name.text == text) return name.value;
  }
  return std::nullopt;
}

}  // namespace

std::optional<SessionStatus> next(SessionStatus status, SessionEvent event) {
  return look_up(kTable, status, event);
}

bool is_live(SessionStatus status) {
  return status == kPending || status == kStarting || status == kRunning || status == kStopping;
}

std::string_view to_text(SessionStatus status) {
  return text_of(kStatusNames, status);
}

std::optional<SessionStatus> session_status_from(std::string_view text) {
  return value_of(kStatusNames, text);
}

std::string_view wire_text(SessionStatus status) {
  return to_text(status == kLost ? kCrashed : status);
}

std::string_view to_text(ReplacedData state) {
  return text_of(kReplacedNames, state);
}

std::optional<ReplacedData> replaced_data_from(std::string_view text) {
  return value_of(kReplacedNames, text);
}

}  // namespace manman
