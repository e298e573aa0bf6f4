#pragma once

#include <span>
#include <string>
#include <vector>

#include "bus/rabbitmq/connection.h"

namespace manman::rabbitmq {

inline constexpr const char* kExchange = "manman";
inline constexpr const char* kDeadExchange = "manman.dead";
inline constexpr const char* kDeadQueue = "manman.dead-letters";

struct QueueSpec {
  std::string name;
  std::vector<std::string> patterns;
  bool fleeting = false;  // of one connection alone, which makes it anew each time
};

// Of a queue and its patterns, as AMQP has them: not empty, at most 255 bytes.
Result<void> check(const QueueSpec& queue);

// The exchanges, and the queue of the dead letters. Like all here it may be done again, and by
// several at once. What stands there otherwise already is kFailedPrecondition.
Result<void> declare_exchanges(Connection& connection);
// A queue and its bindings, on the channel. Bindings of before are kept. A fleeting queue is a
// classic one in memory: it is gone with the connection, and drops what waits for too long.
Result<void> declare_queue(Connection& connection, amqp_channel_t channel, const QueueSpec& queue);
// The same on a channel of its own: what is wrong with the queue leaves the connection usable.
Result<void> declare_queue_apart(Connection& connection, const QueueSpec& queue);

}  // namespace manman::rabbitmq
