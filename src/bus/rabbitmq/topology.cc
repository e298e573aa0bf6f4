#include "bus/rabbitmq/topology.h"

#include <array>

namespace manman::rabbitmq {
namespace {

constexpr size_t kMaxNameBytes = 255;
constexpr int32_t kFleetingMs = 10000;

Result<void> check_name(const char* what, const std::string& name) {
  if (name.empty()) return fail(Code::kInvalidArgument, std::string("a ") + what + " is empty");
  if (name.size() > kMaxNameBytes)
    return fail(Code::kInvalidArgument,
                std::string("a ") + what + " is longer than 255 bytes: " + name);
  return {};
}

// Says what to do about something that was declared otherwise before.
Result<void> explained(const std::string& what, Result<void> declared) {
  if (declared) return {};
  Error error = std::move(declared).error().in(what);
  if (error.code == Code::kFailedPrecondition)
    error = std::move(error).with_hint(
        "it was made with other settings: delete it once it is "
        "empty, or use another virtual host");
  return std::unexpected(std::move(error));
}

Result<void> declare_exchange(Connection& connection, const char* name, const char* type) {
  ::amqp_exchange_declare(connection.library(), kWorkChannel, ::amqp_cstring_bytes(name),
                          ::amqp_cstring_bytes(type), /*passive=*/0, /*durable=*/1,
                          /*auto_delete=*/0, /*internal=*/0, amqp_empty_table);
  return explained(std::string("exchange ") + name, connection.answer(kWorkChannel));
}

amqp_table_entry_t text_entry(const char* key, const char* value) {
  amqp_table_entry_t result{.key = ::amqp_cstring_bytes(key), .value = {}};
  result.value.kind = AMQP_FIELD_KIND_UTF8;
  result.value.value.bytes = ::amqp_cstring_bytes(value);
  return result;
}

amqp_table_entry_t number_entry(const char* key, int32_t value) {
  amqp_table_entry_t result{.key = ::amqp_cstring_bytes(key), .value = {}};
  result.value.kind = AMQP_FIELD_KIND_I32;
  result.value.value.i32 = value;
  return result;
}

Result<void> declare(Connection& connection, amqp_channel_t channel, const std::string& queue,
                     std::span<amqp_table_entry_t> arguments, bool fleeting = false) {
  const amqp_table_t table{static_cast<int>(arguments.size()), arguments.data()};
  ::amqp_queue_declare(connection.library(), channel, to_amqp(queue), /*passive=*/0,
                       /*durable=*/fleeting ? 0 : 1, /*exclusive=*/fleeting ? 1 : 0,
                       /*auto_delete=*/0, table);
  return explained("queue " + queue, connection.answer(channel));
}

Result<void> bind(Connection& connection, amqp_channel_t channel, const std::string& queue,
                  const char* exchange, const std::string& pattern) {
  ::amqp_queue_bind(connection.library(), channel, to_amqp(queue), ::amqp_cstring_bytes(exchange),
                    to_amqp(pattern), amqp_empty_table);
  return in("bind queue " + queue + " to " + exchange, connection.answer(channel));
}

}  // namespace

Result<void> check(const QueueSpec& queue) {
  TRY(check_name("queue's name", queue.name));
  for (const auto& pattern : queue.patterns) TRY(check_name("queue's pattern", pattern));
  return {};
}

Result<void> declare_exchanges(Connection& connection) {
  TRY(declare_exchange(connection, kExchange, "topic"));
  TRY(declare_exchange(connection, kDeadExchange, "fanout"));
  std::array arguments{text_entry("x-queue-type", "quorum")};
  TRY(declare(connection, kWorkChannel, kDeadQueue, arguments));
  return bind(connection, kWorkChannel, kDeadQueue, kDeadExchange, "");
}

Result<void> declare_queue(Connection& connection, amqp_channel_t channel, const QueueSpec& queue) {
  // Where the broker itself gives a message up (RabbitMQ 4 does after 20 deliveries), it must not
  // be lost either.
  std::array arguments{text_entry("x-queue-type", "quorum"),
                       text_entry("x-dead-letter-exchange", kDeadExchange)};
  std::array in_memory{text_entry("x-queue-type", "classic"),
                       number_entry("x-message-ttl", kFleetingMs)};
  if (queue.fleeting)
    TRY(declare(connection, channel, queue.name, in_memory, /*fleeting=*/true));
  else
    TRY(declare(connection, channel, queue.name, arguments));
  for (const auto& pattern : queue.patterns)
    TRY(bind(connection, channel, queue.name, kExchange, pattern));
  return {};
}

Result<void> declare_queue_apart(Connection& connection, const QueueSpec& queue) {
  ::amqp_channel_open(connection.library(), kDeclareChannel);
  TRY(connection.answer(kDeclareChannel));
  TRY(declare_queue(connection, kDeclareChannel, queue));
  ::amqp_channel_close(connection.library(), kDeclareChannel, AMQP_REPLY_SUCCESS);
  return connection.answer(kDeclareChannel);
}

}  // namespace manman::rabbitmq
