#include "api/clean.h"

#include "api/archive_check.h"
#include "api/events.h"
#include "base/log.h"
#include "domain/object_url.h"

namespace manman::api {
namespace {

Result<void> leave(Finding& finding, const std::string& why) {
  finding.outcome = "left";
  finding.detail = why;
  return {};
}

Result<void> remove_object(const Context& context, std::chrono::seconds older_than,
                           Finding& finding) {
  if (context.clock.now_s() - finding.object.modified_at < older_than.count())
    return leave(finding, "is younger than --older-than");
  TRY(context.store.remove(finding.key));
  finding.outcome = "removed";
  return {};
}

Result<void> delete_row(const Context& context, Deleter& deleter, Finding& finding) {
  const auto marked = deleter.mark(finding.row.backup_id, Deleter::By::kRequest, context.actor);
  if (!marked && marked.error().code == Code::kFailedPrecondition)
    return leave(finding, marked.error().text());
  if (!marked) return std::unexpected(marked.error());
  TRY(deleter.finish(*marked));
  finding.outcome = "removed";
  finding.detail = "the row of backup " + std::to_string(finding.row.backup_id);
  return {};
}

Result<void> mark_damaged(const Context& context, Finding& finding) {
  const Backup row = TRY(context.database.look(
      [&](db::Transaction& tx) { return db::backups::get(tx, finding.row.backup_id); }));
  TRY(note_verified(
      context, row, VerifiedHow::kHead, context.clock.now_s(),
      fail(Code::kDataLoss, "its archive is " + std::to_string(finding.object.size_bytes) +
                                " bytes instead of " + std::to_string(row.size_bytes))));
  finding.outcome = "marked-damaged";
  return {};
}

Result<void> clean_object(const Context& context, Deleter& deleter, std::chrono::seconds older_than,
                          Finding& finding) {
  switch (finding.kind) {
    case FindingKind::kObjectWithoutRow:
      return remove_object(context, older_than, finding);
    case FindingKind::kRowWithoutObject:
      return delete_row(context, deleter, finding);
    case FindingKind::kWrongSize:
      return mark_damaged(context, finding);
    case FindingKind::kLeftover:
      if (finding.row.status == BackupStatus::kFailed ||
          finding.row.status == BackupStatus::kCancelled)
        return remove_object(context, older_than, finding);
      return leave(finding, finding.advice);
    case FindingKind::kStaleUpload:
    case FindingKind::kUnknownObject:
      return {};
  }
  return {};
}

}  // namespace

Result<void> check_may_clean(const Context& context) {
  if (TRY(context.database.look([](db::Transaction& tx) { return db::backups::any(tx); })))
    return {};
  bool archives = false;
  TRY(context.store.list(kBackupPrefix, [&](const ObjectInfo& object) {
    archives = backup_key_from(object.key).has_value();
    return !archives;
  }));
  if (!archives) return {};
  return std::unexpected(
      Error{Code::kFailedPrecondition,
            "the database has no backup at all, but bucket " + context.store.bucket() +
                " has archives: this looks like a database that was lost"}
          .with_hint("'manman audit --adopt' takes them into the database; --without-any-row "
                     "removes them all the same"));
}

Result<void> clean(const Context& context, Deleter& deleter, std::chrono::seconds older_than,
                   Finding& finding) {
  if (finding.kind == FindingKind::kUnknownObject) return {};
  if (finding.kind == FindingKind::kStaleUpload) {
    TRY(context.store.abort_uploads(finding.key));
    finding.outcome = "removed";
  } else {
    if (!TRY(still_so(context, finding))) return {};
    TRY(clean_object(context, deleter, older_than, finding));
  }
  if (finding.outcome == "removed")
    TRY(context.database.transact([&](db::Transaction& tx) {
      return note_event(context, tx,
                        {.kind = EventKind::kAuditCleaned,
                         .sgc_id = finding.sgc_id,
                         .backup_id = finding.backup_id,
                         .message = std::string(to_text(finding.kind)) + " " + finding.key});
    }));
  log_info({.backup_id = finding.backup_id, .sgc_id = finding.sgc_id}, "audit: {} {}: {}",
           to_text(finding.kind), finding.key, finding.outcome);
  return {};
}

}  // namespace manman::api
