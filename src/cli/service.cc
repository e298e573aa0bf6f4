#include "cli/output.h"
#include "cli/s3_settings.h"
#include "cli/service_options.h"
#include "cli/verbs.h"

namespace manman::cli {
namespace {

void add_listening(Command& command, ServiceOptions& options) {
  command.add("--grpc", options.grpc, "Where gRPC listens; port 0: any free one")
      .variable("API_ADDRESS")
      .value("HOST:PORT");
  command.add("--grpc-cert", options.grpc_tls.certificate, "gRPC by TLS: the certificate (PEM)")
      .variable("GRPC_TLS_CERT")
      .value("FILE");
  command.add("--grpc-key", options.grpc_tls.key, "Its key (PEM)")
      .variable("GRPC_TLS_KEY")
      .value("FILE");
  command
      .add("--grpc-client-ca", options.grpc_tls.ca, "Take only clients certified by this CA (PEM)")
      .variable("GRPC_TLS_CLIENT_CA")
      .value("FILE");
  command.add("--http", options.http, "Where HTTP listens: /healthz, /readyz").value("HOST:PORT");
}

void add_db(Command& command, ServiceOptions& options, const std::string& otherwise) {
  command.add("--db", options.db, "Database: postgres://USER@HOST/NAME or sqlite:PATH" + otherwise)
      .variable("PG_DATABASE_URL")
      .value("URL");
}

void add_bus(Command& command, ServiceOptions& options, const std::string& otherwise) {
  command
      .add("--bus", options.bus, "RabbitMQ: amqp://USER@HOST/VHOST, amqps:// for TLS" + otherwise)
      .variable("RABBITMQ_URL")
      .value("URL");
  command.add("--bus-ca", options.bus_ca, "Certificates to trust (PEM) for amqps://")
      .variable("RABBITMQ_CA_FILE")
      .value("FILE");
}

void add_store(Command& command, ServiceOptions& options, const std::string& otherwise) {
  command.add("--store", options.store, "Archives: s3://BUCKET or a folder" + otherwise)
      .value("URL");
  command.add("--bucket", options.bucket, "What a folder is called in s3://BUCKET/…")
      .variable("S3_BUCKET")
      .value("NAME");
  add_s3_settings(command, options.s3);
}

void add_host_settings(Command& command, ServiceOptions& options, const std::string& data_dir) {
  command
      .add("--server-name", options.server_name,
           "Name that this machine is registered by; none: its own")
      .variable("SERVER_NAME")
      .value("NAME");
  command.add("--environment", options.environment, "Environment that it belongs to")
      .variable("ENVIRONMENT")
      .value("NAME");
  command.add("--data-dir", options.data_dir, "Folder of the game servers' data" + data_dir)
      .variable("DATA_DIR")
      .value("DIR");
  command
      .add("--max-pause-seconds", options.max_pause_seconds,
           "For how long a game holds still for its backup at the most; the rest is read live")
      .range(1, 24 * 3600)
      .value("SECONDS");
  command
      .add("--keep-replaced-hours", options.keep_replaced_hours,
           "How long data that a restore replaced is kept")
      .range(0, 24 * 3650)
      .value("HOURS");
  command
      .add("--keep-sessions", options.keep_sessions,
           "Of how many ended sessions of an SGC output.log and the like are kept")
      .range(0, 1000000)
      .value("N");
  command.add("--keep-session-days", options.keep_session_days, "How long at most they are kept")
      .range(0, 36500)
      .value("DAYS");
  command
      .add("--max-output-mib", options.max_output_mib,
           "How much of a running game's output.log is kept on disk")
      .range(1, 1 << 20)
      .value("MIB");
  command.add("--threads", options.threads, "Threads for archives; 0: one for each core")
      .range(0, 256)
      .value("N");
}

void add_backup_manners(Command& command, ServiceOptions& options) {
  command
      .add("--backup-priority", options.backup_priority,
           "low: backups give way to the games, by idle I/O class, low CPU weight and a page cache "
           "left as it was")
      .one_of({"low", "normal"});
  command
      .add("--backup-bandwidth-kib", options.backup_bandwidth_kib,
           "How fast at most all backups together are sent, in KiB a second; 0: no limit. A "
           "quiesced game waits until all is read")
      .value("KIB")
      .range(0, UINT32_MAX);
  command
      .add("--backup-read-rate-kib", options.backup_read_rate_kib,
           "How fast at most all backups together read, in KiB a second; 0: no limit")
      .value("KIB")
      .range(0, UINT32_MAX);
}

void add_docker(Command& command, ServiceOptions& options) {
  command
      .add("--docker-socket", options.docker_socket,
           "Socket of the Docker Engine that runs configs with an image; '': none does")
      .variable("DOCKER_SOCKET")
      .value("PATH");
  command
      .add("--docker-network", options.docker_network,
           "Network mode of the containers; with host or none no ports are published")
      .value("NAME");
  command
      .add("--orphan-grace-seconds", options.orphan_grace_seconds,
           "How long a container that no session needs is left")
      .range(1, 30 * 86400)
      .value("SECONDS");
}

void add_lease(Command& command, ServiceOptions& options) {
  command.add("--lease-seconds", options.lease_seconds, "A host silent for so long loses its job")
      .range(2, 86400)
      .value("SECONDS");
}

void add_profiles(Command& command, ServiceOptions& options) {
  command
      .add("--profiles", options.profiles,
           "Folder with game profiles of one's own (NAME.json), which win over the built-in ones")
      .value("DIR");
}

void add_api_limits(Command& command, ServiceOptions& options) {
  command
      .add("--max-verifications", options.max_verifications,
           "How many archives 'backup verify' checks at a time")
      .range(1, 64)
      .value("N");
  command
      .add("--keep-events-days", options.keep_events_days,
           "How long the log of events is kept ('manman events')")
      .range(1, 36500)
      .value("N");
  command.add_flag("--webhook-allow-local", options.webhook_allow_local,
                   "Webhooks may be sent to loopback and link-local addresses");
  command
      .add("--webhook-ca", options.webhook_ca,
           "Certificates (PEM) to trust of the receivers of webhooks, instead of the system's")
      .value("FILE");
  command
      .add("--verify-after-upload", options.verify_after_upload,
           "How a new backup is verified where it is stored: head (it is there, in its size), full "
           "(all of it is read), or not")
      .one_of({"none", "head", "full"});
  command
      .add("--verify-every-days", options.verify_every_days,
           "Read all of a backup again so long after it was looked at last; 0: never")
      .range(0, 36500)
      .value("N");
  command
      .add("--verify-bandwidth-kib", options.verify_bandwidth_kib,
           "How fast at most these two read backups, in KiB a second; 0: no limit")
      .range(0, UINT32_MAX)
      .value("KIB");
}

void add_log_level(Command& command, ServiceOptions& options) {
  command.add("--log-level", options.log_level, "What is logged, to standard error")
      .one_of({"debug", "info", "warn", "error"});
}

void run(Command& command, Context& context, Role role, std::shared_ptr<ServiceOptions> options,
         const std::function<int(const ServiceOptions&)>& program) {
  command.on_run(context, [&context, role, options, &program]() -> Result<int> {
    options->api = context.globals.api;
    options->api_tls = context.globals.api_tls;
    return program(TRY(complete(role, *options)));
  });
}

}  // namespace

void add_serve(Command& app, Context& context, const Programs& programs) {
  Command command =
      app.command("serve", "Run the service: API and host manager of this machine in one process",
                  {"manman serve --state /var/lib/manman",
                   "manman serve --state .manman --grpc 127.0.0.1:50052 --http 127.0.0.1:8081",
                   "manman serve --state /var/lib/manman --store s3://backups"});
  auto options = std::make_shared<ServiceOptions>();
  command.add("--state", options->state, "Folder of all that it keeps").value("DIR");
  add_listening(command, *options);
  add_store(command, *options, "; none: STATE/store");
  add_db(command, *options, "; none: sqlite:STATE/manman.db");
  add_bus(command, *options, "; none: within the process");
  add_host_settings(command, *options, "; none: STATE/data");
  add_backup_manners(command, *options);
  add_docker(command, *options);
  add_profiles(command, *options);
  add_api_limits(command, *options);
  add_lease(command, *options);
  add_log_level(command, *options);
  run(command, context, Role::kServe, options, programs.serve);
}

void add_api(Command& app, Context& context, const Programs& programs) {
  Command command = app.command(
      "api", "Run the API alone; several may run on one database",
      {"PG_DATABASE_URL=postgres://manman@db/manman RABBITMQ_URL=amqp://manman@mq/manman \\\n"
       "    manman api --store s3://backups --grpc 10.0.0.5:50051"});
  auto options = std::make_shared<ServiceOptions>();
  add_listening(command, *options);
  add_store(command, *options, "");
  add_db(command, *options, "");
  add_bus(command, *options, "");
  add_profiles(command, *options);
  add_api_limits(command, *options);
  add_lease(command, *options);
  add_log_level(command, *options);
  run(command, context, Role::kApi, options, programs.api);
}

void add_host(Command& app, Context& context, const Programs& programs) {
  Command command = app.command(
      "host", "Run the host manager of this machine; its API is elsewhere",
      {"RABBITMQ_URL=amqp://manman@mq/manman \\\n"
       "    manman host --api 10.0.0.5:50051 --store s3://backups --data-dir /srv/games"});
  auto options = std::make_shared<ServiceOptions>();
  options->data_dir = "/var/lib/manman/data";
  options->http = "";
  command
      .add("--http", options->http,
           "Address for /healthz and /metrics, such as 127.0.0.1:9464; port 0: any free one. None: "
           "it doesn't listen")
      .value("HOST:PORT");
  add_store(command, *options, "");
  add_bus(command, *options, "");
  add_host_settings(command, *options, "");
  add_backup_manners(command, *options);
  add_docker(command, *options);
  add_lease(command, *options);
  add_log_level(command, *options);
  run(command, context, Role::kHost, options, programs.host);
}

void add_migrate(Command& app, Context& context, const Programs& programs) {
  Command command = app.command("migrate", "Bring the database's schema to this program's version",
                                {"manman migrate --db postgres://manman@db/manman"});
  auto options = std::make_shared<ServiceOptions>();
  add_db(command, *options, "");
  add_log_level(command, *options);
  run(command, context, Role::kMigrate, options, programs.migrate);
}

}  // namespace manman::cli
