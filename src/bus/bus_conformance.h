#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/sync.h"
#include "bus/bus.h"

// What every Bus must do. An implementation's test gives a fixture type that is default
// constructible and has `Bus& bus()` and `std::string name(text)`, which makes queue names and
// first words of routing keys that no other test uses, then
//   INSTANTIATE_TYPED_TEST_SUITE_P(Name, BusConformance, Fixture);
namespace manman {

// A handler that remembers what came, in order, and answers with what `verdict` says.
class Inbox {
 public:
  using Decide = std::function<Handled(const Message&, size_t nth)>;
  explicit Inbox(Decide decide = [](const Message&, size_t) { return Handled{}; })
      : decide_(std::move(decide)) {}

  Handler handler() {
    return [this](const Message& message) {
      size_t nth = 0;
      {
        auto messages = messages_.lock();
        messages->push_back(message);
        nth = messages->size();
      }
      messages_.notify_all();
      return decide_(message, nth);
    };
  }

  // What has come once there are `count`, or after 20 s.
  std::vector<Message> wait_for(size_t count) {
    auto messages = messages_.lock();
    messages.wait_for(std::chrono::seconds(20), [&] { return messages->size() >= count; });
    return *messages;
  }
  std::vector<std::string> bodies(size_t count) {
    std::vector<std::string> result;
    for (const Message& message : wait_for(count)) result.push_back(message.body);
    return result;
  }

 private:
  Decide decide_;
  Sync<std::vector<Message>> messages_;
};

template <typename Fixture>
class BusConformance : public testing::Test {
 protected:
  using Bodies = std::vector<std::string>;

  std::string name(const std::string& text) { return fixture_.name(text); }

  std::unique_ptr<Subscription> subscribe(const std::string& queue,
                                          const std::vector<std::string>& patterns,
                                          Handler handler) {
    auto subscribed = fixture_.bus().subscribe(queue, patterns, std::move(handler));
    EXPECT_TRUE(subscribed) << subscribed.error().message;
    return subscribed ? std::move(*subscribed) : nullptr;
  }
  void publish(const std::string& key, const std::string& body) {
    const auto published = fixture_.bus().publish({key, body});
    EXPECT_TRUE(published) << published.error().message;
  }

  Fixture fixture_;
};
TYPED_TEST_SUITE_P(BusConformance);

TYPED_TEST_P(BusConformance, DeliversWhatWasPublished) {
  Inbox inbox;
  const std::string key = this->name("command") + ".host.3.backup";
  const auto subscription =
      this->subscribe(this->name("q"), {this->name("command") + ".host.3.#"}, inbox.handler());
  const std::string body("{\"text\":\"\xc3\xa4 \0 byte\"}", 20);
  this->publish(key, body);
  const auto messages = inbox.wait_for(1);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].routing_key, key);
  EXPECT_EQ(messages[0].body, body);
  EXPECT_FALSE(messages[0].redelivered);
}

TYPED_TEST_P(BusConformance, RoutesByPattern) {
  Inbox backups;
  Inbox all;
  const std::string first = this->name("status");
  const auto one = this->subscribe(this->name("backups"), {first + ".backup.*"}, backups.handler());
  const auto two =
      this->subscribe(this->name("all"), {first + ".#", first + ".backup.*"}, all.handler());
  this->publish(first + ".backup.1", "b1");
  this->publish(first + ".session.1", "s1");
  this->publish(first + ".backup.2", "b2");
  EXPECT_EQ(backups.bodies(2), (std::vector<std::string>{"b1", "b2"}));
  EXPECT_EQ(all.bodies(3), (std::vector<std::string>{"b1", "s1", "b2"}))
      << "one copy for a queue, however many of its patterns match";
}

TYPED_TEST_P(BusConformance, WithoutAQueueItIsUnavailable) {
  const auto published = this->fixture_.bus().publish({this->name("nobody") + ".listens", "x"});
  ASSERT_FALSE(published);
  EXPECT_EQ(published.error().code, Code::kUnavailable);
  EXPECT_TRUE(published.error().retryable);
  EXPECT_NE(published.error().message.find("listens"), std::string::npos);
}

TYPED_TEST_P(BusConformance, PublishesEachOfManyAndSaysWhichCouldNotBe) {
  Inbox inbox;
  const std::string key = this->name("many") + ".listens";
  const auto subscription = this->subscribe(this->name("q"), {key}, inbox.handler());
  std::vector<Message> messages;
  std::set<std::string> expected;
  for (int i = 0; i < 100; i++) {
    const bool heard = i % 3 != 1;
    messages.push_back({heard ? key : this->name("nobody") + ".listens", std::to_string(i)});
    if (heard) expected.insert(std::to_string(i));
  }
  EXPECT_TRUE(this->fixture_.bus().publish_each({}).empty());
  const auto published = this->fixture_.bus().publish_each(messages);
  ASSERT_EQ(published.size(), messages.size());
  for (size_t i = 0; i < published.size(); i++) {
    ASSERT_EQ(published[i].has_value(), i % 3 != 1) << i;
    if (i % 3 == 1) {
      EXPECT_EQ(published[i].error().code, Code::kUnavailable);
    }
  }
  const auto bodies = inbox.bodies(expected.size());
  EXPECT_EQ(std::set(bodies.begin(), bodies.end()), expected);
  EXPECT_EQ(bodies.size(), expected.size());
}

TYPED_TEST_P(BusConformance, WhoListensHearsAllWhileItDoes) {
  const std::string key = this->name("passing") + ".sign";
  const auto say = [&](const std::string& body) {
    const auto said =
        this->fixture_.bus().publish({.routing_key = key, .body = body, .fleeting = true});
    EXPECT_TRUE(said) << said.error().message;
  };
  say("nobody listens");
  Inbox first;
  Inbox second;
  const auto listen = [&](Inbox& inbox) {
    auto listening = this->fixture_.bus().listen(this->name("q"), {key}, inbox.handler());
    EXPECT_TRUE(listening) << listening.error().message;
    return std::move(*listening);
  };
  const auto one = listen(first);
  {
    const auto another = listen(second);
    say("1");
    EXPECT_EQ(second.bodies(1), std::vector<std::string>{"1"});
  }
  say("2");
  EXPECT_EQ(first.bodies(2), (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(second.bodies(1), std::vector<std::string>{"1"});
}

TYPED_TEST_P(BusConformance, ARetriedMessageComesAgainMarked) {
  Inbox inbox([](const Message&, size_t nth) {
    return nth < 3 ? Handled{Verdict::kRetry, "not yet"} : Handled{};
  });
  const std::string key = this->name("k") + ".a";
  const auto subscription = this->subscribe(this->name("q"), {key}, inbox.handler());
  this->publish(key, "m");
  const auto messages = inbox.wait_for(3);
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_FALSE(messages[0].redelivered);
  EXPECT_TRUE(messages[1].redelivered);
  EXPECT_TRUE(messages[2].redelivered);
  EXPECT_EQ(messages[2].body, "m");
}

TYPED_TEST_P(BusConformance, AHandlerThatThrowsIsARetry) {
  Inbox inbox([](const Message&, size_t nth) -> Handled {
    if (nth == 1) throw std::runtime_error("broken handler");
    return {};
  });
  const std::string key = this->name("k") + ".a";
  const auto subscription = this->subscribe(this->name("q"), {key}, inbox.handler());
  this->publish(key, "m");
  const auto messages = inbox.wait_for(2);
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_TRUE(messages[1].redelivered);
}

TYPED_TEST_P(BusConformance, ARejectedMessageDoesNotStopTheQueue) {
  Inbox inbox([](const Message& message, size_t) {
    return message.body == "bad" ? Handled{Verdict::kReject, "can't be parsed"} : Handled{};
  });
  const std::string key = this->name("k") + ".a";
  const auto subscription = this->subscribe(this->name("q"), {key}, inbox.handler());
  this->publish(key, "bad");
  this->publish(key, "good");
  EXPECT_EQ(inbox.bodies(2), (std::vector<std::string>{"bad", "good"}));
}

TYPED_TEST_P(BusConformance, KeepsTheOrderOfAQueue) {
  Inbox inbox;
  const std::string key = this->name("k") + ".a";
  const auto subscription = this->subscribe(this->name("q"), {key}, inbox.handler());
  std::vector<std::string> sent;
  for (int i = 0; i < 200; i++) {
    sent.push_back(std::to_string(i));
    this->publish(key, sent.back());
  }
  EXPECT_EQ(inbox.bodies(sent.size()), sent);
}

TYPED_TEST_P(BusConformance, HandlesOneMessageAtATime) {
  std::atomic<int> at_once = 0;
  std::atomic<int> most = 0;
  Inbox inbox([&](const Message&, size_t) {
    most = std::max(most.load(), ++at_once);
    std::this_thread::yield();
    at_once--;
    return Handled{};
  });
  const std::string key = this->name("k") + ".a";
  const auto subscription = this->subscribe(this->name("q"), {key}, inbox.handler());
  {
    std::vector<std::jthread> publishers;
    for (int i = 0; i < 4; i++)
      publishers.emplace_back([&] {
        for (int n = 0; n < 25; n++) this->publish(key, "m");
      });
  }
  EXPECT_EQ(inbox.wait_for(100).size(), 100U);
  EXPECT_EQ(most, 1);
}

TYPED_TEST_P(BusConformance, SideBySideKeepsTheOrderOfEachKey) {
  constexpr int kKeys = 5;
  constexpr int kOfEach = 40;
  struct State {
    std::map<std::string, std::vector<std::string>> came;  // by routing key
    std::set<std::string> at_work;
    bool twice_at_once = false;
    int count = 0;
  };
  Sync<State> state;
  const Handler handler = [&](const Message& message) {
    {
      auto locked = state.lock();
      if (!locked->at_work.insert(message.routing_key).second) locked->twice_at_once = true;
      locked->came[message.routing_key].push_back(message.body);
    }
    std::this_thread::yield();
    state.lock()->at_work.erase(message.routing_key);
    state.lock()->count++;
    state.notify_all();
    return Handled{};
  };
  const std::string first = this->name("k");
  auto subscribed = this->fixture_.bus().subscribe(this->name("q"), {first + ".*"}, handler, 4);
  ASSERT_TRUE(subscribed) << subscribed.error().text();
  {
    std::vector<std::jthread> publishers;
    for (int key = 0; key < kKeys; key++)
      publishers.emplace_back([&, key] {
        for (int n = 0; n < kOfEach; n++)
          this->publish(first + "." + std::to_string(key), std::to_string(n));
      });
  }
  auto locked = state.lock();
  ASSERT_TRUE(
      locked.wait_for(std::chrono::seconds(20), [&] { return locked->count == kKeys * kOfEach; }));
  EXPECT_FALSE(locked->twice_at_once);
  std::vector<std::string> in_order;
  for (int n = 0; n < kOfEach; n++) in_order.push_back(std::to_string(n));
  for (const auto& [key, bodies] : locked->came) EXPECT_EQ(bodies, in_order) << key;
}

TYPED_TEST_P(BusConformance, SubscriptionsOfOneQueueShareItsMessages) {
  Sync<std::vector<std::string>> seen;
  // Each holds its message until the other has one too, so both must take part.
  const Handler handler = [&](const Message& message) {
    auto locked = seen.lock();
    locked->push_back(message.body);
    seen.notify_all();
    locked.wait_for(std::chrono::seconds(20), [&] { return locked->size() >= 2; });
    return Handled{};
  };
  const std::string key = this->name("k") + ".a";
  const auto one = this->subscribe(this->name("q"), {key}, handler);
  const auto two = this->subscribe(this->name("q"), {key}, handler);
  std::jthread other([&] { this->publish(key, "1"); });
  this->publish(key, "2");
  other.join();
  auto locked = seen.lock();
  locked.wait_for(std::chrono::seconds(20), [&] { return locked->size() >= 2; });
  EXPECT_EQ(std::set<std::string>(locked->begin(), locked->end()),
            (std::set<std::string>{"1", "2"}));
  EXPECT_EQ(locked->size(), 2U);
}

TYPED_TEST_P(BusConformance, EndingASubscriptionWaitsForItsHandler) {
  struct State {
    bool entered = false;
    bool go_on = false;
    bool left = false;
  };
  Sync<State> state;
  const std::string key = this->name("k") + ".a";
  auto subscription = this->subscribe(this->name("q"), {key}, [&](const Message&) {
    auto locked = state.lock();
    locked->entered = true;
    state.notify_all();
    locked.wait([&] { return locked->go_on; });
    locked->left = true;
    return Handled{};
  });
  std::jthread publisher([&] { this->publish(key, "m"); });
  {
    auto locked = state.lock();
    ASSERT_TRUE(locked.wait_for(std::chrono::seconds(20), [&] { return locked->entered; }));
  }
  std::atomic<bool> ended = false;
  std::jthread ender([&] {
    subscription.reset();
    EXPECT_TRUE(state.lock()->left) << "ended while its handler was at work";
    ended = true;
  });
  EXPECT_FALSE(ended);
  state.lock()->go_on = true;
  state.notify_all();
  ender.join();
  EXPECT_TRUE(ended);
}

TYPED_TEST_P(BusConformance, AHandlerMayPublish) {
  Inbox inbox;
  const std::string first = this->name("first") + ".a";
  const std::string second = this->name("second") + ".a";
  const auto receiver = this->subscribe(this->name("q2"), {second}, inbox.handler());
  const auto forwarder = this->subscribe(this->name("q1"), {first}, [&](const Message& message) {
    this->publish(second, message.body + " forwarded");
    return Handled{};
  });
  this->publish(first, "m");
  EXPECT_EQ(inbox.bodies(1), std::vector<std::string>{"m forwarded"});
}

REGISTER_TYPED_TEST_SUITE_P(BusConformance, DeliversWhatWasPublished, RoutesByPattern,
                            WithoutAQueueItIsUnavailable, PublishesEachOfManyAndSaysWhichCouldNotBe,
                            WhoListensHearsAllWhileItDoes, ARetriedMessageComesAgainMarked,
                            AHandlerThatThrowsIsARetry, ARejectedMessageDoesNotStopTheQueue,
                            KeepsTheOrderOfAQueue, HandlesOneMessageAtATime,
                            SideBySideKeepsTheOrderOfEachKey,
                            SubscriptionsOfOneQueueShareItsMessages,
                            EndingASubscriptionWaitsForItsHandler, AHandlerMayPublish);

}  // namespace manman
