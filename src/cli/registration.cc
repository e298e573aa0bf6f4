#include "cli/registration.h"

#include <sys/sysinfo.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "base/failpoint.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/client.h"

namespace manman::cli {
namespace {

constexpr std::chrono::seconds kCallTimeout{10};

// {data_dir}/server.json: what the API said last.
class Remembered {
 public:
  explicit Remembered(const ServiceOptions& options)
      : options_(options), path_(options.data_dir / "server.json") {}

  // Nothing when this machine was never registered by this name. A damaged file is as good as none.
  std::optional<int64_t> id() const {
    const auto text = read_file(path_);
    if (!text) return std::nullopt;
    const auto json = nlohmann::json::parse(*text, nullptr, false);
    if (!json.is_object() || json.value("name", "") != options_.server_name ||
        json.value("environment", "") != options_.environment)
      return std::nullopt;
    const int64_t id = json.value("server_id", int64_t{0});
    return id > 0 ? std::optional(id) : std::nullopt;
  }

  Result<void> keep(int64_t id) const {
    const nlohmann::json json = {
        {"server_id", id}, {"name", options_.server_name}, {"environment", options_.environment}};
    return write_file_durably(path_, json.dump() + "\n");
  }

 private:
  const ServiceOptions& options_;
  const std::filesystem::path path_;
};

v1::RegisterServerRequest request_of(const ServiceOptions& options) {
  v1::RegisterServerRequest request;
  request.set_name(options.server_name);
  request.set_environment(options.environment);
  v1::ServerCapabilities& machine = *request.mutable_capabilities();
  machine.set_cpu_cores(static_cast<int32_t>(std::thread::hardware_concurrency()));
  struct sysinfo memory{};
  if (::sysinfo(&memory) == 0) {
    const auto mib = [&](uint64_t count) {
      return static_cast<int32_t>(count * memory.mem_unit >> 20);
    };
    machine.set_total_memory_mb(mib(memory.totalram));
    machine.set_available_memory_mb(mib(memory.freeram));
  }
  return request;
}

}  // namespace

std::optional<int64_t> remembered_server(const ServiceOptions& options) {
  return Remembered(options).id();
}

Result<void> remember_server(const ServiceOptions& options, int64_t server_id) {
  const Remembered remembered(options);
  if (remembered.id() == server_id) return {};
  TRY(failpoint::pass("host.registered"));
  return in("remember the server's id", remembered.keep(server_id));
}

Result<int64_t> register_server(const ServiceOptions& options) {
  const auto client = TRY(Client::create(options.api, options.api_tls, kCallTimeout));
  const auto answer = client->call(request_of(options));
  if (answer) {
    TRY(remember_server(options, answer->server_id()));
    return answer->server_id();
  }
  const auto known = remembered_server(options);
  if (!answer.error().retryable || !known)
    return std::unexpected(answer.error().in("register this server"));
  log_warn({.server_id = *known}, "the API is away; going on as the server that it knew: {}",
           answer.error().message);
  return *known;
}

}  // namespace manman::cli
