#pragma once

#include <amqp.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "bus/bus.h"

namespace manman::rabbitmq {

// What a broker tells without being asked.
struct Delivered {
  uint64_t tag = 0;
  Message message;
  uint64_t body_bytes = 0;  // more than message.body holds when it is above the limit
};
struct Returned {  // no queue takes it; its Confirmed follows
  uint64_t tag = 0;
};
struct Confirmed {
  uint64_t tag = 0;
  bool up_to = false;  // all tags up to this one
  bool taken = true;
};
struct Blocked {  // the broker takes no messages for now
  std::string reason;
};
struct Unblocked {};
using Event = std::variant<Delivered, Returned, Confirmed, Blocked, Unblocked>;

std::string to_string(amqp_bytes_t bytes);
// Not copied.
amqp_bytes_t to_amqp(std::string_view text);

// Puts frames of one channel together to events. Copies what it keeps.
class EventReader {
 public:
  explicit EventReader(size_t max_body_bytes) : max_body_bytes_(max_body_bytes) {}

  // An event that this frame completes. An error for frames out of order, and for a consumer that
  // the broker has ended.
  Result<std::optional<Event>> read(const amqp_frame_t& frame);

 private:
  Result<std::optional<Event>> read_method(const amqp_method_t& method);
  Result<std::optional<Event>> read_header(const amqp_frame_t& frame);
  Result<std::optional<Event>> read_body(amqp_bytes_t fragment);
  std::optional<Event> completed();

  size_t max_body_bytes_;
  // The message whose frames are coming in.
  std::optional<std::variant<Delivered, Returned>> content_;
  std::optional<uint64_t> missing_bytes_;  // of its body, once its header is here
};

}  // namespace manman::rabbitmq
