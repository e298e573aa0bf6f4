#include "cli/serve_options.h"

#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>

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

Result<void> check_parts(const ServeOptions& options) {
  if (options.store.find("://") != std::string::npos)
    return bad("--store", without_password(options.store), "it wants the path of a folder");
  if (!options.db.starts_with("sqlite:") || options.db.size() == std::string("sqlite:").size())
    return bad("--db (PG_DATABASE_URL)", without_password(options.db), "it wants sqlite:PATH");
  if (!options.bus.empty())
    return bad("--bus (RABBITMQ_URL)", without_password(options.bus),
               "only the bus within the process is; leave it empty");
  return {};
}

Result<void> check_names(const ServeOptions& options) {
  // Both become parts of paths.
  if (!plain_name(options.bucket))
    return bad("--bucket (S3_BUCKET)", options.bucket, "letters, digits, '.', '_' and '-' are");
  if (!plain_name(options.environment))
    return bad("--environment (ENVIRONMENT)", options.environment,
               "letters, digits, '.', '_' and '-' are");
  if (options.server_name.empty())
    return fail(Code::kInvalidArgument,
                "--server-name (SERVER_NAME) is needed: the machine has none");
  return {};
}

// A path, or the same as a URL (unix://PATH).
Result<void> complete_docker(ServeOptions& options) {
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

Result<ServeOptions> complete(ServeOptions options) {
  std::error_code error;
  if (options.state.empty())
    return fail(Code::kInvalidArgument, "--state: the path of a folder is needed");
  const fs::path here = fs::current_path(error);
  if (error) return fail_errno("find the current folder", error.value());
  const auto place = [&](const fs::path& path) { return (here / path).lexically_normal(); };
  options.state = place(options.state);
  options.store = options.store.empty() ? (options.state / "store").string() : options.store;
  options.db = options.db.empty() ? "sqlite:" + (options.state / "manman.db").string() : options.db;
  options.data_dir = options.data_dir.empty() ? options.state / "data" : place(options.data_dir);
  if (options.server_name.empty()) options.server_name = TRY(machine_name());
  TRY(check_address(options.grpc, "--grpc (API_ADDRESS)", true));
  TRY(check_address(options.http, "--http", true));
  TRY(check_parts(options));
  TRY(check_names(options));
  TRY(complete_docker(options));
  options.store = place(options.store).string();
  return options;
}

}  // namespace manman::cli
