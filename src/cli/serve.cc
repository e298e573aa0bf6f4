#include "cli/output.h"
#include "cli/serve_options.h"
#include "cli/verbs.h"

namespace manman::cli {
namespace {

void add_places(Command& command, ServeOptions& options) {
  command.add("--state", options.state, "Folder of all that it keeps").value("DIR");
  command.add("--grpc", options.grpc, "Where gRPC listens; port 0: any free one")
      .variable("API_ADDRESS")
      .value("HOST:PORT");
  command.add("--http", options.http, "Where HTTP listens: /healthz, /readyz").value("HOST:PORT");
  command.add("--store", options.store, "Folder of the archives; none: STATE/store").value("DIR");
  command.add("--bucket", options.bucket, "Bucket of the store, as in s3://BUCKET/…")
      .variable("S3_BUCKET")
      .value("NAME");
  command.add("--db", options.db, "Database; none: sqlite:STATE/manman.db")
      .variable("PG_DATABASE_URL")
      .value("sqlite:PATH");
  command.add("--bus", options.bus, "Bus; none: within the process")
      .variable("RABBITMQ_URL")
      .value("URL");
}

void add_host(Command& command, ServeOptions& options) {
  command
      .add("--server-name", options.server_name,
           "Name that this machine is registered by; none: its own")
      .variable("SERVER_NAME")
      .value("NAME");
  command.add("--environment", options.environment, "Environment that it belongs to")
      .variable("ENVIRONMENT")
      .value("NAME");
  command.add("--data-dir", options.data_dir, "Folder of the game servers' data; none: STATE/data")
      .variable("DATA_DIR")
      .value("DIR");
  command
      .add("--keep-replaced-hours", options.keep_replaced_hours,
           "How long data that a restore replaced is kept")
      .range(0, 24 * 3650)
      .value("HOURS");
}

void add_docker(Command& command, ServeOptions& options) {
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

void add_tuning(Command& command, ServeOptions& options) {
  command.add("--lease-seconds", options.lease_seconds, "A host silent for so long loses its job")
      .range(2, 86400)
      .value("SECONDS");
  command.add("--threads", options.threads, "Threads for archives; 0: one for each core")
      .range(0, 256)
      .value("N");
  command.add("--log-level", options.log_level, "What is logged, to standard error")
      .one_of({"debug", "info", "warn", "error"});
}

}  // namespace

void add_serve(Command& app, Context& context, const Programs& programs) {
  Command command =
      app.command("serve", "Run the service: API and host manager of this machine in one process",
                  {"manman serve --state /var/lib/manman",
                   "manman serve --state .manman --grpc 127.0.0.1:50052 --http 127.0.0.1:8081"});
  auto options = std::make_shared<ServeOptions>();
  add_places(command, *options);
  add_host(command, *options);
  add_docker(command, *options);
  add_tuning(command, *options);
  command.on_run(context, [options, &programs]() -> Result<int> {
    return programs.serve(TRY(complete(*options)));
  });
}

}  // namespace manman::cli
