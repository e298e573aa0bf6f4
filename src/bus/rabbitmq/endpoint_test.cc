#include "bus/rabbitmq/endpoint.h"

#include <gtest/gtest.h>

namespace manman::rabbitmq {
namespace {

TEST(EndpointTest, ReadsEveryPart) {
  const auto endpoint = parse_url("amqps://us%65r:p%40ss%2fw@broker.example:1234/games%2Fone");
  ASSERT_TRUE(endpoint) << endpoint.error().message;
  EXPECT_TRUE(endpoint->tls);
  EXPECT_EQ(endpoint->user, "user");
  EXPECT_EQ(endpoint->password, "p@ss/w");
  EXPECT_EQ(endpoint->host, "broker.example");
  EXPECT_EQ(endpoint->port, 1234);
  EXPECT_EQ(endpoint->vhost, "games/one");
  EXPECT_EQ(endpoint->address(), "broker.example:1234");
}

TEST(EndpointTest, FillsInWhatIsLeftOut) {
  const auto endpoint = parse_url("amqp://localhost").value();
  EXPECT_FALSE(endpoint.tls);
  EXPECT_EQ(endpoint.user, "guest");
  EXPECT_EQ(endpoint.password, "guest");
  EXPECT_EQ(endpoint.port, 5672);
  EXPECT_EQ(endpoint.vhost, "/");
  EXPECT_EQ(parse_url("amqps://localhost/")->port, 5671);
  EXPECT_EQ(parse_url("amqp://localhost/")->vhost, "/");
  EXPECT_EQ(parse_url("amqp://localhost/%2f")->vhost, "/");
  EXPECT_EQ(parse_url("amqp://u:@localhost")->password, "");
}

TEST(EndpointTest, TakesIpv6InBrackets) {
  const auto endpoint = parse_url("amqp://[::1]:7/v").value();
  EXPECT_EQ(endpoint.host, "::1");
  EXPECT_EQ(endpoint.port, 7);
  EXPECT_EQ(endpoint.address(), "[::1]:7");
}

TEST(EndpointTest, APasswordMayHoldAnAtSign) {
  EXPECT_EQ(parse_url("amqp://u:a@b@host")->password, "a@b");
  EXPECT_EQ(parse_url("amqp://u:a@b@host")->host, "host");
}

TEST(EndpointTest, SaysWhatIsWrongAndShowsNoPassword) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "amqp://"},
      {"secret", "amqp://"},
      {"http://u:secret@h", "amqp://"},
      {"amqp://", "host"},
      {"amqp://u:secret@", "host"},
      {"amqp://u:secret", "port"},  // the host was forgotten
      {"amqp://u:secret@h:0", "port"},
      {"amqp://u:secret@h:65536", "port"},
      {"amqp://u:secret@h:", "port"},
      {"amqp://:secret@h", "user name"},
      {"amqp://secret@h", "no password"},
      {"amqp://u:secret%@h", "password"},
      {"amqp://u:secret%zz@h", "password"},
      {"amqp://u:secret%00@h", "password"},
      {"amqp://u:sec/secret@h/v", "%2F"},
      {"amqp://u:sec?secret@h/v", "%3F"},
      {"amqp://u:secret@h/v?heartbeat=3", "parameters"},
      {"amqp://u:secret@h/a/b", "%2F"},
      {"amqp://u:secret@[::1/v", "["},
      {"amqp://u:secret@[::1]x/v", "after the host"},
  };
  for (const auto& [url, expected] : cases) {
    const auto endpoint = parse_url(url);
    ASSERT_FALSE(endpoint) << url;
    EXPECT_EQ(endpoint.error().code, Code::kInvalidArgument) << url;
    EXPECT_NE(endpoint.error().message.find(expected), std::string::npos)
        << url << ": " << endpoint.error().message;
    EXPECT_EQ(endpoint.error().text().find("secret"), std::string::npos) << url;
  }
}

TEST(EndpointTest, RefusesALongVirtualHost) {
  EXPECT_TRUE(parse_url("amqp://h/" + std::string(255, 'v')));
  EXPECT_FALSE(parse_url("amqp://h/" + std::string(256, 'v')));
}

}  // namespace
}  // namespace manman::rabbitmq
