#pragma once

#include <atomic>
#include <chrono>
#include <memory>

#include "api/context.h"
#include "api/status/heartbeats.h"

namespace manman::api {

// Consumes what hosts report from queue "manman-status". A message is acknowledged when its effect
// is committed, so a crash makes it come again; one that can't be understood, or contradicts its
// row, goes to the dead-letter queue with the reason; one that the database can't take now is
// retried. Reports about different backups and sessions are applied side by side, so that they
// share the disk's syncs. Health messages have a queue of their own, so that they neither wait nor
// hold up, and are acknowledged when they are noted.
class StatusConsumer {
 public:
  // The context must outlive it.
  explicit StatusConsumer(const Context& context) : context_(context), heartbeats_(context) {}

  Result<void> start();
  // Returns when a message at work has been handled.
  void stop();

  // Whether reports that hosts send now would come to their rows. Not after stop().
  bool hears();

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;

  Handled handle(const Message& message);
  Handled handle_health(const Message& message);
  Handled reject(const Message& message, const Error& error);

  const Context& context_;
  Heartbeats heartbeats_;
  std::unique_ptr<Subscription> status_;
  std::unique_ptr<Subscription> health_;
  std::atomic<SteadyTime> stuck_at_{SteadyTime()};  // a report could not be applied last
};

}  // namespace manman::api
