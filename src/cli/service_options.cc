#include "cli/service_options.h"

#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <initializer_list>

#include "cli/address.h"

namespace manman::cli {
namespace {
namespace fs = std::filesystem;

std::unexpected<Error> bad(const std::string& setting, const std::string& value,
                           const std::string& wanted) {
  return fail(Code::kInvalidArgument, setting + ": '" + value + "' is not supported; " + wanted);
}

// Store URLs may hold a password.
std::string without_password(const std::string& url) {
  const size_t scheme = url.find("://");
  const size_t at = url.rfind('@');
  if (scheme == std::string::npos || at == std::string::npos || at < scheme) return url;
  return url.substr(0, scheme + 3) + "…" + url.substr(at);
}

bool plain_name(const std::string& text) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  return !text.empty() && text.size() <= 64 && text.front() != '.' &&
         text.find_first_not_of(kAllowed) == std::string::npos;
}

Result<std::string> machine_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0)
    return fail_errno("read the machine's name", errno);
  return std::string(name.data());
}

constexpr std::string_view kS3 = "s3://";

std::unexpected<Error> needed(const std::string& setting, const std::string& wanted) {
  return fail(Code::kInvalidArgument, setting + " is needed: " + wanted);
}

bool has_scheme(const std::string& url, std::initializer_list<std::string_view> schemes) {
  return std::ranges::any_of(schemes, [&](std::string_view scheme) {
    return url.starts_with(scheme) && url.size() > scheme.size();
  });
}

Result<void> complete_db(Role role, ServiceOptions& options) {
  constexpr const char* kSetting = "--db (PG_DATABASE_URL)";
  constexpr const char* kWanted = "it wants postgres://USER@HOST/NAME or sqlite:PATH";
  if (options.db.empty() && role == Role::kServe)
    options.db = "sqlite:" + (options.state / "manman.db").string();
  if (options.db.empty()) return needed(kSetting, kWanted);
  if (!has_scheme(options.db, {"sqlite:", "postgres://", "postgresql://"}))
    return bad(kSetting, without_password(options.db), kWanted);
  return {};
}

Result<void> complete_bus(Role role, ServiceOptions& options) {
  constexpr const char* kSetting = "--bus (RABBITMQ_URL)";
  constexpr const char* kWanted = "it wants amqp://USER@HOST/VHOST, or amqps:// for TLS";
  if (options.bus.empty() && role != Role::kServe) return needed(kSetting, kWanted);
  if (!options.bus.empty() && !has_scheme(options.bus, {"amqp://", "amqps://"}))
    return bad(kSetting, without_password(options.bus), kWanted);
  return {};
}

Result<void> complete_store(Role role, ServiceOptions& options, const std::filesystem::path& here) {
  constexpr const char* kWanted = "it wants s3://BUCKET, or the path of a folder";
  if (options.store.empty() && role != Role::kServe) return needed("--store", kWanted);
  if (options.store.empty()) options.store = (options.state / "store").string();
  if (options.store.starts_with(kS3)) {
    options.bucket = options.store.substr(kS3.size());
  } else if (options.store.find("://") != std::string::npos) {
    return bad("--store", without_password(options.store), kWanted);
  } else {
    options.store = (here / options.store).lexically_normal().string();
  }
  if (!plain_name(options.bucket))
    return bad(options.store.starts_with(kS3) ? "--store" : "--bucket (S3_BUCKET)", options.bucket,
               "of a bucket's name letters, digits, '.', '_' and '-' are");
  return {};
}

Result<void> complete_names(ServiceOptions& options) {
  if (options.server_name.empty()) options.server_name = TRY(machine_name());
  // It becomes a part of paths.
  if (!plain_name(options.environment))
    return bad("--environment (ENVIRONMENT)", options.environment,
               "letters, digits, '.', '_' and '-' are");
  if (options.server_name.empty())
    return fail(Code::kInvalidArgument,
                "--server-name (SERVER_NAME) is needed: the machine has none");
  return {};
}

// A path, or the same as a URL (unix://PATH).
Result<void> complete_docker(ServiceOptions& options) {
  constexpr std::string_view kScheme = "unix://";
  constexpr size_t kMaxSocketBytes = sizeof(sockaddr_un{}.sun_path) - 1;
  std::string& socket = options.docker_socket;
  const std::string setting = "--docker-socket (DOCKER_SOCKET)";
  if (socket.starts_with(kScheme)) socket.erase(0, kScheme.size());
  if (!socket.empty() && (socket.front() != '/' || socket.size() > kMaxSocketBytes))
    return bad(setting, socket, "it wants the absolute path of a unix socket, or nothing");
  if (options.docker_network.empty())
    return fail(Code::kInvalidArgument, "--docker-network: a network mode is needed, as bridge");
  return {};
}

}  // namespace

Result<ServiceOptions> complete(Role role, ServiceOptions options) {
  std::error_code error;
  const fs::path here = fs::current_path(error);
  if (error) return fail_errno("find the current folder", error.value());
  const auto place = [&](const fs::path& path) { return (here / path).lexically_normal(); };
  if (role == Role::kServe && options.state.empty())
    return fail(Code::kInvalidArgument, "--state: the path of a folder is needed");
  options.state = place(options.state);
  if (role != Role::kHost) TRY(complete_db(role, options));
  if (role == Role::kMigrate) return options;
  TRY(complete_bus(role, options));
  TRY(complete_store(role, options, here));
  if (role == Role::kHost) TRY(check_address(options.api, "--api (API_ADDRESS)", false));
  if (role == Role::kHost && !options.http.empty())
    TRY(check_address(options.http, "--http", true));
  if (role != Role::kHost) {
    TRY(check_address(options.grpc, "--grpc (API_ADDRESS)", true));
    TRY(check_address(options.http, "--http", true));
  }
  if (!options.profiles.empty()) options.profiles = place(options.profiles);
  if (!options.webhook_ca.empty()) options.webhook_ca = place(options.webhook_ca);
  if (role == Role::kApi) return options;
  options.data_dir = options.data_dir.empty() ? options.state / "data" : place(options.data_dir);
  TRY(complete_names(options));
  TRY(complete_docker(options));
  return options;
}

}  // namespace manman::cli
