#include "bus/inprocess/inprocess_bus.h"

#include <gtest/gtest.h>

#include "bus/bus_conformance.h"

namespace manman {
namespace {

using std::chrono::milliseconds;

class InProcessFixture {
 public:
  Bus& bus() { return bus_; }
  std::string name(const std::string& text) { return text; }

 private:
  InProcessBus bus_{{.publish_timeout = milliseconds(20000), .redelivery_delay = milliseconds(5)}};
};
INSTANTIATE_TYPED_TEST_SUITE_P(InProcess, BusConformance, InProcessFixture);

std::unique_ptr<Subscription> subscribe(Bus& bus, const std::string& queue, Handler handler) {
  return bus.subscribe(queue, {queue + ".#"}, std::move(handler)).value();
}

TEST(InProcessBusTest, PublishReturnsOnlyOnceHandled) {
  InProcessBus bus;
  std::atomic<bool> handled = false;
  const auto subscription = subscribe(bus, "q", [&](const Message& message) {
    handled = message.redelivered;  // set by the second delivery only
    return Handled{message.redelivered ? Verdict::kAck : Verdict::kRetry, "once more"};
  });
  ASSERT_TRUE(bus.publish({"q.a", "m"}));
  EXPECT_TRUE(handled);
}

TEST(InProcessBusTest, PublishWaitsForEveryQueue) {
  InProcessBus bus({.publish_timeout = milliseconds(50)});
  int first = 0;
  const auto one = bus.subscribe("one", {"k"},
                                 [&](const Message&) {
                                   first++;
                                   return Handled{};
                                 })
                       .value();
  auto two = bus.subscribe("two", {"k"}, [](const Message&) { return Handled{}; }).value();
  two.reset();
  const auto published = bus.publish({"k", "m"});
  ASSERT_FALSE(published) << "nobody consumes queue two";
  EXPECT_EQ(published.error().code, Code::kUnavailable);
  EXPECT_TRUE(published.error().retryable);
}

TEST(InProcessBusTest, ARejectedMessageIsADeadLetterWithItsReason) {
  InProcessBus bus;
  const auto subscription = subscribe(bus, "q", [](const Message&) {
    return Handled{Verdict::kReject, "field backup_id is missing"};
  });
  ASSERT_TRUE(bus.publish({"q.backup", "{}"}));
  const auto letters = bus.dead_letters();
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].queue, "q");
  EXPECT_EQ(letters[0].message.routing_key, "q.backup");
  EXPECT_EQ(letters[0].message.body, "{}");
  EXPECT_EQ(letters[0].reason, "field backup_id is missing");
}

TEST(InProcessBusTest, KeepsOnlyTheLatestDeadLetters) {
  InProcessBus bus;
  const auto subscription =
      subscribe(bus, "q", [](const Message&) { return Handled{Verdict::kReject, "bad"}; });
  for (int i = 0; i < 1001; i++) ASSERT_TRUE(bus.publish({"q", std::to_string(i)}));
  ASSERT_EQ(bus.dead_letters().size(), 1000U);
  EXPECT_EQ(bus.dead_letters().front().message.body, "1");
}

TEST(InProcessBusTest, ATimedOutMessageIsWithdrawn) {
  InProcessBus bus({.publish_timeout = milliseconds(20)});
  subscribe(bus, "q", [](const Message&) { return Handled{}; }).reset();
  const auto published = bus.publish({"q", "withdrawn"});
  ASSERT_FALSE(published);
  EXPECT_NE(published.error().message.find("20 ms"), std::string::npos);

  Inbox inbox;
  const auto subscription = subscribe(bus, "q", inbox.handler());
  ASSERT_TRUE(bus.publish({"q", "next"}));
  EXPECT_EQ(inbox.bodies(1), std::vector<std::string>{"next"});
}

TEST(InProcessBusTest, AMessageRetriedTooLongIsWithdrawn) {
  InProcessBus bus({.publish_timeout = milliseconds(50), .redelivery_delay = milliseconds(1)});
  std::atomic<bool> well = false;
  Inbox inbox(
      [&](const Message&, size_t) { return well ? Handled{} : Handled{Verdict::kRetry, "ill"}; });
  const auto subscription = subscribe(bus, "q", inbox.handler());
  EXPECT_EQ(bus.publish({"q", "given up"}).error().code, Code::kUnavailable);
  well = true;
  ASSERT_TRUE(bus.publish({"q", "next"}));
  EXPECT_EQ(inbox.bodies(1).back(), "next");
}

TEST(InProcessBusTest, AQueueWithoutSubscriptionKeepsItsMessages) {
  InProcessBus bus;
  Inbox inbox;
  subscribe(bus, "q", inbox.handler()).reset();
  std::jthread publisher([&] { EXPECT_TRUE(bus.publish({"q", "m"})); });
  const auto subscription = subscribe(bus, "q", inbox.handler());
  publisher.join();
  EXPECT_EQ(inbox.bodies(1), std::vector<std::string>{"m"});
}

TEST(InProcessBusTest, ARetriedMessageStaysAheadOfThoseBehindIt) {
  InProcessBus bus({.redelivery_delay = milliseconds(20)});
  Sync<bool> second_queued;
  Inbox inbox([&](const Message&, size_t nth) {
    if (nth > 1) return Handled{};
    auto queued = second_queued.lock();
    queued.wait([&] { return *queued; });
    return Handled{Verdict::kRetry, "once more"};
  });
  const auto subscription = subscribe(bus, "q", inbox.handler());
  std::jthread one([&] { EXPECT_TRUE(bus.publish({"q", "1"})); });
  ASSERT_EQ(inbox.wait_for(1).size(), 1U);
  std::jthread two([&] { EXPECT_TRUE(bus.publish({"q", "2"})); });
  *second_queued.lock() = true;
  second_queued.notify_all();
  one.join();
  two.join();
  EXPECT_EQ(inbox.bodies(3), (std::vector<std::string>{"1", "1", "2"}));
}

TEST(InProcessBusTest, AFullQueueIsUnavailable) {
  InProcessBus bus({.publish_timeout = milliseconds(10000), .max_queued = 1});
  auto subscription = subscribe(bus, "q", [](const Message&) { return Handled{}; });
  subscription.reset();
  std::atomic<int> full = 0;
  {
    std::vector<std::jthread> publishers;
    for (int i = 0; i < 3; i++)
      publishers.emplace_back([&] {
        const auto published = bus.publish({"q", "m"});
        if (published) return;
        EXPECT_EQ(published.error().code, Code::kUnavailable);
        EXPECT_NE(published.error().message.find("full"), std::string::npos);
        // Once all but the first were refused, the first may go.
        if (++full == 2)
          subscription = subscribe(bus, "q", [](const Message&) { return Handled{}; });
      });
  }
  EXPECT_EQ(full, 2);
}

TEST(InProcessBusTest, AHandlerThatPublishesToItselfIsToldSo) {
  InProcessBus bus;
  Result<void> inner;
  const auto subscription = subscribe(bus, "q", [&](const Message&) {
    inner = bus.publish({"q", "again"});
    return Handled{};
  });
  ASSERT_TRUE(bus.publish({"q", "m"}));
  ASSERT_FALSE(inner);
  EXPECT_EQ(inner.error().code, Code::kFailedPrecondition);
}

TEST(InProcessBusTest, TheEndOfTheBusEndsPublishesThatWait) {
  auto bus = std::make_unique<InProcessBus>();
  subscribe(*bus, "q", [](const Message&) { return Handled{}; }).reset();
  Result<void> published;
  Sync<bool> entered;
  // A handler of another queue, so that the test knows that the publish has begun.
  auto other = subscribe(*bus, "other", [&](const Message&) {
    *entered.lock() = true;
    entered.notify_all();
    return Handled{};
  });
  bus->subscribe("other", {"q"}, [](const Message&) { return Handled{}; }).value().reset();
  std::jthread publisher([&, raw = bus.get()] { published = raw->publish({"q", "m"}); });
  {
    auto locked = entered.lock();
    ASSERT_TRUE(locked.wait_for(std::chrono::seconds(20), [&] { return *locked; }));
  }
  other.reset();
  bus.reset();
  publisher.join();
  ASSERT_FALSE(published);
  EXPECT_EQ(published.error().code, Code::kUnavailable);
}

TEST(InProcessBusTest, ADeclaredQueueHoldsAMessageForASubscription) {
  InProcessBus bus;
  ASSERT_TRUE(bus.ping());
  ASSERT_TRUE(bus.declare("q", {"q.#"}));
  std::jthread publisher([&] { EXPECT_TRUE(bus.publish({"q.a", "m"})); });
  Inbox inbox;
  const auto subscription = subscribe(bus, "q", inbox.handler());
  EXPECT_EQ(inbox.bodies(1), std::vector<std::string>{"m"});
  publisher.join();
}

TEST(InProcessBusTest, RefusesAQueueWithoutNameOrHandler) {
  InProcessBus bus;
  EXPECT_EQ(bus.declare("", {"#"}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(bus.subscribe("", {"#"}, [](const Message&) { return Handled{}; }).error().code,
            Code::kInvalidArgument);
  EXPECT_EQ(bus.subscribe("q", {"#"}, {}).error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace manman
