#include "host/place.h"

#include "archive/archive.h"
#include "domain/origin.h"

namespace manman::host {

Result<Place> place_at(Store& store, const std::string& key, const std::string& mark) {
  const auto archive = open_object(store, key);
  if (!archive && archive.error().code == Code::kNotFound) return Place::kFree;
  if (!archive) return std::unexpected(archive.error());
  const bool ours = mark.empty() || mark_in(TRY(archive::origin(**archive))) == mark;
  return ours ? Place::kOurs : Place::kTaken;
}

Result<void> check_place(Store& store, const std::string& key, const std::string& mark) {
  if (mark.empty() || TRY(place_at(store, key, mark)) != Place::kTaken) return {};
  return std::unexpected(
      Error{Code::kAlreadyExists, "in the store " + key +
                                      " is another backup already, which the database knows "
                                      "nothing of; it stays as it is"}
          .with_hint(
              "'manman audit' shows such backups, and 'manman audit --adopt' takes them into "
              "the database; the next backup has another key"));
}

// Where nobody can say whose it is, removing also what is not there makes sure of it.
Result<void> clear_place(Store& store, const std::string& key, const std::string& mark) {
  if (!mark.empty() && TRY(place_at(store, key, mark)) == Place::kTaken) return {};
  return store.remove(key);
}

}  // namespace manman::host
