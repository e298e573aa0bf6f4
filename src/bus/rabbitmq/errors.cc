#include "bus/rabbitmq/errors.h"

#include "bus/rabbitmq/event.h"

namespace manman::rabbitmq {
namespace {

// Both close methods begin with the same two fields.
struct Closed {
  uint16_t code = 0;
  std::string text;
};

Closed closed(const amqp_method_t& method) {
  if (method.id == AMQP_CONNECTION_CLOSE_METHOD) {
    const auto& close = *static_cast<const amqp_connection_close_t*>(method.decoded);
    return {close.reply_code, to_string(close.reply_text)};
  }
  const auto& close = *static_cast<const amqp_channel_close_t*>(method.decoded);
  return {close.reply_code, to_string(close.reply_text)};
}

Error unavailable(std::string message) {
  return fail(Code::kUnavailable, std::move(message)).error();
}

}  // namespace

Error status_error(int status) {
  if (status == AMQP_STATUS_HEARTBEAT_TIMEOUT)
    return unavailable("the broker has been silent for too long");
  if (status == AMQP_STATUS_TIMEOUT) return unavailable("the broker did not answer in time");
  return unavailable(::amqp_error_string2(status));
}

Error close_error(const amqp_method_t& method) {
  auto [code, text] = closed(method);
  switch (code) {
    case AMQP_ACCESS_REFUSED:
    case AMQP_NOT_ALLOWED:
      return {Code::kPermissionDenied, std::move(text)};
    case AMQP_NOT_FOUND:
      return {Code::kNotFound, std::move(text)};
    case AMQP_PRECONDITION_FAILED:
      return {Code::kFailedPrecondition, std::move(text)};
    default:
      return unavailable(std::move(text));
  }
}

Error login_error(const Endpoint& endpoint, const amqp_rpc_reply_t& reply) {
  const std::string broker = endpoint.address();
  if (reply.reply_type != AMQP_RESPONSE_SERVER_EXCEPTION) {
    if (reply.library_error == AMQP_STATUS_TIMEOUT)
      return unavailable(broker + " did not answer the login in time");
    return unavailable(broker +
                       " broke the login off: " + ::amqp_error_string2(reply.library_error))
        .with_hint(endpoint.tls ? "is it RabbitMQ's port for TLS?"
                                : "is it RabbitMQ's port without TLS?");
  }
  if (reply.reply.id != AMQP_CONNECTION_CLOSE_METHOD)
    return unavailable(broker + " refused the login");
  const auto [code, text] = closed(reply.reply);
  if (code == AMQP_ACCESS_REFUSED)
    return {Code::kUnauthenticated,
            "user '" + endpoint.user + "' or its password is refused by " + broker + ": " + text};
  const std::string vhost = "virtual host '" + endpoint.vhost + "' at " + broker;
  if (code == AMQP_NOT_ALLOWED && text.contains("not found"))
    return {Code::kNotFound, vhost + " does not exist"};
  return close_error(reply.reply).in(vhost);
}

}  // namespace manman::rabbitmq
