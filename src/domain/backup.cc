#include "domain/backup.h"

#include "domain/transition_table.h"

namespace manman {
namespace {

using enum BackupStatus;
using enum BackupEvent;

constexpr Transition<BackupStatus, BackupEvent> kTable[] = {
    {kPending, kHostRunning, kRunning},       {kPending, kHostCompleted, kCompleted},
    {kPending, kHostFailed, kFailed},         {kPending, kLeaseExpiredRetry, kPending},
    {kPending, kLeaseExpired, kLost},

    {kRunning, kHostRunning, kRunning},  // renews the lease
    {kRunning, kHostCompleted, kCompleted},   {kRunning, kHostFailed, kFailed},
    {kRunning, kLeaseExpiredRetry, kPending}, {kRunning, kLeaseExpired, kLost},

    {kLost, kHostCompleted, kCompleted},

    {kPending, kCancel, kCancelled},          {kRunning, kCancel, kCancelled},
    {kCancelled, kCancel, kCancelled},

    {kCompleted, kDelete, kDeleting},         {kFailed, kDelete, kDeleting},
    {kCancelled, kDelete, kDeleting},         {kLost, kDelete, kDeleting},
    {kDeleting, kDelete, kDeleting},
};
static_assert(is_deterministic(kTable));

struct Name {
  BackupStatus status;
  std::string_view text;
};
constexpr Name kNames[] = {
    {kPending, "pending"},   {kRunning, "running"},     {kCompleted, "completed"},
    {kFailed, "failed"},     {kCancelled, "cancelled"}, {kLost, "lost"},
    {kDeleting, "deleting"},
};

}  // namespace

std::optional<BackupStatus> next(BackupStatus status, BackupEvent event) {
  return look_up(kTable, status, event);
}

std::string_view to_text(BackupStatus status) {
  for (const Name& name : kNames) {
    if (name.status == status) return name.text;
  }
  return "unknown";
}

std::optional<BackupStatus> backup_status_from(std::string_view text) {
  for (const Name& name : kNames) {
    if (name.text == text) return name.status;
  }
  return std::nullopt;
}

std::string_view wire_text(BackupStatus status) {
  return to_text(status == kLost ? kFailed : status);
}

}  // namespace manman
