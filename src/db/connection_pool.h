#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/error.h"
#include "db/engine.h"
#include "db/soci.h"

namespace manman::db {

// Who gets a connection first when all are lent; among equals it is the order of asking.
enum class Turn { kFirst, kLast };

// The connections of one database, made when first needed, and again when they have been lost.
// Thread-safe.
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
  Result<Lease> lease(Turn turn, std::chrono::milliseconds patience);

 private:
  using Connection = std::unique_ptr<soci::session>;
  struct Waiter {
    std::condition_variable changed;
    bool served = false;
    Connection sql;
  };

  Result<Connection> take(Turn turn, std::chrono::milliseconds patience);
  void give_back(Connection sql);

  const Engine& engine_;
  std::mutex mutex_;
  std::vector<Connection> idle_;               // empty ones are yet to be connected
  std::array<std::list<Waiter*>, 2> waiting_;  // by turn; a waiter lives while it waits
};

}  // namespace manman::db
