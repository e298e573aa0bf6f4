#include "domain/webhook.h"

#include <array>
#include <random>

#include "base/file.h"
#include "base/sha256.h"
#include "domain/base64.h"
#include "domain/field_checks.h"

namespace manman {
namespace {

constexpr std::string_view kPrefix = "whsec_";
// As Standard Webhooks wants them.
constexpr size_t kMinKeyBytes = 24;
constexpr size_t kMaxKeyBytes = 64;

constexpr std::pair<DeliveryStatus, std::string_view> kStatuses[] = {
    {DeliveryStatus::kWaiting, "waiting"},
    {DeliveryStatus::kDelivered, "delivered"},
    {DeliveryStatus::kGivenUp, "given up"},
};

std::string_view chars(ConstBytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

Result<std::string> webhook_key(std::string_view secret) {
  const auto key =
      secret.starts_with(kPrefix) ? base64_decode(secret.substr(kPrefix.size())) : std::nullopt;
  if (!key || key->size() < kMinKeyBytes || key->size() > kMaxKeyBytes)
    return bad_field("secret", "must be whsec_ and the base64 of 24 to 64 bytes");
  return *key;
}

std::string new_webhook_secret() {
  std::random_device random;
  std::array<uint32_t, 8> numbers{};
  for (uint32_t& number : numbers) number = random();
  return std::string(kPrefix) + base64_encode(chars(std::as_bytes(std::span(numbers))));
}

std::string_view to_text(DeliveryStatus status) {
  for (const auto& [value, text] : kStatuses)
    if (value == status) return text;
  return "unknown";
}

std::optional<DeliveryStatus> delivery_status_from(std::string_view text) {
  for (const auto& [value, name] : kStatuses)
    if (name == text) return value;
  return std::nullopt;
}

std::string webhook_signature(std::string_view key, std::string_view id, int64_t unix_s,
                              std::string_view body) {
  std::string content(id);
  content += "." + std::to_string(unix_s) + ".";
  content += body;
  return "v1," + base64_encode(chars(hmac_sha256(as_bytes(key), as_bytes(content))));
}

}  // namespace manman
