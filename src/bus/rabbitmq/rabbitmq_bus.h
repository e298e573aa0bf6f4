#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "bus/bus.h"

namespace manman {

struct RabbitmqConfig {
  // amqp://USER:PASSWORD@HOST:PORT/VHOST, or amqps:// for TLS. Left out: guest:guest, port 5672
  // (5671 with TLS), virtual host "/". Reserved characters as %XX.
  std::string url;
  std::string ca_file;                 // PEM, for amqps://; empty: the authorities of the system
  std::string client_name = "manman";  // what the broker calls our connections
  std::chrono::milliseconds connect_timeout{5000};  // to connect, and again to log in
  std::chrono::milliseconds publish_timeout{10000};
  std::chrono::seconds heartbeat{10};  // a broker silent for twice as long counts as gone
  uint16_t prefetch = 8;               // messages on this side of the broker, for each at work
  size_t max_body_bytes = 1U << 20;    // larger ones are not published, and not handled
};

// A bus over RabbitMQ: durable topic exchange "manman", a quorum queue for each subscribed or
// declared name, and durable queue "manman.dead-letters" (fanout exchange "manman.dead") for what
// handlers reject. All of it is declared by whoever comes first. A dead letter keeps body and
// routing key; its headers x-reason, x-queue and x-routing-key tell why, and x-body-size how large
// a body was of which only max_body_bytes were kept.
//
// publish() succeeds once the broker has the message on disk in its quorum. It fails at once while
// the broker is away or refuses messages (memory or disk alarm), and when publish_timeout is over;
// the message may have arrived all the same. A body above max_body_bytes, or a routing key above
// 255 bytes, is kInvalidArgument.
//
// A message to be retried is held back and handled again by the same subscription after a while;
// those behind it wait, or, where several are handled side by side, those of its routing key do.
// Lost connections are made again with backoff; messages that were not acknowledged then come
// again.
//
// The first connection is made here, so that bad settings are one clear error: kUnauthenticated,
// kPermissionDenied, kNotFound (virtual host), kInvalidArgument (the URL) or kUnavailable. No error
// shows the password. All subscriptions must be gone before the bus is; publishes in other threads
// then end with kUnavailable. Both end within 3 s, also while the broker hangs, unless a handler or
// a name lookup takes longer.
Result<std::unique_ptr<Bus>> open_rabbitmq_bus(const RabbitmqConfig& config);

}  // namespace manman
