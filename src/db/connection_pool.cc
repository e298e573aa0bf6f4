#include "db/connection_pool.h"

#include <algorithm>

namespace manman::db {

ConnectionPool::ConnectionPool(const Engine& engine) : engine_(engine) {
  state_.lock()->idle.resize(static_cast<size_t>(engine.max_connections()));
}

ConnectionPool::Lease::~Lease() {
  if (pool_ != nullptr) pool_->give_back(std::move(sql_));
}

Result<ConnectionPool::Lease> ConnectionPool::lease(std::chrono::milliseconds patience) {
  std::unique_ptr<soci::session> sql;
  {
    auto state = state_.lock();
    const uint64_t ticket = state->next_ticket++;
    state->waiting.push_back(ticket);
    const bool served = state.wait_for(
        patience, [&] { return !state->idle.empty() && state->waiting.front() == ticket; });
    std::erase(state->waiting, ticket);
    if (!served) {
      state_.notify_all();
      return fail(Code::kUnavailable, engine_.name() + ": all connections are in use");
    }
    sql = std::move(state->idle.back());
    state->idle.pop_back();
  }
  state_.notify_all();  // the next in the queue may find another idle one
  Lease lease(*this, std::move(sql));
  if (lease.sql_ && !engine_.usable(*lease.sql_)) lease.discard();
  if (!lease.sql_) lease.sql_ = TRY(engine_.connect());
  return lease;
}

void ConnectionPool::give_back(std::unique_ptr<soci::session> sql) {
  state_.lock()->idle.push_back(std::move(sql));
  state_.notify_all();
}

}  // namespace manman::db
