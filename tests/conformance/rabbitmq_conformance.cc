// The bus conformance suite, and what is true of RabbitMQ alone, against the broker at
// RABBITMQ_URL.

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "bus/bus_conformance.h"
#include "bus/rabbitmq/rabbitmq_bus.h"

namespace manman {
namespace {

using std::chrono::milliseconds;

RabbitmqConfig config() {
  const char* url = std::getenv("RABBITMQ_URL");
  return {.url = url == nullptr ? "" : url, .publish_timeout = milliseconds(30000)};
}

std::unique_ptr<Bus> open_bus() {
  auto bus = open_rabbitmq_bus(config());
  if (bus) return std::move(*bus);
  std::cerr << bus.error().text() << '\n';  // no test can go on
  std::exit(1);
}

// Names of its own for each test, as the broker's queues outlive them all.
std::string unique(const std::string& text) {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  return std::string(test->test_suite_name()) + "-" + test->name() + "-" + text;
}

class RabbitmqFixture {
 public:
  Bus& bus() { return *bus_; }
  std::string name(const std::string& text) {
    std::string result = unique(text);
    for (char& c : result)
      if (c == '/') c = '-';
    return result;
  }

 private:
  std::unique_ptr<Bus> bus_ = open_bus();
};
INSTANTIATE_TYPED_TEST_SUITE_P(Rabbitmq, BusConformance, RabbitmqFixture);

TEST(RabbitmqBusTest, ADeclaredQueueKeepsMessagesForASubscription) {
  const auto bus = open_bus();
  const std::string key = unique("key");
  ASSERT_TRUE(bus->declare(unique("q"), {key}));
  ASSERT_TRUE(bus->declare(unique("q"), {key})) << "again, as each of many processes does";
  ASSERT_TRUE(bus->publish({key, "kept"}));
  Inbox inbox;
  const auto subscription = bus->subscribe(unique("q"), {key}, inbox.handler());
  ASSERT_TRUE(subscription) << subscription.error().text();
  EXPECT_EQ(inbox.bodies(1), std::vector<std::string>{"kept"});
}

TEST(RabbitmqBusTest, WhatASubscriptionAcknowledgedDoesNotComeToTheNext) {
  const auto bus = open_bus();
  const std::string key = unique("key");
  Inbox first;
  Inbox second;
  auto subscription = bus->subscribe(unique("q"), {key}, first.handler()).value();
  ASSERT_TRUE(bus->publish({key, "1"}));
  ASSERT_EQ(first.wait_for(1).size(), 1U);
  subscription.reset();
  ASSERT_TRUE(bus->publish({key, "2"}));
  subscription = bus->subscribe(unique("q"), {key}, second.handler()).value();
  EXPECT_EQ(second.bodies(1), std::vector<std::string>{"2"});
}

TEST(RabbitmqBusTest, WhatASubscriptionLeavesComesToTheNext) {
  const auto bus = open_bus();
  const std::string key = unique("key");
  Inbox first([](const Message&, size_t) { return Handled{Verdict::kRetry, "never"}; });
  Inbox second;
  auto subscription = bus->subscribe(unique("q"), {key}, first.handler()).value();
  for (const char* body : {"1", "2", "3"}) ASSERT_TRUE(bus->publish({key, body}));
  ASSERT_EQ(first.wait_for(2).size(), 2U);
  subscription.reset();
  subscription = bus->subscribe(unique("q"), {key}, second.handler()).value();
  const auto messages = second.wait_for(3);
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_EQ(messages[0].body, "1");
  EXPECT_TRUE(messages[0].redelivered);
  EXPECT_EQ(messages[1].body, "2");
  EXPECT_EQ(messages[2].body, "3");
}

TEST(RabbitmqBusTest, BodiesUpToTheLimitGoThrough) {
  const auto bus = open_bus();
  const std::string key = unique("key");
  Inbox inbox;
  const auto subscription = bus->subscribe(unique("q"), {key}, inbox.handler()).value();
  const std::string largest(config().max_body_bytes, 'x');
  ASSERT_TRUE(bus->publish({key, ""}));
  ASSERT_TRUE(bus->publish({key, largest}));
  const auto bodies = inbox.bodies(2);
  ASSERT_EQ(bodies.size(), 2U);
  EXPECT_EQ(bodies[0], "");
  EXPECT_TRUE(bodies[1] == largest);
  const auto refused = bus->publish({key, largest + "x"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
}

TEST(RabbitmqBusTest, NamesBeyondTheLimitsOfAmqpAreRefused) {
  const auto bus = open_bus();
  const std::string longest(256, 'k');
  const Handler handler = [](const Message&) { return Handled{}; };
  EXPECT_EQ(bus->publish({longest, ""}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(bus->declare(longest, {"k"}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(bus->declare("", {"k"}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(bus->declare(unique("q"), {longest}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(bus->subscribe(longest, {"k"}, handler).error().code, Code::kInvalidArgument);
  EXPECT_EQ(bus->subscribe(unique("q"), {"k"}, {}).error().code, Code::kInvalidArgument);
}

TEST(RabbitmqBusTest, PublishesOfManyThreadsAreUnderWayAtOnce) {
  const auto bus = open_bus();
  const std::string key = unique("key");
  Inbox inbox;
  const auto subscription = bus->subscribe(unique("q"), {key}, inbox.handler()).value();
  constexpr int kThreads = 32;
  constexpr int kEach = 50;
  const auto began = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> publishers;
    for (int i = 0; i < kThreads; i++)
      publishers.emplace_back([&] {
        for (int n = 0; n < kEach; n++) EXPECT_TRUE(bus->publish({key, "m"}));
      });
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  RecordProperty("published_per_second", std::to_string(kThreads * kEach / took.count()));
  EXPECT_EQ(inbox.wait_for(kThreads * kEach).size(), size_t{kThreads * kEach});
}

TEST(RabbitmqBusTest, ManyMayDeclareAtOnce) {
  for (const char* name : {"q1", "q2", "q3", "q4", "q5"}) {
    const std::string queue = unique(name);
    std::vector<std::jthread> openers;
    for (int i = 0; i < 8; i++)
      openers.emplace_back([&] {
        const auto bus = open_bus();
        const auto subscribed =
            bus->subscribe(queue, {queue + ".#"}, [](const Message&) { return Handled{}; });
        EXPECT_TRUE(subscribed) << subscribed.error().text();
      });
  }
}

TEST(RabbitmqBusTest, PublishesThatComeAsTheBusEndsAreUnavailable) {
  auto bus = open_bus();
  const std::string key = unique("key");
  ASSERT_TRUE(bus->declare(unique("q"), {key}));
  EXPECT_TRUE(bus->ping());
  std::atomic<int> published = 0;
  std::vector<std::jthread> publishers;
  for (int i = 0; i < 4; i++)
    publishers.emplace_back([&, raw = bus.get()] {
      for (;;) {
        const auto done = raw->publish({key, "m"});
        published++;
        if (done) continue;
        EXPECT_EQ(done.error().code, Code::kUnavailable);
        return;
      }
    });
  while (published < 20) std::this_thread::yield();
  bus.reset();
}

}  // namespace
}  // namespace manman
