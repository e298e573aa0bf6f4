#pragma once

#include <functional>
#include <string>

#include "api/control_plane.h"
#include "api/counters.h"
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

  // A transaction has put commands into the outbox: the relay looks at once.
  std::function<void()> commands_waiting = [] {};
  // A host has given a sign of life: commands that wait for it are tried at once.
  std::function<void(int64_t server_id)> host_seen = [](int64_t) {};
  // A backup has ended, by its row.
  std::function<void(const Backup&)> backup_ended = [](const Backup&) {};
  // No row points to this object any more: the deleter removes it.
  std::function<void(const std::string& key)> object_orphaned = [](const std::string&) {};
};

}  // namespace manman::api
