#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "domain/event.h"

namespace manman {

// A row of `webhooks`: an HTTP receiver that is told of events.
struct Webhook {
  int64_t webhook_id = 0;
  std::string name;
  std::string url;
  std::string secret;  // "whsec_" and base64 of 24 to 64 bytes
  std::vector<EventKind> kinds;
  bool paused = false;
  int64_t created_at = 0;   // Unix seconds
  int failures = 0;         // one after the other, of a receiver that is away
  std::string last_error;   // of the last attempt; "" when that was good
  int64_t retry_at_ms = 0;  // a receiver that was away is not asked before
  int64_t lease_until_ms = 0;
};

// The key in a secret; kInvalidArgument when it is none, naming the field "secret".
Result<std::string> webhook_key(std::string_view secret);
// A secret made of 32 random bytes.
std::string new_webhook_secret();

enum class DeliveryStatus { kWaiting, kDelivered, kGivenUp };
// As stored and on the wire: "waiting", "delivered", "given up".
std::string_view to_text(DeliveryStatus status);
std::optional<DeliveryStatus> delivery_status_from(std::string_view text);

// A row of `webhook_deliveries`: one event that one webhook is told of.
struct WebhookDelivery {
  int64_t delivery_id = 0;
  int64_t webhook_id = 0;
  int64_t event_id = 0;
  DeliveryStatus status = DeliveryStatus::kWaiting;
  int attempts = 0;
  int64_t created_at_ms = 0;
  int64_t next_attempt_ms = 0;  // while it waits
  int64_t ended_at = 0;         // Unix seconds
  std::string last_error;
};

// The headers of Standard Webhooks 1.0 (webhook-id, webhook-timestamp, webhook-signature): the last
// is "v1," and base64 of the HMAC-SHA-256 of "{id}.{unix_s}.{body}".
std::string webhook_signature(std::string_view key, std::string_view id, int64_t unix_s,
                              std::string_view body);

}  // namespace manman
