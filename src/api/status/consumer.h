#pragma once

#include <atomic>
#include <memory>

#include "api/context.h"

namespace manman::api {

// Consumes what hosts report from queue "manman-status". A message is acknowledged when its effect
// is committed, so a crash makes it come again; one that can't be understood, or contradicts its
// row, goes to the dead-letter queue with the reason; one that the database can't take now is
// retried. Health messages have a queue of their own, so that they neither wait nor hold up.
class StatusConsumer {
 public:
  // The context must outlive it.
  explicit StatusConsumer(const Context& context) : context_(context) {}

  Result<void> start();
  // Returns when a message at work has been handled.
  void stop();

  // Whether reports that hosts send now would come to their rows. Not after stop().
  bool hears();

 private:
  Handled handle(const Message& message);

  const Context& context_;
  std::unique_ptr<Subscription> status_;
  std::unique_ptr<Subscription> health_;
  std::atomic<bool> stuck_{false};  // the last message about a job could not be applied
};

}  // namespace manman::api
