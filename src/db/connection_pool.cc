#include "db/connection_pool.h"

namespace manman::db {

ConnectionPool::ConnectionPool(const Engine& engine)
    : engine_(engine), idle_(static_cast<size_t>(engine.max_connections())) {}

ConnectionPool::Lease::~Lease() {
  if (pool_ != nullptr) pool_->give_back(std::move(sql_));
}

Result<ConnectionPool::Lease> ConnectionPool::lease(Turn turn, std::chrono::milliseconds patience) {
  Lease lease(*this, TRY(take(turn, patience)));
  if (lease.sql_ && !engine_.usable(*lease.sql_)) lease.discard();
  if (!lease.sql_) lease.sql_ = TRY(engine_.connect());
  return lease;
}

Result<ConnectionPool::Connection> ConnectionPool::take(Turn turn,
                                                        std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  if (!idle_.empty()) {
    Connection sql = std::move(idle_.back());
    idle_.pop_back();
    return sql;
  }
  Waiter waiter;
  auto& queue = waiting_[static_cast<size_t>(turn)];
  const auto place = queue.insert(queue.end(), &waiter);
  if (waiter.changed.wait_for(lock, patience, [&] { return waiter.served; }))
    return std::move(waiter.sql);
  queue.erase(place);
  return fail(Code::kUnavailable, engine_.name() + ": all connections are in use");
}

// To the one who waits for it, so that nobody who comes later is quicker.
void ConnectionPool::give_back(Connection sql) {
  const std::scoped_lock lock(mutex_);
  for (auto& queue : waiting_) {
    if (queue.empty()) continue;
    Waiter& waiter = *queue.front();
    queue.pop_front();
    waiter.sql = std::move(sql);
    waiter.served = true;
    waiter.changed.notify_one();
    return;
  }
  idle_.push_back(std::move(sql));
}

}  // namespace manman::db
