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

 protected:
  Result<void> run(Isolation isolation,
                   const std::function<Result<void>(Transaction&)>& work) override;

 private:
  struct Outcome {
    Result<void> result;
    bool conflict = false;  // as in Failure
    bool lost = false;
  };
  Outcome run_once(Isolation isolation, const std::function<Result<void>(Transaction&)>& work);
  Result<bool> apply_next_migration();

  std::unique_ptr<Engine> engine_;
  std::span<const Migration> migrations_;
  ConnectionPool pool_;
  std::atomic<uint64_t> conflicts_ = 0;
  std::atomic<uint64_t> lost_ = 0;
};

}  // namespace manman::db
