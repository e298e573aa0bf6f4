#include "bus/rabbitmq/connection.h"

#include <amqp_tcp_socket.h>
#include <poll.h>

#include <algorithm>
#include <array>

#include "base/time.h"
#include "bus/rabbitmq/errors.h"
#include "bus/rabbitmq/tcp.h"

namespace manman::rabbitmq {
namespace {

using std::chrono::milliseconds;

constexpr int kMaxChannels = 16;
constexpr int kMaxFrameBytes = AMQP_DEFAULT_FRAME_SIZE;
constexpr size_t kMaxHeaders = 8;
timeval to_timeval(milliseconds duration) {
  return {.tv_sec = duration.count() / 1000, .tv_usec = duration.count() % 1000 * 1000};
}

amqp_table_entry_t entry(const char* key, std::string_view value) {
  amqp_table_entry_t result{.key = ::amqp_cstring_bytes(key), .value = {}};
  result.value.kind = AMQP_FIELD_KIND_UTF8;
  result.value.value.bytes = to_amqp(value);
  return result;
}

amqp_table_entry_t capability(const char* key) {
  amqp_table_entry_t result{.key = ::amqp_cstring_bytes(key), .value = {}};
  result.value.kind = AMQP_FIELD_KIND_BOOLEAN;
  result.value.value.boolean = 1;
  return result;
}

}  // namespace

Connection::Connection(const Settings& settings, Waker& waker)
    : settings_(settings),
      waker_(waker),
      tls_check_(waker),
      reader_(settings.config.max_body_bytes),
      library_(::amqp_new_connection()) {}

Connection::~Connection() {
  library_.reset();
  waker_.detach();
}

Result<std::unique_ptr<Connection>> Connection::open(const Settings& settings,
                                                     const std::string& name, Waker& waker) {
  auto connection = std::make_unique<Connection>(settings, waker);
  if (!connection->library_) return fail(Code::kResourceExhausted, "no memory for a connection");
  TRY(connection->connect());
  TRY(connection->log_in(name));
  ::amqp_channel_open(connection->library(), kWorkChannel);
  TRY(connection->answer(kWorkChannel));
  return connection;
}

Result<void> Connection::connect() {
  UniqueFd socket = TRY(connect_tcp(settings_.endpoint, settings_.config.connect_timeout, waker_));
  // The library opens TLS sockets only by itself; the first one has shown that it can.
  if (settings_.endpoint.tls) return connect_tls();
  TRY(waker_.attach(socket.get()));
  amqp_socket_t* tcp = ::amqp_tcp_socket_new(library());
  if (tcp == nullptr) return fail(Code::kResourceExhausted, "no memory for a socket");
  ::amqp_tcp_socket_set_sockfd(tcp, socket.release());
  return {};
}

Result<void> Connection::connect_tls() {
  amqp_socket_t* socket = ::amqp_ssl_socket_new(library());
  if (socket == nullptr) return fail(Code::kResourceExhausted, "no memory for a TLS socket");
  const Endpoint& endpoint = settings_.endpoint;
  TRY(tls_check_.prepare(socket, endpoint.host, settings_.config.ca_file));
  const timeval timeout = to_timeval(settings_.config.connect_timeout);
  const int status =
      ::amqp_socket_open_noblock(socket, endpoint.host.c_str(), endpoint.port, &timeout);
  if (status == AMQP_STATUS_OK) return {};
  if (!tls_check_.complaint().empty())
    return fail(Code::kUnauthenticated, "the certificate of " + endpoint.address() +
                                            " is not trusted: " + tls_check_.complaint());
  return fail(Code::kUnavailable,
              "no TLS connection to " + endpoint.address() + ": " + ::amqp_error_string2(status));
}

Result<void> Connection::log_in(const std::string& name) {
  const timeval timeout = to_timeval(settings_.config.connect_timeout);
  TRY(sent(::amqp_set_handshake_timeout(library(), &timeout)));
  TRY(limit_answers(settings_.config.publish_timeout));
  std::array capabilities{
      capability("authentication_failure_close"), capability("basic.nack"),
      capability("connection.blocked"),           capability("consumer_cancel_notify"),
      capability("publisher_confirms"),
  };
  std::array properties{entry("product", "manman"), entry("connection_name", name),
                        amqp_table_entry_t{::amqp_cstring_bytes("capabilities"), {}}};
  properties[2].value.kind = AMQP_FIELD_KIND_TABLE;
  properties[2].value.value.table = {static_cast<int>(capabilities.size()), capabilities.data()};
  const amqp_table_t table{static_cast<int>(properties.size()), properties.data()};
  const Endpoint& endpoint = settings_.endpoint;
  const auto heartbeat_s = static_cast<int>(settings_.config.heartbeat.count());
  const amqp_rpc_reply_t reply = ::amqp_login_with_properties(
      library(), endpoint.vhost.c_str(), kMaxChannels, kMaxFrameBytes, heartbeat_s, &table,
      AMQP_SASL_METHOD_PLAIN, endpoint.user.c_str(), endpoint.password.c_str());
  if (reply.reply_type == AMQP_RESPONSE_NORMAL) return {};
  if (waker_.is_cut()) return fail(Code::kCancelled, "the bus ends");
  return std::unexpected(login_error(endpoint, reply));
}

Result<void> Connection::limit_answers(milliseconds limit) {
  const timeval timeout = to_timeval(limit);
  return sent(::amqp_set_rpc_timeout(library(), &timeout));
}

Result<std::optional<Event>> Connection::next() {
  for (;;) {
    amqp_frame_t frame{};
    const timeval at_once{};
    const int status = ::amqp_simple_wait_frame_noblock(library(), &frame, &at_once);
    if (status == AMQP_STATUS_TIMEOUT) return std::nullopt;
    TRY(sent(status));
    if (frame.frame_type == AMQP_FRAME_METHOD &&
        (frame.payload.method.id == AMQP_CONNECTION_CLOSE_METHOD ||
         frame.payload.method.id == AMQP_CHANNEL_CLOSE_METHOD))
      return std::unexpected(closed_by_broker(frame.payload.method, frame.channel));
    auto event = TRY(reader_.read(frame));
    ::amqp_maybe_release_buffers_on_channel(library(), frame.channel);
    if (event) return event;
  }
}

void Connection::wait() {
  // Answers and heartbeats may have brought frames into the library's own queue.
  if (::amqp_frames_enqueued(library()) != 0 || ::amqp_data_in_buffer(library()) != 0) return;
  // The library sends heartbeats, and misses those of the broker, only when it is called.
  const milliseconds heartbeat = std::chrono::seconds(::amqp_get_heartbeat(library()));
  waker_.wait(::amqp_get_sockfd(library()), POLLIN,
              std::clamp(heartbeat / 4, milliseconds(100), milliseconds(1000)));
}

Result<void> Connection::publish(const Outgoing& message, uint64_t tag) {
  std::array<amqp_table_entry_t, kMaxHeaders> headers{};
  size_t count = 0;
  for (const auto& [key, value] : message.headers) {
    if (count == headers.size()) return fail(Code::kInternal, "too many headers");
    headers[count++] = entry(key.c_str(), value);
  }
  const std::string id = std::to_string(tag);
  const std::string expiration = std::to_string(message.expires_in.count());
  amqp_basic_properties_t properties{};
  properties._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG |
                      AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_TIMESTAMP_FLAG |
                      AMQP_BASIC_HEADERS_FLAG;
  properties.content_type = ::amqp_cstring_bytes("application/json");
  properties.delivery_mode =
      message.fleeting ? AMQP_DELIVERY_NONPERSISTENT : AMQP_DELIVERY_PERSISTENT;
  properties.message_id = to_amqp(id);
  properties.timestamp = static_cast<uint64_t>(system_clock().now_s());
  properties.headers = {static_cast<int>(count), headers.data()};
  if (message.expires_in.count() > 0) {
    properties._flags |= AMQP_BASIC_EXPIRATION_FLAG;
    properties.expiration = to_amqp(expiration);
  }
  return sent(::amqp_basic_publish(library(), kWorkChannel, to_amqp(message.exchange),
                                   to_amqp(message.routing_key),
                                   /*mandatory=*/message.fleeting ? 0 : 1,
                                   /*immediate=*/0, &properties, to_amqp(message.body)));
}

Result<void> Connection::acknowledge(uint64_t delivery_tag) {
  return sent(::amqp_basic_ack(library(), kWorkChannel, delivery_tag, /*multiple=*/0));
}

void Connection::close(milliseconds limit) {
  if (limit_answers(limit)) ::amqp_connection_close(library(), AMQP_REPLY_SUCCESS);
}

Result<void> Connection::sent(int status) {
  if (status >= AMQP_STATUS_OK) return {};
  return std::unexpected(status_error(status));
}

Result<void> Connection::answer(amqp_channel_t channel) {
  const amqp_rpc_reply_t reply = ::amqp_get_rpc_reply(library());
  if (reply.reply_type == AMQP_RESPONSE_NORMAL) return {};
  if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION)
    return std::unexpected(closed_by_broker(reply.reply, channel));
  return sent(reply.library_error);
}

Error Connection::closed_by_broker(const amqp_method_t& method, amqp_channel_t channel) {
  Error error = close_error(method);
  if (method.id == AMQP_CHANNEL_CLOSE_METHOD) {
    amqp_channel_close_ok_t ok{};
    ::amqp_send_method(library(), channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok);
  } else {
    amqp_connection_close_ok_t ok{};
    ::amqp_send_method(library(), 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok);
  }
  return error;
}

}  // namespace manman::rabbitmq
