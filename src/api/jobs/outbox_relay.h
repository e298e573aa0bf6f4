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

// Publishes the outbox: each host's commands (a lane) in their order, those of many hosts together.
// A command leaves the outbox when the bus has confirmed it, so a crash repeats it and loses none.
// A host whose command fails is tried again with growing pauses and alone, and the hosts that fail
// occupy at most half of the threads, so they don't hold up the others. A command that nothing
// waits for any more (its backup has ended, say) is dropped instead. Relays of several processes
// share the work lane by lane: a claim on a lane is renewed for as long as its command is under
// way, and ends 10 s after its relay has died; then another sends what is there.
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

  using Lanes = std::vector<std::string>;
  struct Command {
    std::string lane;
    int64_t outbox_id = 0;
    Message message;
  };
  // What one transaction found to do.
  struct Turn {
    std::vector<Command> commands;  // the oldest of each lane
    Lanes dropped;                  // routing keys
  };
  using Failures = std::map<std::string, Error>;  // by lane

  void dispatch();
  void renew_claims();
  void work();
  // Lanes to be sent together; none when it is time to stop.
  Lanes next_lanes();
  // One command of each lane.
  Result<Failures> send(const Lanes& lanes);
  Result<Turn> take(const Lanes& lanes);
  Result<Lanes> claim(db::Transaction& tx, const Lanes& lanes);
  Failures publish(Turn& turn);
  // Takes what was sent out of the outbox and gives up the claims.
  Result<void> finish(const Lanes& lanes, const Turn& turn, const Failures& failures);
  void give_up_claims(const Lanes& lanes);
  void done(const Lanes& lanes, const Failures& failures);

  const Context& context_;
  const std::string claimant_;
  const std::chrono::milliseconds claim_;  // how long a claim holds unless renewed
  Sync<State> state_;
  std::vector<std::thread> workers_;
  Ticker dispatcher_;
  Ticker renewer_;
};

}  // namespace manman::api
