// One call of an S3 store, for tests that play the server:
//   s3_driver put KEY SIZE SEED | get KEY OFFSET SIZE | head KEY | list PREFIX | remove KEY |
//             abort KEY | sweep PREFIX SECONDS
// The server is named as to s3_conformance. What came of it is printed: SHA-256 of what was read,
// keys, a count; or "error CODE retryable|final: message", and 1 is the exit code.

#include <fmt/core.h>

#include <cstdlib>
#include <random>

#include "base/file.h"
#include "base/sha256.h"
#include "store/s3/s3_store.h"

namespace manman {
namespace {

std::string variable(const char* name, const char* otherwise = "") {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

S3Config settings() {
  S3Config config;
  config.endpoint = variable("S3_ENDPOINT");
  config.access_key = variable("S3_ACCESS_KEY");
  config.secret_key = variable("S3_SECRET_KEY");
  config.session_token = variable("S3_SESSION_TOKEN");
  config.region = variable("S3_REGION");
  config.bucket = variable("S3_BUCKET");
  config.ca_file = variable("S3_CA_FILE");
  config.path_style = variable("S3_TEST_VIRTUAL_HOST").empty();
  config.part_bytes = 5U << 20;
  config.stall_timeout = std::chrono::seconds(std::stoi(variable("S3_TEST_STALL", "30")));
  config.retry_for = std::chrono::seconds(std::stoi(variable("S3_TEST_RETRY", "60")));
  config.open_retry_for = config.retry_for;
  return config;
}

std::string random_bytes(size_t size, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

Result<void> put(Store& store, const std::string& key, const std::string& bytes) {
  const auto upload = TRY(store.put(key, bytes.size()));
  for (size_t offset = 0; offset < bytes.size(); offset += 1 << 20)
    TRY(upload->write(as_bytes(std::string_view(bytes).substr(offset, 1 << 20))));
  const ObjectInfo stored = TRY(upload->commit());
  fmt::print("{} {}\n", stored.size_bytes, to_hex(Sha256::of(as_bytes(bytes))));
  return {};
}

Result<void> get(Store& store, const std::string& key, uint64_t offset, size_t size) {
  std::string bytes(size, '\0');
  TRY(store.get(key, offset, std::as_writable_bytes(std::span(bytes))));
  fmt::print("{}\n", to_hex(Sha256::of(as_bytes(bytes))));
  return {};
}

Result<void> run(const std::vector<std::string>& words) {
  const auto store = TRY(open_s3_store(settings()));
  const std::string& call = words.at(0);
  const std::string& key = words.at(1);
  if (call == "put") return put(*store, key, random_bytes(stoul(words.at(2)), stoul(words.at(3))));
  if (call == "get") return get(*store, key, stoul(words.at(2)), stoul(words.at(3)));
  if (call == "remove") return store->remove(key);
  if (call == "abort") return store->abort_uploads(key);
  if (call == "head") fmt::print("{}\n", TRY(store->head(key)).size_bytes);
  if (call == "sweep")
    fmt::print("{}\n", TRY(store->sweep_uploads(key, std::chrono::seconds(stoi(words.at(2))))));
  if (call == "list")
    return store->list(key, [](const ObjectInfo& object) {
      fmt::print("{}\n", object.key);
      return true;
    });
  return {};
}

}  // namespace
}  // namespace manman

int main(int argc, char** argv) {
  const auto done = manman::run({argv + 1, argv + argc});
  if (done) return 0;
  fmt::print("error {} {}: {}\n", manman::code_name(done.error().code),
             done.error().retryable ? "retryable" : "final", done.error().message);
  return 1;
}
