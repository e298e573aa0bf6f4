#include "api/jobs/deleter.h"

#include "api/drills.h"
#include "api/events.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "db/repositories.h"
#include "domain/object_url.h"

namespace manman::api {
namespace {

constexpr int kBatch = 100;
constexpr size_t kMaxOrphans = 1000;

std::string name_of(const Backup& backup) {
  return "backup " + std::to_string(backup.backup_id);
}

// The key of the backup's object in this store; "" for a row that never had one.
Result<std::string> key_of(const Backup& backup, const Store& store) {
  if (backup.s3_url.empty()) return std::string();
  const auto url = ObjectUrl::parse(backup.s3_url);
  if (!url)
    return fail(Code::kFailedPrecondition,
                name_of(backup) + " has the URL " + backup.s3_url +
                    ", whose object this service can't remove: " + url.error().message);
  if (url->bucket != store.bucket())
    return std::unexpected(Error{Code::kFailedPrecondition,
                                 name_of(backup) + " has its archive in bucket " + url->bucket +
                                     "; this service removes only from " + store.bucket()}
                               .with_hint("delete it through a service that uses that bucket"));
  return url->key;
}

Result<void> check_not_in_use(db::Transaction& tx, const Backup& backup) {
  if (is_active(backup.status))
    return std::unexpected(Error{Code::kFailedPrecondition,
                                 name_of(backup) + " is " + std::string(wire_text(backup.status))}
                               .with_hint("delete it when it has ended"));
  if (backup.pinned)
    return std::unexpected(
        Error{Code::kFailedPrecondition, name_of(backup) + " is pinned"}.with_hint(
            "'manman backup unpin " + std::to_string(backup.backup_id) + "' lets it be deleted"));
  const auto restoring = TRY(db::sessions::restoring_from(tx, backup.backup_id));
  if (restoring.empty()) return {};
  return fail(Code::kFailedPrecondition, name_of(backup) + " is being restored by session " +
                                             std::to_string(restoring.front().session_id));
}

// Until the transaction ends, one that is newer than this backup, and can be counted on, stays.
Result<void> hold_a_newer_good_one(db::Transaction& tx, const Backup& backup) {
  const auto newest = TRY(db::backups::last_good(tx, backup.sgc_id));
  if (newest && newest->backup_id > backup.backup_id) {
    const Backup held = TRY(db::backups::hold(tx, newest->backup_id));
    if (held.status == BackupStatus::kCompleted && held.verification.counts()) return {};
  }
  return fail(Code::kFailedPrecondition,
              name_of(backup) + " is the last good one of SGC " + std::to_string(backup.sgc_id));
}

}  // namespace

Deleter::Deleter(const Context& context)
    : context_(context), ticker_("deleter", context.config.job_interval, [this] { run_once(); }) {}

Result<Backup> Deleter::mark(int64_t backup_id, By by, const std::string& actor) {
  std::optional<Drill> given_up;
  Backup marked = TRY(context_.database.transact([&](db::Transaction& tx) -> Result<Backup> {
    Backup backup = TRY(db::backups::hold(tx, backup_id));
    TRY(key_of(backup, context_.store));
    if (backup.status == BackupStatus::kDeleting) return backup;
    TRY(check_not_in_use(tx, backup));
    if (by == By::kRetention) TRY(hold_a_newer_good_one(tx, backup));
    const auto after = next(backup.status, BackupEvent::kDelete);
    if (!after)
      return fail(Code::kFailedPrecondition,
                  name_of(backup) + " is " + std::string(wire_text(backup.status)));
    backup.status = *after;
    TRY(db::backups::update(tx, backup));
    TRY(note_event(context_, tx,
                   {.kind = EventKind::kBackupDeleted,
                    .actor = actor,
                    .sgc_id = backup.sgc_id,
                    .backup_id = backup.backup_id,
                    .policy_id = backup.policy_id,
                    .message = backup.s3_url}));
    given_up = TRY(db::drills::active(tx, backup_id));
    if (given_up)
      TRY(give_up_drill(context_, tx, *given_up, DrillEvent::kBackupGone,
                        name_of(backup) + " is being deleted"));
    return backup;
  }));
  if (given_up) drill_ended(context_, *given_up);
  return marked;
}

Result<void> Deleter::finish(const Backup& backup) {
  const std::string key = TRY(key_of(backup, context_.store));
  if (!key.empty()) TRY(remove_owned(context_.store, {key, backup.mark, backup.size_bytes > 0}));
  TRY(failpoint::pass("api.delete.object_removed"));
  const auto removed = context_.database.transact(
      [&](db::Transaction& tx) { return db::backups::remove(tx, backup.backup_id); });
  if (!removed && removed.error().code == Code::kNotFound) return {};  // another thread was faster
  if (!removed) return removed;
  context_.counters.backups_deleted++;
  log_info({.backup_id = backup.backup_id, .sgc_id = backup.sgc_id}, "backup deleted");
  return {};
}

void Deleter::remove_orphan(const OwnedObject& object) {
  auto orphans = orphans_.lock();
  if (orphans->size() == kMaxOrphans) {
    log_warn({}, "object {} has no row and stays in the store: too many others wait",
             orphans->front().key);
    orphans->pop_front();
  }
  orphans->push_back(object);
}

void Deleter::run_once() {
  finish_marked();
  remove_orphans();
}

void Deleter::finish_marked() {
  const auto marked =
      context_.database.look([](db::Transaction& tx) { return db::backups::deleting(tx, kBatch); });
  if (!marked) {
    log_warn({}, "deleter: {}", marked.error().text());
    return;
  }
  if (marked->empty()) complained_.clear();
  for (const Backup& backup : *marked) {
    const auto finished = finish(backup);
    // Once for each backup: a store that is away for a day must not fill the log.
    if (!finished && complained_.insert(backup.backup_id).second)
      log_warn({.backup_id = backup.backup_id, .sgc_id = backup.sgc_id}, "can't be deleted yet: {}",
               finished.error().text());
  }
}

void Deleter::remove_orphans() {
  std::deque<OwnedObject> batch;
  std::swap(batch, *orphans_.lock());
  for (const OwnedObject& object : batch) {
    if (remove_owned(context_.store, object)) {
      context_.counters.orphans_removed++;
      log_info({}, "object {}, which no row needs, removed", object.key);
    } else {
      remove_orphan(object);
    }
  }
}

}  // namespace manman::api
