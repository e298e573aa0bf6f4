#include "db/postgresql/postgresql_engine.h"

#include <gmock/gmock.h>

#include <future>
#include <latch>
#include <thread>

#include "db/migrations.h"
#include "db/soci_database.h"
#include "db/soci_transaction.h"
#include "db/test_database.h"

// What PostgreSQL alone does; on the server that MANMAN_TEST_PG_URL names.
namespace manman::db {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class PostgresqlTest : public testing::Test {
 protected:
  void SetUp() override {
    const char* server = std::getenv("MANMAN_TEST_PG_URL");
    if (server == nullptr) GTEST_SKIP() << "needs MANMAN_TEST_PG_URL";
    server_ = server;
    place_ = std::make_unique<PostgresqlTestDatabase>(server_);
    database_ = place_->open();
    must(database_->migrate());
  }

  // The server's URL with another part in place of this one.
  std::string with(const std::string& part, const std::string& other) const {
    std::string url = server_;
    const size_t at = url.rfind(part);
    if (at == std::string::npos) throw std::runtime_error("no " + part + " in the URL");
    return url.replace(at, part.size(), other);
  }
  std::string password() const {
    const size_t begin = server_.find(':', server_.find("://") + 3) + 1;
    return server_.substr(begin, server_.find('@') - begin);
  }
  Error error_of_open(const std::string& url) {
    auto database = Database::open(url);
    if (database) throw std::runtime_error("opened");
    const std::string text = database.error().text();
    EXPECT_THAT(database.error().message,
                AllOf(HasSubstr("PG_DATABASE_URL"), Not(HasSubstr("\n"))));
    EXPECT_THAT(text, Not(HasSubstr(password())));
    EXPECT_THAT(text, Not(HasSubstr("p@ss")));
    return database.error();
  }

  static Result<void> execute(Transaction& tx, const std::string& statement) {
    return query(tx, [&](soci::session& sql) -> Result<void> {
      sql << statement;
      return {};
    });
  }
  template <typename T>
  static T answer_of(Database& database, const std::string& question) {
    return must(database.transact([&](Transaction& tx) {
      return query(tx, [&](soci::session& sql) -> Result<T> {
        T answer{};
        sql << question, soci::into(answer);
        return answer;
      });
    }));
  }

  std::string server_;
  std::unique_ptr<PostgresqlTestDatabase> place_;
  std::unique_ptr<Database> database_;
};

TEST_F(PostgresqlTest, BadSettingsAreOneClearLine) {
  const Error wrong_password = error_of_open(with(password() + "@", "wrong@"));
  EXPECT_EQ(wrong_password.code, Code::kInvalidArgument);
  EXPECT_FALSE(wrong_password.retryable);
  EXPECT_THAT(wrong_password.message, HasSubstr("password authentication failed"));

  const Error no_database = error_of_open(with("/manman", "/nowhere"));
  EXPECT_EQ(no_database.code, Code::kInvalidArgument);
  EXPECT_THAT(no_database.message, HasSubstr("database nowhere at 127.0.0.1"));
  EXPECT_THAT(no_database.message, HasSubstr("does not exist"));

  const Error no_tls = error_of_open(server_ + "?sslmode=require");
  EXPECT_EQ(no_tls.code, Code::kInvalidArgument);
  EXPECT_THAT(no_tls.message, HasSubstr("SSL"));

  const Error no_such_setting = error_of_open(server_ + "?options=-c%20no_such_thing%3D1");
  EXPECT_EQ(no_such_setting.code, Code::kInvalidArgument);
  EXPECT_THAT(no_such_setting.message, HasSubstr("no_such_thing"));
}

TEST_F(PostgresqlTest, AServerThatIsAwayIsUnavailable) {
  const size_t host = server_.rfind('@') + 1;
  const size_t slash = server_.find('/', host);
  const Error closed =
      error_of_open(server_.substr(0, host) + "127.0.0.1:1" + server_.substr(slash));
  EXPECT_EQ(closed.code, Code::kUnavailable);
  EXPECT_TRUE(closed.retryable);
  EXPECT_THAT(closed.message, HasSubstr("Connection refused"));
  EXPECT_THAT(closed.hint, HasSubstr("PG_DATABASE_URL"));
}

TEST_F(PostgresqlTest, ADatabaseThatCantHoldEveryTextIsRefused) {
  place_->on_server("DROP DATABASE IF EXISTS latin");
  place_->on_server(
      "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' "
      "TEMPLATE template0");
  const Error latin = error_of_open(with("/manman", "/latin"));
  EXPECT_EQ(latin.code, Code::kInvalidArgument);
  EXPECT_THAT(latin.message, HasSubstr("LATIN1"));
  EXPECT_THAT(latin.hint, HasSubstr("UTF8"));
  place_->on_server("DROP DATABASE latin");
}

TEST_F(PostgresqlTest, ConnectionsAreSetUp) {
  const auto setting = [&](const std::string& name) {
    return answer_of<std::string>(*database_, "SELECT current_setting('" + name + "')");
  };
  EXPECT_EQ(setting("application_name"), "manman");
  EXPECT_EQ(setting("TimeZone"), "UTC");
  EXPECT_EQ(setting("transaction_isolation"), "serializable");
  EXPECT_EQ(setting("statement_timeout"), "15s");
  EXPECT_EQ(setting("lock_timeout"), "10s");
  EXPECT_EQ(setting("idle_in_transaction_session_timeout"), "30s");
  const auto other = must(Database::open(place_->url("-c lock_timeout=1s")));
  EXPECT_EQ(answer_of<std::string>(*other, "SELECT current_setting('lock_timeout')"), "1s");
}

TEST_F(PostgresqlTest, LongStatementsAndLocksEndAndSayWhy) {
  const auto slow = must(Database::open(place_->url("-c statement_timeout=200ms")));
  const auto sleeping =
      slow->transact([](Transaction& tx) { return execute(tx, "SELECT pg_sleep(20)"); });
  ASSERT_FALSE(sleeping);
  EXPECT_EQ(sleeping.error().code, Code::kUnavailable);
  EXPECT_THAT(sleeping.error().message, HasSubstr("it takes too long"));

  const auto hasty = must(Database::open(place_->url("-c lock_timeout=200ms")));
  must(database_->transact([&](Transaction& tx) -> Result<void> {
    TRY(execute(tx, "LOCK TABLE games"));
    const auto locked = std::async(std::launch::async, [&] {
                          return hasty->transact([](Transaction& inner) {
                            return games::create(inner, {.name = "x"});
                          });
                        }).get();
    EXPECT_FALSE(locked);
    EXPECT_EQ(locked.error().code, Code::kUnavailable);
    EXPECT_THAT(locked.error().message, HasSubstr("others keep it locked"));
    return {};
  }));
}

TEST_F(PostgresqlTest, ALostConnectionIsReplacedAndItsTransactionRunAgain) {
  int runs = 0;
  must(database_->transact([&](Transaction& tx) -> Result<void> {
    TRY(games::create(tx, {.name = "once"}));
    if (++runs == 1) TRY(execute(tx, "SELECT pg_terminate_backend(pg_backend_pid())"));
    return {};
  }));
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(database_->retries().lost_connections, 1U);
  EXPECT_EQ(must(database_->transact([](Transaction& tx) { return games::list(tx, {}); })).size(),
            1U);
}

TEST_F(PostgresqlTest, AnIdleConnectionThatTheServerClosedIsNotLent) {
  const int pid = answer_of<int>(*database_, "SELECT pg_backend_pid()");
  place_->on_server("SELECT pg_terminate_backend(" + std::to_string(pid) + ", 5000)");
  EXPECT_NE(answer_of<int>(*database_, "SELECT pg_backend_pid()"), pid);
  EXPECT_EQ(database_->retries().lost_connections, 0U);
}

// A trigger that waits for the commit ends the connection there.
TEST_F(PostgresqlTest, AConnectionLostDuringTheCommitIsToldAndNotRunAgain) {
  must(database_->transact([](Transaction& tx) -> Result<void> {
    TRY(execute(tx,
                "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS "
                "'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'"));
    return execute(tx,
                   "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON games DEFERRABLE "
                   "INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()");
  }));
  int runs = 0;
  const auto lost = database_->transact([&](Transaction& tx) {
    runs++;
    return games::create(tx, {.name = "perhaps"});
  });
  ASSERT_FALSE(lost);
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(lost.error().code, Code::kUnavailable);
  EXPECT_FALSE(lost.error().retryable);
  EXPECT_THAT(lost.error().message, HasSubstr("may or may not have been made"));
  EXPECT_TRUE(database_->ping());
}

TEST_F(PostgresqlTest, DeadlocksAndCrossedReadsAreRunAgain) {
  const auto make = [&](const std::string& name) {
    return must(database_->transact(
                    [&](Transaction& tx) { return servers::ensure(tx, name, "", 1); }))
        .server_id;
  };
  const int64_t a = make("a");
  const int64_t b = make("b");
  // Each adds one to both, in opposite order, and the first time waits for the other between.
  std::latch both(2);
  const auto add_one = [&](int64_t first, int64_t second) {
    bool met = false;
    must(database_->transact([&](Transaction& tx) -> Result<void> {
      TRY(servers::seen(tx, first, TRY(servers::get(tx, first)).last_seen + 1));
      if (!std::exchange(met, true)) both.arrive_and_wait();
      return servers::seen(tx, second, TRY(servers::get(tx, second)).last_seen + 1);
    }));
  };
  {
    std::jthread one([&] { add_one(a, b); });
    std::jthread two([&] { add_one(b, a); });
  }
  for (const int64_t server : {a, b}) {
    EXPECT_EQ(must(database_->transact([&](Transaction& tx) {
                return servers::get(tx, server);
              })).last_seen,
              3);
  }
  const uint64_t after_deadlock = database_->retries().conflicts;
  EXPECT_GE(after_deadlock, 1U);

  // Write skew: each looks for the other's row before it writes its own. One must see the other's.
  std::latch looked(2);
  std::atomic<int> made = 0;
  const auto only_one = [&](const std::string& mine, size_t others) {
    bool met = false;
    must(database_->transact([&](Transaction& tx) -> Result<void> {
      const size_t there = TRY(games::list(tx, {}))
      .size();
      if (!std::exchange(met, true)) looked.arrive_and_wait();
      if (there > others) return {};
      TRY(games::create(tx, {.name = mine}));
      return {};
    }));
  };
  {
    std::jthread one([&] { only_one("one", 0); });
    std::jthread two([&] { only_one("two", 0); });
  }
  EXPECT_EQ(must(database_->transact([](Transaction& tx) { return games::list(tx, {}); })).size(),
            1U);
  EXPECT_GT(database_->retries().conflicts, after_deadlock);
}

TEST_F(PostgresqlTest, RowsOfTheOutboxBeforeLanesGetTheirs) {
  PostgresqlTestDatabase fresh(server_);
  SociDatabase before(must(PostgresqlEngine::open(fresh.url(), 2)), embedded_migrations().first(1));
  must(before.migrate());
  must(before.transact([](Transaction& tx) {
    return execute(
        tx,
        "INSERT INTO servers (server_id, name, environment, is_default, status, last_seen) "
        "VALUES (1, 's', '', 1, 'online', 1)");
  }));
  const int64_t server = 1;
  must(before.transact([&](Transaction& tx) {
    return execute(tx,
                   "INSERT INTO outbox (routing_key, body, created_at_ms) VALUES "
                   "('command.host." +
                       std::to_string(server) +
                       ".backup', '{}', 1), "
                       "('command.host.99.backup', '{}', 1)");
  }));
  const auto after = fresh.open();
  must(after->migrate());
  EXPECT_THAT(must(after->transact([](Transaction& tx) { return outbox::lanes(tx, "me", 0); })),
              testing::ElementsAre("", "command.host." + std::to_string(server)));
}

}  // namespace
}  // namespace manman::db
