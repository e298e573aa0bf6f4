#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/sync.h"
#include "db/engine.h"
#include "db/soci.h"

namespace manman::db {

// The connections of one database, made when first needed, and again when they have been lost; lent
// in the order of asking. Thread-safe.
class ConnectionPool {
 public:
  // engine must outlive it.
  explicit ConnectionPool(const Engine& engine);

  // One connection for one thread, given back by the destructor.
  class Lease {
   public:
    Lease(ConnectionPool& pool, std::unique_ptr<soci::session> sql)
        : pool_(&pool), sql_(std::move(sql)) {}
    Lease(Lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)), sql_(std::move(other.sql_)) {}
    Lease& operator=(Lease&&) = delete;
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease();

    soci::session& sql() { return *sql_; }
    // The connection is in a state that nobody knows: close it, and make another next time.
    void discard() { sql_.reset(); }

   private:
    friend class ConnectionPool;
    ConnectionPool* pool_;
    std::unique_ptr<soci::session> sql_;
  };

  // Waits for a free connection; none within `patience` is kUnavailable.
  Result<Lease> lease(std::chrono::milliseconds patience);

 private:
  struct State {
    std::vector<std::unique_ptr<soci::session>> idle;  // empty ones are yet to be connected
    std::deque<uint64_t> waiting;                      // first come, first served
    uint64_t next_ticket = 0;
  };

  void give_back(std::unique_ptr<soci::session> sql);

  const Engine& engine_;
  Sync<State> state_;
};

}  // namespace manman::db
