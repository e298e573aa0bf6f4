#pragma once

#include <atomic>
#include <list>
#include <thread>

#include "api/context.h"
#include "api/jobs/ticker.h"
#include "api/webhooks/receiver.h"
#include "domain/webhook.h"

namespace manman::api {

// Tells webhooks of events, each at least once, and removes events that are old. Those of a webhook
// are sent one after the other, by one process at a time (a lease on its row), so a receiver that
// hangs or is away is in no other's way. What a receiver refuses is tried again later, behind the
// others; one that is away is left alone for a while, with everything for it. After three days a
// delivery is given up.
class WebhookJob {
 public:
  // The context must outlive it.
  explicit WebhookJob(const Context& context);
  ~WebhookJob() { stop(); }

  void start() { ticker_.start(); }
  void stop();

 private:
  struct Worker {
    std::atomic<bool> done = false;
    std::jthread thread;  // last: it sets done
  };
  struct Due {
    Webhook webhook;
    WebhookDelivery delivery;
    Event event;
  };

  void run_once();
  void start_workers();
  void deliver(int64_t webhook_id);
  Result<std::optional<Due>> next(int64_t webhook_id);
  // Whether the next one can be tried at once.
  Result<bool> conclude(const Due& due, const Result<void>& outcome);
  Result<void> let_go(int64_t webhook_id);
  void prune();

  const Context& context_;
  std::atomic<bool> stopping_ = false;
  std::list<Worker> workers_;  // the ticker's thread only, and stop()
  int64_t pruned_at_ms_ = 0;
  Ticker ticker_;
};

}  // namespace manman::api
