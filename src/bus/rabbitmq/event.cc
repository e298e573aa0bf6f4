#include "bus/rabbitmq/event.h"

#include <algorithm>
#include <charconv>

namespace manman::rabbitmq {
namespace {

std::unexpected<Error> out_of_order(const char* what) {
  return fail(Code::kUnavailable, std::string("the broker sent ") + what + " out of order");
}

uint64_t tag_of(const amqp_basic_properties_t& properties) {
  if ((properties._flags & AMQP_BASIC_MESSAGE_ID_FLAG) == 0) return 0;
  const std::string text = to_string(properties.message_id);
  uint64_t tag = 0;
  std::from_chars(text.data(), text.data() + text.size(), tag);
  return tag;
}

}  // namespace

std::string to_string(amqp_bytes_t bytes) {
  return bytes.len == 0 ? std::string()
                        : std::string(static_cast<const char*>(bytes.bytes), bytes.len);
}

amqp_bytes_t to_amqp(std::string_view text) {
  return {.len = text.size(), .bytes = const_cast<char*>(text.data())};
}

Result<std::optional<Event>> EventReader::read(const amqp_frame_t& frame) {
  switch (frame.frame_type) {
    case AMQP_FRAME_METHOD:
      return read_method(frame.payload.method);
    case AMQP_FRAME_HEADER:
      return read_header(frame);
    case AMQP_FRAME_BODY:
      return read_body(frame.payload.body_fragment);
    default:
      return std::nullopt;
  }
}

Result<std::optional<Event>> EventReader::read_method(const amqp_method_t& method) {
  switch (method.id) {
    case AMQP_BASIC_DELIVER_METHOD: {
      if (content_) return out_of_order("a delivery");
      const auto& deliver = *static_cast<const amqp_basic_deliver_t*>(method.decoded);
      content_ = Delivered{.tag = deliver.delivery_tag,
                           .message = {.routing_key = to_string(deliver.routing_key),
                                       .redelivered = deliver.redelivered != 0}};
      return std::nullopt;
    }
    case AMQP_BASIC_RETURN_METHOD:
      if (content_) return out_of_order("a returned message");
      content_ = Returned{};
      return std::nullopt;
    case AMQP_BASIC_ACK_METHOD: {
      const auto& ack = *static_cast<const amqp_basic_ack_t*>(method.decoded);
      return Confirmed{.tag = ack.delivery_tag, .up_to = ack.multiple != 0};
    }
    case AMQP_BASIC_NACK_METHOD: {
      const auto& nack = *static_cast<const amqp_basic_nack_t*>(method.decoded);
      return Confirmed{.tag = nack.delivery_tag, .up_to = nack.multiple != 0, .taken = false};
    }
    case AMQP_BASIC_CANCEL_METHOD:
      return fail(Code::kUnavailable,
                  "the broker ended the consumer: its queue was deleted or moved");
    case AMQP_CONNECTION_BLOCKED_METHOD:
      return Blocked{
          to_string(static_cast<const amqp_connection_blocked_t*>(method.decoded)->reason)};
    case AMQP_CONNECTION_UNBLOCKED_METHOD:
      return Unblocked{};
    default:
      return std::nullopt;
  }
}

Result<std::optional<Event>> EventReader::read_header(const amqp_frame_t& frame) {
  if (!content_ || missing_bytes_) return out_of_order("a header");
  missing_bytes_ = frame.payload.properties.body_size;
  if (auto* delivered = std::get_if<Delivered>(&*content_))
    delivered->body_bytes = *missing_bytes_;
  else
    std::get<Returned>(*content_).tag =
        tag_of(*static_cast<const amqp_basic_properties_t*>(frame.payload.properties.decoded));
  return completed();
}

Result<std::optional<Event>> EventReader::read_body(amqp_bytes_t fragment) {
  if (!missing_bytes_ || fragment.len > *missing_bytes_) return out_of_order("a body");
  *missing_bytes_ -= fragment.len;
  if (auto* delivered = std::get_if<Delivered>(&*content_)) {
    std::string& body = delivered->message.body;
    body.append(static_cast<const char*>(fragment.bytes),
                std::min(fragment.len, max_body_bytes_ - body.size()));
  }
  return completed();
}

std::optional<Event> EventReader::completed() {
  if (*missing_bytes_ != 0) return std::nullopt;
  missing_bytes_.reset();
  auto content = std::exchange(content_, std::nullopt);
  return std::visit([](auto&& whole) -> Event { return std::move(whole); }, std::move(*content));
}

}  // namespace manman::rabbitmq
