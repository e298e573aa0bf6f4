#include "domain/event.h"

#include <algorithm>
#include <array>
#include <utility>

namespace manman {
namespace {

constexpr std::pair<EventKind, std::string_view> kNames[] = {
    {EventKind::kBackupOrdered, "backup.ordered"},
    {EventKind::kBackupDue, "backup.due"},
    {EventKind::kBackupCompleted, "backup.completed"},
    {EventKind::kBackupFailed, "backup.failed"},
    {EventKind::kBackupCancelled, "backup.cancelled"},
    {EventKind::kBackupDeleted, "backup.deleted"},
    {EventKind::kBackupPinned, "backup.pinned"},
    {EventKind::kBackupUnpinned, "backup.unpinned"},
    {EventKind::kVerificationFailed, "verification.failed"},
    {EventKind::kDrillOrdered, "drill.ordered"},
    {EventKind::kAuditAdopted, "audit.adopted"},
    {EventKind::kAuditCleaned, "audit.cleaned"},
    {EventKind::kSessionOrdered, "session.ordered"},
    {EventKind::kSessionStopOrdered, "session.stop_ordered"},
    {EventKind::kSessionInput, "session.input"},
    {EventKind::kSessionEnded, "session.ended"},
    {EventKind::kSessionLost, "session.lost"},
    {EventKind::kRestoreUndone, "restore.undo_ordered"},
    {EventKind::kServerRegistered, "server.registered"},
    {EventKind::kServerUpdated, "server.updated"},
    {EventKind::kServerDeleted, "server.deleted"},
    {EventKind::kHostLost, "host.lost"},
    {EventKind::kHostBack, "host.back"},
    {EventKind::kGameCreated, "game.created"},
    {EventKind::kGameDeleted, "game.deleted"},
    {EventKind::kGameConfigCreated, "config.created"},
    {EventKind::kGameConfigDeleted, "config.deleted"},
    {EventKind::kSgcCreated, "sgc.created"},
    {EventKind::kSgcUpdated, "sgc.updated"},
    {EventKind::kSgcDeleted, "sgc.deleted"},
    {EventKind::kPolicyCreated, "policy.created"},
    {EventKind::kPolicyUpdated, "policy.updated"},
    {EventKind::kPolicyDeleted, "policy.deleted"},
    {EventKind::kPolicyMissed, "policy.missed"},
    {EventKind::kWebhookCreated, "webhook.created"},
    {EventKind::kWebhookUpdated, "webhook.updated"},
    {EventKind::kWebhookDeleted, "webhook.deleted"},
    {EventKind::kWebhookTest, "webhook.test"},
};

constexpr auto kAll = [] {
  std::array<EventKind, std::size(kNames)> all{};
  for (size_t i = 0; i < all.size(); i++) all[i] = kNames[i].first;
  return all;
}();

}  // namespace

std::string_view to_text(EventKind kind) {
  const auto found =
      std::ranges::find(kNames, kind, &std::pair<EventKind, std::string_view>::first);
  return found == std::end(kNames) ? "unknown" : found->second;
}

std::optional<EventKind> event_kind_from(std::string_view text) {
  const auto found =
      std::ranges::find(kNames, text, &std::pair<EventKind, std::string_view>::second);
  if (found == std::end(kNames)) return std::nullopt;
  return found->first;
}

std::span<const EventKind> all_event_kinds() {
  return kAll;
}

}  // namespace manman
