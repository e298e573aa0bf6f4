#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>

#include "db/connection_pool.h"
#include "db/database.h"
#include "db/engine.h"
#include "db/migrations.h"

namespace manman::db {

// A Database over SOCI; the engine says which.
class SociDatabase final : public Database {
 public:
  // migrations are those that this program knows, by number from 1; they must outlive it.
  SociDatabase(std::unique_ptr<Engine> engine, std::span<const Migration> migrations)
      : engine_(std::move(engine)), migrations_(migrations), pool_(*engine_) {}

  // Makes the first connection.
  Result<void> connect();

  bool shared() const override { return engine_->shared(); }
  Retries retries() const override { return {conflicts_, lost_}; }
  Result<void> migrate() override;
  Result<int> schema_version() override;
  Result<void> ping() override;
  Database& for_requests() override { return for_requests_; }

 protected:
  Result<void> run(Isolation isolation,
                   const std::function<Result<void>(Transaction&)>& work) override {
    return run(isolation, work, Turn::kFirst);
  }

 private:
  class ForRequests final : public Database {
   public:
    explicit ForRequests(SociDatabase& database) : database_(database) {}
    bool shared() const override { return database_.shared(); }
    Retries retries() const override { return database_.retries(); }
    Result<void> migrate() override { return database_.migrate(); }
    Result<int> schema_version() override { return database_.schema_version(); }
    Result<void> ping() override { return database_.ping(); }
    Database& for_requests() override { return *this; }

   protected:
    Result<void> run(Isolation isolation,
                     const std::function<Result<void>(Transaction&)>& work) override {
      return database_.run(isolation, work, Turn::kLast);
    }

   private:
    SociDatabase& database_;
  };

  struct Outcome {
    Result<void> result;
    bool conflict = false;  // as in Failure
    bool lost = false;
  };
  Result<void> run(Isolation isolation, const std::function<Result<void>(Transaction&)>& work,
                   Turn turn);
  Outcome run_once(Isolation isolation, const std::function<Result<void>(Transaction&)>& work,
                   Turn turn);
  Result<bool> apply_next_migration();

  std::unique_ptr<Engine> engine_;
  std::span<const Migration> migrations_;
  ConnectionPool pool_;
  ForRequests for_requests_{*this};
  std::atomic<uint64_t> conflicts_ = 0;
  std::atomic<uint64_t> lost_ = 0;
};

}  // namespace manman::db
