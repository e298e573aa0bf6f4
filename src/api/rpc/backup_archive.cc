#include "api/rpc/backup_archive.h"

#include <string>

#include "db/repositories.h"
#include "domain/object_url.h"

namespace manman::api {

Result<Slots::Slot> Slots::take(int limit, std::string_view what, std::string_view whose) {
  const int before = used_.fetch_add(1);
  Slot slot(used_);
  if (before < limit) return slot;
  return fail(Code::kResourceExhausted, std::to_string(limit) + " " + std::string(what) +
                                            " are at work, as many as " + std::string(whose));
}

Result<Backup> completed_backup(db::Database& database, int64_t backup_id) {
  const Backup row =
      TRY(database.look([&](db::Transaction& tx) { return db::backups::get(tx, backup_id); }));
  if (row.status != BackupStatus::kCompleted)
    return fail(Code::kFailedPrecondition, "backup " + std::to_string(backup_id) + " is " +
                                               std::string(wire_text(row.status)) +
                                               "; only a completed one has an archive");
  return row;
}

Result<std::unique_ptr<RandomSource>> open_archive(Store& store, const Backup& row,
                                                   Reading reading) {
  const ObjectUrl url = TRY(ObjectUrl::parse(row.s3_url));
  if (url.bucket != store.bucket())
    return fail(Code::kFailedPrecondition, "its archive is in bucket " + url.bucket +
                                               "; this service reads from " + store.bucket());
  auto object = reading == Reading::kInOrder ? open_object_in_order(store, url.key)
                                             : open_object(store, url.key);
  if (!object && object.error().code == Code::kNotFound) {
    // What can't be listed lacks more than this object, its bucket say.
    TRY(store.list(url.key, [](const ObjectInfo&) { return false; }));
    return fail(Code::kDataLoss, "its archive " + row.s3_url + " is not in the store");
  }
  if (object && (*object)->size() != static_cast<uint64_t>(row.size_bytes))
    return fail(Code::kDataLoss, "its archive " + row.s3_url + " is " +
                                     std::to_string((*object)->size()) + " bytes instead of " +
                                     std::to_string(row.size_bytes));
  return object;
}

}  // namespace manman::api
