#include <gmock/gmock.h>

#include <thread>

#include "db/test_database.h"

namespace manman::db {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class OutboxTest : public EveryDatabase {
 protected:
  void add(const std::string& routing_key, const std::string& body = "{}") {
    in_tx([&](Transaction& tx) { return outbox::add(tx, routing_key, body, 1); });
  }
  std::vector<std::string> lanes(const std::string& claimant = "me", int64_t now_ms = 0) {
    return in_tx([&](Transaction& tx) { return outbox::lanes(tx, claimant, now_ms); });
  }
  std::vector<outbox::Row> oldest(const std::string& lane, int limit = 10) {
    return in_tx([&](Transaction& tx) { return outbox::oldest(tx, lane, limit); });
  }
  std::vector<std::string> bodies(const std::string& lane, int limit = 10) {
    std::vector<std::string> found;
    for (const auto& row : oldest(lane, limit)) found.push_back(row.body);
    return found;
  }
  bool claim(const std::string& claimant, int64_t now_ms, int64_t until_ms) {
    const std::vector<std::string> lane{"command.host.1"};
    const auto claimed =
        in_tx([&](Transaction& tx) { return outbox::claim(tx, lane, claimant, now_ms, until_ms); });
    EXPECT_TRUE(claimed.empty() || claimed == lane);
    return !claimed.empty();
  }
};
INSTANTIATE_TEST_SUITE_P(All, OutboxTest, testing::ValuesIn(database_kinds()), kind_name);

TEST_P(OutboxTest, GivesALanesOldestFirstUntilSent) {
  EXPECT_THAT(lanes(), IsEmpty());
  add("command.host.1.backup", "1");
  add("command.host.2.backup", "2");
  add("command.host.1.session.start", "3");
  add("command.host.10.backup", "4");
  EXPECT_THAT(lanes(), ElementsAre("command.host.1", "command.host.10", "command.host.2"));
  EXPECT_THAT(bodies("command.host.1"), ElementsAre("1", "3"));
  EXPECT_THAT(bodies("command.host.1", 1), ElementsAre("1"));
  EXPECT_THAT(bodies("command.host.10"), ElementsAre("4"));
  EXPECT_EQ(oldest("command.host.1")[1].routing_key, "command.host.1.session.start");
  const int64_t first = oldest("command.host.1").front().outbox_id;
  for (int round = 0; round < 2; round++) {  // another relay was as quick
    in_tx([&](Transaction& tx) { return outbox::sent(tx, {first}); });
  }
  EXPECT_THAT(bodies("command.host.1"), ElementsAre("3"));
}

TEST_P(OutboxTest, ALaneIsItsPartOfTheKey) {
  EXPECT_EQ(outbox::lane_of("command.host.3.session.start"), "command.host.3");
  EXPECT_EQ(outbox::lane_of("command.host.3"), "command.host.3");
  EXPECT_EQ(outbox::lane_of("key"), "key");
  EXPECT_EQ(outbox::lane_of(""), "");
}

TEST_P(OutboxTest, AClaimIsOnesUntilItEndsOrIsGivenUp) {
  add("command.host.1.backup");
  add("command.host.2.backup");
  EXPECT_TRUE(claim("a", 100, 200));
  EXPECT_FALSE(claim("b", 150, 250));
  EXPECT_TRUE(claim("a", 150, 240));  // once more
  const auto renew = [&](const std::string& claimant, int64_t now_ms) {
    in_tx([&](Transaction& tx) { return outbox::renew(tx, claimant, now_ms, 250); });
  };
  renew("b", 160);  // it has none
  renew("a", 160);
  EXPECT_FALSE(claim("b", 249, 300));
  EXPECT_THAT(lanes("a", 249), ElementsAre("command.host.1", "command.host.2"));
  EXPECT_THAT(lanes("b", 249), ElementsAre("command.host.2"));
  EXPECT_THAT(lanes("b", 250), ElementsAre("command.host.1", "command.host.2"));
  EXPECT_TRUE(claim("b", 250, 400));
  EXPECT_FALSE(claim("a", 260, 400));
  renew("b", 400);  // too late
  EXPECT_TRUE(claim("a", 400, 500));
  EXPECT_FALSE(claim("b", 450, 500));
  const auto release = [&](const std::string& claimant) {
    in_tx([&](Transaction& tx) { return outbox::release(tx, {"command.host.1"}, claimant); });
  };
  release("b");  // not its own
  EXPECT_FALSE(claim("b", 450, 500));
  release("a");
  EXPECT_TRUE(claim("b", 450, 500));
}

TEST_P(OutboxTest, OneOfManyAtOnceGetsTheClaim) {
  const auto second = place_->open();
  std::atomic<int> won = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; i++) {
    threads.emplace_back([&, i] {
      Database& database = i % 2 == 0 ? *database_ : *second;
      const std::string name = std::to_string(i);
      won += static_cast<int>(must(database.transact([&](Transaction& tx) {
                                return outbox::claim(tx, {"one", "two", "three"}, name, 0, 100);
                              })).size());
    });
  }
  threads.clear();
  EXPECT_EQ(won, 3);
}

TEST_P(OutboxTest, ManyLanesAreClaimedTogetherButForThoseOfAnother) {
  const auto claim = [&](const std::string& claimant, const std::vector<std::string>& lanes) {
    return in_tx([&](Transaction& tx) { return outbox::claim(tx, lanes, claimant, 0, 100); });
  };
  EXPECT_THAT(claim("a", {}), IsEmpty());
  EXPECT_THAT(claim("a", {"2"}), ElementsAre("2"));
  EXPECT_THAT(claim("b", {"3", "2", "1"}), UnorderedElementsAre("1", "3"));
  EXPECT_THAT(claim("a", {"1", "2", "3"}), ElementsAre("2"));
  in_tx([&](Transaction& tx) { return outbox::release(tx, {"1", "2", "3"}, "b"); });
  EXPECT_THAT(claim("c", {"1", "2", "3"}), UnorderedElementsAre("1", "3"));
}

TEST_P(OutboxTest, WhatWasSentGoesTogether) {
  for (const char* body : {"1", "2", "3"}) add("command.host.1.backup", body);
  const auto rows = oldest("command.host.1");
  in_tx([&](Transaction& tx) {
    return outbox::sent(tx, {rows[0].outbox_id, rows[2].outbox_id, 1000});
  });
  in_tx([&](Transaction& tx) { return outbox::sent(tx, {}); });
  EXPECT_THAT(bodies("command.host.1"), ElementsAre("2"));
}

}  // namespace
}  // namespace manman::db
