#pragma once

#include <string>

#include "base/error.h"
#include "store/store.h"

// Where a backup's object is to stand. A database that was lost gives the same ids, and so the same
// keys, again; what stands there from before is all that is left of a world, and must be neither
// replaced nor removed.
namespace manman::host {

enum class Place {
  kFree,
  kOurs,   // an object with the mark of the backup's row; any, where that row has none
  kTaken,  // by another
};
Result<Place> place_at(Store& store, const std::string& key, const std::string& mark);

// kAlreadyExists, not retryable, when it is taken.
Result<void> check_place(Store& store, const std::string& key, const std::string& mark);

// Removes the object if it is ours.
Result<void> clear_place(Store& store, const std::string& key, const std::string& mark);

}  // namespace manman::host
