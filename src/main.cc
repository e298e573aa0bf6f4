// Names the concrete parts of the service's processes and wires them.

#include <sys/resource.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <thread>

#include "api/control_plane.h"
#include "api/profiles.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/log.h"
#include "base/sync.h"
#include "bus/inprocess/inprocess_bus.h"
#include "bus/rabbitmq/rabbitmq_bus.h"
#include "cli/cli.h"
#include "cli/engine_wait.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/registration.h"
#include "cli/s3_bucket.h"
#include "cli/state_folder.h"
#include "db/database.h"
#include "game/quiesce/resume_guard.h"
#include "game/runtime/docker/docker_runtime.h"
#include "game/runtime/process/process_runtime.h"
#include "game/runtime/runtime_by_image.h"
#include "host/host_manager.h"
#include "http/http_server.h"
#include "http/metric_families.h"
#include "store/folder/folder_store.h"

namespace manman {
namespace {

constexpr std::chrono::seconds kStopLimit{15};
constexpr const char* kFileLimitVariable = "MANMAN_OPEN_FILES";

// Many connections and files at once need more than the usual 1,024 descriptors. Games get back
// what was there before (see run_wrapper): some can't cope with high ones.
void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  ::setenv(kFileLimitVariable, std::to_string(limit.rlim_cur).c_str(), 1);
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0)
    log_warn({}, "the limit of open files stays: {}", errno_error("setrlimit", errno).message);
}

void restore_file_limit() {
  const char* before = std::getenv(kFileLimitVariable);
  rlimit limit{};
  if (before == nullptr || ::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(std::strtoull(before, nullptr, 10), limit.rlim_max);
  if (limit.rlim_cur > 0) ::setrlimit(RLIMIT_NOFILE, &limit);
  ::unsetenv(kFileLimitVariable);
}

// Ends the process when stopping in order takes too long. Nothing is lost by that: what is not
// done stands in the journal and the database, as after a crash.
class StopLimit {
 public:
  StopLimit() : thread_([this](const std::stop_token& stop) { watch(stop); }) {}

 private:
  void watch(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (done_.wait_for(lock, stop, kStopLimit, [&] { return stop.stop_requested(); })) return;
    if (stop.stop_requested()) return;
    log_error({}, "did not stop within {} s; ending at once, the next start goes on from here",
              kStopLimit.count());
    ::_exit(cli::kFailed);
  }

  std::mutex mutex_;
  std::condition_variable_any done_;
  std::jthread thread_;
};

Result<std::filesystem::path> own_program() {
  std::error_code error;
  auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return fail_errno("read /proc/self/exe", error.value());
  return path;
}

Result<api::ApiConfig> api_config(const cli::ServiceOptions& options) {
  api::ApiConfig config;
  config.profiles = TRY(in("--profiles", api::known_profiles(options.profiles)));
  config.grpc_address = options.grpc;
  config.grpc_tls = options.grpc_tls;
  config.http_address = options.http;
  config.lease = std::chrono::seconds(options.lease_seconds);
  config.max_verifications = options.max_verifications;
  const std::string& after = options.verify_after_upload;
  config.verify.after_upload = verified_how_from(after).value_or(VerifiedHow::kNot);
  config.keep_events_days = options.keep_events_days;
  config.webhooks_to_local = options.webhook_allow_local;
  config.webhook_ca = options.webhook_ca;
  config.verify.every_days = options.verify_every_days;
  config.verify.bytes_per_second = uint64_t{options.verify_bandwidth_kib} << 10;
  return config;
}

host::HostConfig host_config(const cli::ServiceOptions& options, int64_t server_id,
                             const std::string& program) {
  host::HostConfig config;
  config.server_id = server_id;
  config.data_dir = options.data_dir;
  config.threads = options.threads;
  config.backups_give_way = options.backup_priority == "low";
  config.backup_bandwidth = uint64_t{options.backup_bandwidth_kib} << 10;
  config.backup_read_rate = uint64_t{options.backup_read_rate_kib} << 10;
  config.max_pause = std::chrono::seconds(options.max_pause_seconds);
  config.keep_replaced = std::chrono::hours(options.keep_replaced_hours);
  config.keep_sessions = options.keep_sessions;
  config.keep_sessions_for = std::chrono::hours(24 * options.keep_session_days);
  config.max_output_bytes = static_cast<uint64_t>(options.max_output_mib) << 20;
  // A lease must outlast some reports that get lost.
  config.report_interval = std::min<std::chrono::milliseconds>(
      config.report_interval, std::chrono::seconds(options.lease_seconds) / 4);
  config.orphan_grace = std::chrono::seconds(options.orphan_grace_seconds);
  config.guard_program = {program,          "resume-guard",    "--data-dir",
                          options.data_dir, "--docker-socket", options.docker_socket};
  return config;
}

// While its server is away the caller tries again.
Result<std::unique_ptr<Store>> open_store(const cli::ServiceOptions& options) {
  if (options.store.starts_with("s3://"))
    return in("store " + options.store,
              cli::open_s3_bucket(options.bucket, options.s3, std::chrono::seconds(0)));
  return in("store", open_folder_store(options.store, options.bucket));
}

Result<std::unique_ptr<Bus>> open_bus(const cli::ServiceOptions& options,
                                      const std::string& client_name) {
  // The host acknowledges after one write to its journal; what waits longer comes again, and a stop
  // does not wait for it.
  if (options.bus.empty())
    return std::make_unique<InProcessBus>(
        InProcessBusOptions{.publish_timeout = std::chrono::seconds(3)});
  return open_rabbitmq_bus(
      {.url = options.bus, .ca_file = options.bus_ca, .client_name = client_name});
}

Result<std::unique_ptr<db::Database>> open_database(const cli::ServiceOptions& options) {
  auto database = TRY(db::Database::open(options.db));
  TRY(in("database", database->migrate()));
  return database;
}

// What the processes stand on. All of it may be away when they start.
struct Engines {
  std::unique_ptr<db::Database> database;
  std::unique_ptr<Store> store;
  std::unique_ptr<Bus> bus;

  cli::Engine open_database(const cli::ServiceOptions& options) {
    return engine("database", "--db (PG_DATABASE_URL)", database,
                  [&options] { return manman::open_database(options); });
  }
  cli::Engine open_store(const cli::ServiceOptions& options) {
    return engine("store", "--store and --s3-endpoint (S3_ENDPOINT)", store,
                  [&options] { return manman::open_store(options); });
  }
  cli::Engine open_bus(const cli::ServiceOptions& options, const std::string& client_name) {
    return engine("bus", "--bus (RABBITMQ_URL)", bus,
                  [&options, client_name] { return manman::open_bus(options, client_name); });
  }

 private:
  template <typename T, typename Open>
  static cli::Engine engine(std::string part, std::string setting, std::unique_ptr<T>& into,
                            Open open) {
    return {.part = std::move(part),
            .setting = std::move(setting),
            .open = [&into, open]() -> Result<void> {
              into = TRY(open());
              return {};
            }};
  }
};

Result<std::unique_ptr<Runtime>> make_runtime(const cli::ServiceOptions& options,
                                              int64_t server_id) {
  std::unique_ptr<Runtime> docker;
  if (!options.docker_socket.empty())
    docker = make_docker_runtime({.socket = options.docker_socket,
                                  .server_id = server_id,
                                  .data_dir = options.data_dir,
                                  .network = options.docker_network});
  return make_runtime_by_image(make_process_runtime(TRY(own_program())), std::move(docker));
}

// The host manager of this machine. Its games are looked after before anything else that the
// process does, and by what stands on this machine's disk alone.
class LocalHost {
 public:
  explicit LocalHost(const cli::ServiceOptions& options) : options_(options) {}

  // As the server that this machine was when it ran last.
  Result<void> adopt_as_remembered() {
    const auto server_id = cli::remembered_server(options_);
    return server_id ? adopt(*server_id) : Result<void>();
  }

  // Once the server's id is known for certain.
  Result<void> start(int64_t server_id, Bus& bus, Store& store) {
    if (server_id_ != server_id) TRY(adopt(server_id));
    return manager_->start(bus, store);
  }

  void stop() { manager_->stop(); }
  // "" until it has adopted what runs here. Any thread.
  std::string metrics() {
    auto told = told_.lock();
    return *told == nullptr ? std::string() : (*told)->metrics();
  }

 private:
  Result<void> adopt(int64_t server_id) {
    if (manager_)
      log_warn({.server_id = server_id}, "this machine was server {}; is it another database?",
               server_id_);
    *told_.lock() = nullptr;
    manager_.reset();
    server_id_ = server_id;
    runtime_ = TRY(make_runtime(options_, server_id));
    manager_ = std::make_unique<host::HostManager>(
        host_config(options_, server_id, TRY(own_program())), *runtime_);
    TRY(manager_->adopt());
    *told_.lock() = manager_.get();
    return {};
  }

  const cli::ServiceOptions& options_;
  int64_t server_id_ = 0;
  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<host::HostManager> manager_;
  Sync<host::HostManager*> told_{nullptr};  // whose metrics are told
};

// The bus may have gone again since it was opened. False: the user has interrupted.
Result<bool> start_on_bus(std::function<Result<void>()> start) {
  return cli::open_engines(
      {{.part = "bus", .setting = "--bus (RABBITMQ_URL)", .open = std::move(start)}},
      [](const auto&, const Error&) {});
}

// In the functions below all is ended by its destructor, in the opposite order.

Result<void> run_serve(const cli::ServiceOptions& options) {
  const cli::FolderLock state_lock = TRY(cli::FolderLock::take(options.state));
  const cli::FolderLock data_lock = TRY(cli::FolderLock::take(options.data_dir));
  Engines engines;
  LocalHost host(options);
  TRY(host.adopt_as_remembered());
  api::ControlPlane api(TRY(api_config(options)));
  TRY(api.listen());
  if (!TRY(
          cli::open_engines({engines.open_database(options), engines.open_store(options),
                             engines.open_bus(options, "manman serve " + options.server_name)},
                            [&](const auto& part, const Error& why) { api.waits_for(part, why); })))
    return {};

  const auto start_api = [&] { return api.start(*engines.database, *engines.bus, *engines.store); };
  if (!TRY(start_on_bus(start_api))) return {};
  const int64_t server_id = TRY(api.register_server(options.server_name, options.environment));
  TRY(cli::remember_server(options, server_id));
  const auto start_host = [&] { return host.start(server_id, *engines.bus, *engines.store); };
  if (!TRY(start_on_bus(start_host))) return {};
  api.add_metrics([&host] { return host.metrics(); });
  const auto endpoints =
      TRY(cli::EndpointsFile::write(options.state, api.grpc_address(), api.http_address()));
  // Where standard output is closed, endpoints.json says the same.
  (void)cli::print("manman is ready: grpc " + api.grpc_address() + " http " + api.http_address() +
                   "\n");

  cli::wait_for_interrupt();
  log_info({}, "stopping; running games go on");
  const StopLimit limit;
  api.add_metrics(nullptr);
  host.stop();
  api.stop();
  return {};
}

Result<void> run_api(const cli::ServiceOptions& options) {
  Engines engines;
  api::ControlPlane api(TRY(api_config(options)));
  TRY(api.listen());
  if (!TRY(
          cli::open_engines({engines.open_database(options), engines.open_store(options),
                             engines.open_bus(options, "manman api")},
                            [&](const auto& part, const Error& why) { api.waits_for(part, why); })))
    return {};

  const auto start_api = [&] { return api.start(*engines.database, *engines.bus, *engines.store); };
  if (!TRY(start_on_bus(start_api))) return {};
  (void)cli::print("manman api is ready: grpc " + api.grpc_address() + " http " +
                   api.http_address() + "\n");
  cli::wait_for_interrupt();
  log_info({}, "stopping");
  const StopLimit limit;
  api.stop();
  return {};
}

Result<void> run_host(const cli::ServiceOptions& options) {
  const cli::FolderLock data_lock = TRY(cli::FolderLock::take(options.data_dir));
  Engines engines;
  LocalHost host(options);
  TRY(host.adopt_as_remembered());
  HttpServer http({{"/healthz", [] { return HttpAnswer{.body = "ok\n"}; }},
                   {"/metrics", [&host] {
                      return metrics_page(metrics_text({build_info()}) + host.metrics());
                    }}});
  if (!options.http.empty()) TRY(http.start(options.http));
  int64_t server_id = 0;
  const auto register_server = [&]() -> Result<void> {
    server_id = TRY(cli::register_server(options));
    return {};
  };
  if (!TRY(cli::open_engines(
          {engines.open_store(options),
           engines.open_bus(options, "manman host " + options.server_name),
           {.part = "API", .setting = "--api (API_ADDRESS)", .open = register_server}},
          [](const auto&, const Error&) {})))
    return {};

  const auto start_host = [&] { return host.start(server_id, *engines.bus, *engines.store); };
  if (!TRY(start_on_bus(start_host))) return {};
  (void)cli::print("manman host is ready: server " + std::to_string(server_id) + " (" +
                   options.server_name + ")" +
                   (options.http.empty() ? "" : " http " + http.address()) + "\n");
  cli::wait_for_interrupt();
  log_info({.server_id = server_id}, "stopping; running games go on");
  const StopLimit limit;
  host.stop();
  return {};
}

Result<void> run_migrate(const cli::ServiceOptions& options) {
  const auto database = TRY(db::Database::open(options.db));
  const int before = TRY(in("database", database->schema_version()));
  TRY(in("database", database->migrate()));
  const int after = TRY(in("database", database->schema_version()));
  return cli::print(before == after ? "schema " + std::to_string(after) + ": nothing to do\n"
                                    : "schema " + std::to_string(before) + " -> " +
                                          std::to_string(after) + "\n");
}

// A process of the service from its start to its exit code.
auto program(Result<void> (*run)(const cli::ServiceOptions&)) {
  return [run](const cli::ServiceOptions& options) -> int {
    const cli::InterruptGuard guard;
    init_logging(options.log_level);
    raise_file_limit();
    auto done = failpoint::configure_from_environment();
    if (done) done = run(options);
    if (done) return cli::kOk;
    if (cli::interrupted()) return cli::interrupt_exit_code();
    cli::print_error({}, done.error());
    // kUnreachable is for those who call a service.
    const int code = cli::exit_code(done.error().code);
    return code == cli::kUnreachable || code == cli::kNotFound ? cli::kFailed : code;
  };
}

int run_guard(const cli::ServiceOptions& options) {
  init_logging(options.log_level);
  std::unique_ptr<Runtime> runtime;
  return run_resume_guard([&](const GuardedGame& guarded) -> Result<std::unique_ptr<Console>> {
    runtime = TRY(make_runtime(options, 0));
    return open_console(*runtime, guarded.game, guarded.rcon);
  });
}

Result<std::vector<ExamineRule>> examine_rules(const std::string& profile) {
  if (profile.ends_with(".json")) {
    const std::string text = TRY(read_file(profile));
    const Profile own = TRY(Profile::parse(profile, text));
    return own.handling.examine;
  }
  const Profiles profiles = api::built_in_profiles();
  const Profile* const found = TRY(profiles.find(profile));
  return found->handling.examine;
}

int run_wrapper(const std::filesystem::path& dir) {
  restore_file_limit();
  return run_game_wrapper(dir);
}

}  // namespace
}  // namespace manman

int main(int argc, char** argv) {
  return manman::cli::run(argc, argv,
                          {.serve = manman::program(manman::run_serve),
                           .api = manman::program(manman::run_api),
                           .host = manman::program(manman::run_host),
                           .migrate = manman::program(manman::run_migrate),
                           .game_wrapper = manman::run_wrapper,
                           .resume_guard = manman::run_guard,
                           .examine_rules = manman::examine_rules});
}
