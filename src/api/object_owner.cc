#include "api/object_owner.h"

#include "archive/archive.h"
#include "base/log.h"
#include "domain/origin.h"

namespace manman::api {

Result<bool> is_owned(Store& store, const OwnedObject& object) {
  const auto archive = open_object(store, object.key);
  if (!archive && archive.error().code == Code::kNotFound) return false;
  if (!archive) return std::unexpected(archive.error());
  if (object.known || object.mark.empty()) return true;
  return mark_in(TRY(archive::origin(**archive))) == object.mark;
}

Result<void> remove_owned(Store& store, const OwnedObject& object) {
  // Also when it is gone: removing it again makes sure of it.
  if (object.known || object.mark.empty()) return store.remove(object.key);
  if (TRY(is_owned(store, object))) return store.remove(object.key);
  if (store.head(object.key))
    log_warn({}, "object {} stays: its archive is another backup's; see 'manman audit'",
             object.key);
  return {};
}

}  // namespace manman::api
