#pragma once

#include <deque>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/sync.h"
#include "control_plane/hosts.h"
#include "manman/v1/manman.grpc.pb.h"

namespace manman::bench {

std::unique_ptr<v1::ManManAPI::Stub> connect(const std::string& api);

// The servers with a running session, through the API.
Result<std::vector<Host>> hosts_of(v1::ManManAPI::Stub& api);

// Clients that order backups of sessions, each on a connection of its own, and what becomes of the
// orders. Thread-safe.
class Clients {
 public:
  Clients(std::string api, const std::vector<Host>& hosts);

  // What the hosts tell.
  void arrived(int64_t backup_id, Time at);
  void completed(int64_t sgc_id);

  // `clients` clients call for so long: `rate` calls a second in all, each timed from when it was
  // due, or, with 0, each as soon as its former one has been answered. A session is chosen whose
  // SGC has had no backup for longest. Then waits until the API shows all as completed.
  Result<nlohmann::json> order_backups(int clients, double rate, std::chrono::seconds duration);

 private:
  struct Order {
    Time called;
    Time returned;
    Time arrived;
  };
  struct State {
    std::deque<Host> free;
    std::unordered_map<int64_t, Host> busy;     // by SGC
    std::unordered_map<int64_t, Order> orders;  // by backup
    int64_t refused = 0;                        // with a backup of the SGC still at work
    std::string failure;                        // of the first call that failed otherwise
  };
  class Pace;

  void call_until(v1::ManManAPI::Stub& api, Pace& pace, Time end);
  void call_once(v1::ManManAPI::Stub& api, Time due);
  Host take_free();
  // Of these orders: how many the API does not show as completed.
  Result<int64_t> unfinished(v1::ManManAPI::Stub& api);
  Result<double> drain();

  const std::string api_;
  Sync<State> state_;
};

}  // namespace manman::bench
