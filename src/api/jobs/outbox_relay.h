#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "api/context.h"
#include "api/jobs/ticker.h"
#include "base/sync.h"
#include "db/repositories.h"

namespace manman::api {

// Publishes the outbox: each host's commands (a lane) in their order, different hosts side by side.
// A command leaves the outbox when the bus has confirmed it, so a crash repeats it and loses none.
// A host whose command fails is tried again with growing pauses, and the hosts that fail occupy at
// most half of the threads, so they don't hold up the others. A command that nothing waits for any
// more (its backup has ended, say) is dropped instead. Relays of several processes share the work
// lane by lane; what a relay that died had claimed, another sends kClaim later.
class OutboxRelay {
 public:
  // The context must outlive it.
  explicit OutboxRelay(const Context& context);
  ~OutboxRelay();  // stop()

  void start();
  // Returns when publishes at work have ended: the bus's timeout at the latest.
  void stop();

  // The outbox has something new. Any thread.
  void wake() { dispatcher_.wake(); }
  // The host is there: its commands are tried without a pause. Any thread.
  void host_seen(int64_t server_id);

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;
  struct Host {
    bool at_work = false;
    int failures = 0;  // in a row
    SteadyTime not_before;
  };
  struct State {
    std::map<std::string, Host> hosts;  // by lane
    std::deque<std::string> waiting;    // lanes
    int failing_at_work = 0;
    bool stopping = false;
  };

  void dispatch();
  void work();
  Result<void> send(const std::string& lane);
  Result<std::vector<db::outbox::Row>> take(const std::string& lane);
  Result<bool> keep_claim(const std::string& lane, SteadyTime& since);
  void give_up_claim(const std::string& lane);
  // Takes the row out of the outbox as well, and gives up the claim with the last one.
  Result<void> publish(const std::string& lane, const db::outbox::Row& row, bool last);
  Result<bool> claim(db::Transaction& tx, const std::string& lane);
  void note_failure(const std::string& lane, const Error& error);
  void done(const std::string& lane, bool good);

  const Context& context_;
  const std::string claimant_;
  Sync<State> state_;
  std::vector<std::thread> workers_;
  Ticker dispatcher_;
};

}  // namespace manman::api
