#pragma once

#include <functional>
#include <string>

#include "api/control_plane.h"
#include "api/counters.h"
#include "api/object_owner.h"
#include "domain/backup.h"

namespace manman::api {

// What every part of the API works with. All of it outlives the parts; the functions may be
// called from any thread.
struct Context {
  const ApiConfig& config;
  db::Database& database;
  Bus& bus;
  Store& store;
  Clock& clock;
  Counters& counters;

  // Whose call is at work, in the words of the log of events; of a job: the service itself.
  std::string actor = "manman";

  // A transaction has put commands into the outbox: the relay looks at once.
  std::function<void()> commands_waiting = [] {};
  // A host has given a sign of life: commands that wait for it are tried at once.
  std::function<void(int64_t server_id)> host_seen = [](int64_t) {};
  // A backup has ended, by its row.
  std::function<void(const Backup&)> backup_ended = [](const Backup&) {};
  // No row needs this object any more: the deleter removes it.
  std::function<void(const OwnedObject&)> object_orphaned = [](const OwnedObject&) {};
};

}  // namespace manman::api
