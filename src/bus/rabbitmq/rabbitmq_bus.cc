#include "bus/rabbitmq/rabbitmq_bus.h"

#include "bus/rabbitmq/consumer.h"
#include "bus/rabbitmq/publisher.h"

namespace manman {
namespace rabbitmq {
namespace {

constexpr size_t kMaxRoutingKeyBytes = 255;
constexpr int kMaxSideBySide = 64;

class RabbitmqBus final : public Bus {
 public:
  RabbitmqBus(Settings settings, std::shared_ptr<Publisher> publisher)
      : settings_(std::move(settings)), publisher_(std::move(publisher)) {}
  ~RabbitmqBus() override { publisher_->stop(); }

  Result<void> publish(const Message& message) override;
  std::vector<Result<void>> publish_each(const std::vector<Message>& messages) override;
  Result<void> declare(const std::string& queue, const std::vector<std::string>& patterns) override;
  Result<std::unique_ptr<Subscription>> subscribe(const std::string& queue,
                                                  const std::vector<std::string>& patterns,
                                                  Handler handler, int side_by_side) override;
  Result<std::unique_ptr<Subscription>> listen(const std::string& name,
                                               const std::vector<std::string>& patterns,
                                               Handler handler) override {
    return consume({name, patterns, /*fleeting=*/true}, std::move(handler), 1);
  }
  Result<void> ping() override { return publisher_->ready(); }

 private:
  Result<void> check(const Message& message) const;
  Result<std::unique_ptr<Subscription>> consume(QueueSpec spec, Handler handler, int side_by_side);

  const Settings settings_;
  // Shared with the subscriptions, and with a publish that is under way when the bus ends.
  const std::shared_ptr<Publisher> publisher_;
};

Result<void> RabbitmqBus::publish(const Message& message) {
  return publish_each({message}).front();
}

std::vector<Result<void>> RabbitmqBus::publish_each(const std::vector<Message>& messages) {
  std::vector<Result<void>> results;
  std::vector<Outgoing> good;
  for (const Message& message : messages) {
    results.push_back(check(message));
    if (results.back())
      good.push_back({.exchange = kExchange,
                      .routing_key = message.routing_key,
                      .body = message.body,
                      .expires_in = message.expires_in,
                      .fleeting = message.fleeting});
  }
  const auto publisher = publisher_;
  auto published = publisher->publish(std::move(good), settings_.config.publish_timeout);
  auto next = published.begin();
  for (auto& result : results)
    if (result) result = std::move(*next++);
  return results;
}

Result<void> RabbitmqBus::check(const Message& message) const {
  if (message.routing_key.size() > kMaxRoutingKeyBytes)
    return fail(Code::kInvalidArgument,
                "a routing key is longer than 255 bytes: " + message.routing_key);
  if (message.body.size() > settings_.config.max_body_bytes)
    return fail(Code::kInvalidArgument, message.routing_key + " has a body of " +
                                            std::to_string(message.body.size()) +
                                            " bytes, above the limit of " +
                                            std::to_string(settings_.config.max_body_bytes));
  return {};
}

Result<void> RabbitmqBus::declare(const std::string& queue,
                                  const std::vector<std::string>& patterns) {
  QueueSpec spec{queue, patterns};
  TRY(rabbitmq::check(spec));
  const auto publisher = publisher_;
  return publisher->declare(std::move(spec));
}

Result<std::unique_ptr<Subscription>> RabbitmqBus::subscribe(
    const std::string& queue, const std::vector<std::string>& patterns, Handler handler,
    int side_by_side) {
  if (side_by_side < 1 || side_by_side > kMaxSideBySide)
    return fail(Code::kInvalidArgument, "queue " + queue + ": side_by_side must be 1 to 64");
  return consume({queue, patterns}, std::move(handler), side_by_side);
}

Result<std::unique_ptr<Subscription>> RabbitmqBus::consume(QueueSpec spec, Handler handler,
                                                           int side_by_side) {
  TRY(rabbitmq::check(spec));
  if (!handler) return fail(Code::kInvalidArgument, "queue " + spec.name + " needs a handler");
  return Consumer::open(settings_, publisher_, std::move(spec), std::move(handler), side_by_side);
}

Result<void> check(const RabbitmqConfig& config) {
  using std::chrono::hours;
  const auto good = [](auto duration) { return duration.count() > 0 && duration <= hours(1); };
  if (good(config.connect_timeout) && good(config.publish_timeout) && good(config.heartbeat) &&
      config.prefetch > 0 && config.max_body_bytes > 0)
    return {};
  return fail(Code::kInvalidArgument,
              "timeouts and heartbeat must be above 0 and at most an hour, prefetch and "
              "max_body_bytes above 0");
}

Result<std::unique_ptr<Bus>> open(const RabbitmqConfig& config) {
  TRY(check(config));
  Settings settings {
    config, TRY(parse_url(config.url))
  };
  auto publisher = TRY(Publisher::open(settings));
  return std::make_unique<RabbitmqBus>(std::move(settings), std::move(publisher));
}

}  // namespace
}  // namespace rabbitmq

Result<std::unique_ptr<Bus>> open_rabbitmq_bus(const RabbitmqConfig& config) {
  return in("RABBITMQ_URL", rabbitmq::open(config));
}

}  // namespace manman
