#pragma once

#include <memory>
#include <string>
#include <thread>

#include "bus/inprocess/queue.h"

namespace manman::inprocess {

// A subscription: one thread that takes the messages of one queue and settles them.
class Consumer final : public Subscription {
 public:
  Consumer(std::shared_ptr<Sync<Exchange>> exchange, std::string queue, Handler handler,
           std::chrono::milliseconds redelivery_delay, bool own_queue);
  ~Consumer() override;

  bool connected() override { return true; }

  // The queue whose handler runs on this thread; nullptr on others.
  static const std::string* queue_of_this_thread();

 private:
  void run();
  // Waits for a message; nothing when the subscription ends.
  std::optional<Entry> take();
  void settle(Entry entry, Handled handled);

  std::shared_ptr<Sync<Exchange>> exchange_;
  std::string queue_;
  Handler handler_;
  std::chrono::milliseconds redelivery_delay_;
  bool own_queue_;         // it ends with the subscription
  bool stopping_ = false;  // guarded by exchange_
  std::thread thread_;     // last: it uses all of the above
};

}  // namespace manman::inprocess
