#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "base/file.h"
#include "db/test_database.h"

// What a server does that is killed or hangs. Whoever has started the server listens on the port of
// loopback that MANMAN_TEST_PG_CONTROL names, does to it what a line says, and answers with a line.
namespace manman::db {
namespace {

using std::chrono::steady_clock;
using testing::HasSubstr;

void tell_server(const std::string& command) {
  const UniqueFd control(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(std::stoi(std::getenv("MANMAN_TEST_PG_CONTROL"))));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const std::string line = command + "\n";
  char answer[16];
  if (::connect(control.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::write(control.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()) ||
      ::read(control.get(), answer, sizeof answer) <= 0) {
    throw std::runtime_error("the server can't be told to " + command);
  }
}

class ServerFaultsTest : public testing::Test {
 protected:
  void SetUp() override {
    const char* server = std::getenv("MANMAN_TEST_PG_URL");
    if (server == nullptr || std::getenv("MANMAN_TEST_PG_CONTROL") == nullptr) {
      GTEST_SKIP() << "needs MANMAN_TEST_PG_URL and MANMAN_TEST_PG_CONTROL";
    }
    place_ = std::make_unique<PostgresqlTestDatabase>(server);
    database_ = place_->open();
    must(database_->migrate());
  }
  std::unique_ptr<PostgresqlTestDatabase> place_;
  std::unique_ptr<Database> database_;
};

// Counts in one row, and makes a game of its own name in the same transaction.
Result<void> count_up(Database& database, int64_t counter, const std::string& name) {
  return database.transact([&](Transaction& tx) -> Result<void> {
    TRY(games::create(tx, {.name = name}));
    return servers::seen(tx, counter, TRY(servers::get(tx, counter)).last_seen + 1);
  });
}

TEST_F(ServerFaultsTest, KilledAmidManyTransactionsNothingIsLostOrDoneTwice) {
  constexpr int kKills = 3;
  const int64_t counter = must(database_->transact([](Transaction& tx) {
                            return servers::ensure(tx, "counter", "", 0);
                          })).server_id;
  std::atomic<bool> stop = false;
  std::atomic<int> committed = 0;
  std::atomic<int> failed = 0;
  std::vector<std::vector<std::string>> good(8);
  std::vector<std::jthread> threads;
  for (size_t i = 0; i < good.size(); i++) {
    threads.emplace_back([&, i] {
      for (int n = 0; !stop; n++) {
        const std::string name = std::to_string(i) + "/" + std::to_string(n);
        const auto counted = count_up(*database_, counter, name);
        if (counted) {
          good[i].push_back(name);
          committed++;
        } else {
          failed++;
          EXPECT_EQ(counted.error().code, Code::kUnavailable) << counted.error().message;
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
      }
    });
  }
  for (int kill = 0; kill < kKills; kill++) {
    const int before = committed;
    const auto until = steady_clock::now() + std::chrono::seconds(20);
    while (committed < before + 40 && steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_GE(committed, before + 40) << "after kill " << kill;
    tell_server("restart");
  }
  stop = true;
  threads.clear();
  EXPECT_GT(failed, 0);

  int64_t rows = 0;
  must(database_->transact([&](Transaction& tx) -> Result<void> {
    rows = 0;
    std::set<std::string> there;
    for (Page page{.size = 1000};;) {
      const auto games = TRY(games::list(tx, page));
      for (const Game& game : games) there.insert(game.name);
      if (games.empty()) break;
      page.before_id = games.back().game_id;
    }
    for (const auto& names : good) {
      for (const auto& name : names) EXPECT_TRUE(there.contains(name)) << name;
    }
    rows = static_cast<int64_t>(there.size());
    EXPECT_EQ(TRY(servers::get(tx, counter)).last_seen, rows);
    return {};
  }));
  EXPECT_GE(rows, committed);
}

TEST_F(ServerFaultsTest, StoppedLongerThanItIsWaitedForIsAClearErrorAndPasses) {
  const auto hasty =
      must(Database::open(place_->url("-c statement_timeout=200ms") + "&connect_timeout=2"));
  const auto began = steady_clock::now();
  tell_server("pause");
  const auto made =
      hasty->transact([](Transaction& tx) { return games::create(tx, {.name = "x"}); });
  const auto pinged = hasty->ping();
  tell_server("resume");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::kUnavailable);
  EXPECT_TRUE(made.error().retryable);
  EXPECT_THAT(made.error().message, HasSubstr("PG_DATABASE_URL"));
  EXPECT_FALSE(pinged);
  EXPECT_LT(steady_clock::now() - began, std::chrono::seconds(20));
  EXPECT_EQ(hasty->retries().lost_connections, 1U);
  must(hasty->transact([](Transaction& tx) { return games::create(tx, {.name = "x"}); }));
}

}  // namespace
}  // namespace manman::db
