#pragma once

#include <string>

#include "base/error.h"
#include "domain/backup.h"
#include "store/store.h"

namespace manman::api {

// An object of a backup.
struct OwnedObject {
  std::string key;
  std::string mark;    // of the backup's row
  bool known = false;  // the row has once been completed with it
};

// Whether what stands at the key is the backup's own: its index has the mark of the row. A database
// that was lost gives the same ids, and so the same keys, again; what stands there from before
// must not be touched. Rows of a time before marks ("") own what stands at their key, as ever. No
// object: false.
Result<bool> is_owned(Store& store, const OwnedObject& object);

// Removes the object if it is owned. One that is not stays, with a line in the log; that is
// success.
Result<void> remove_owned(Store& store, const OwnedObject& object);

}  // namespace manman::api
