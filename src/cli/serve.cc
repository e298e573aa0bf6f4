#include "cli/output.h"
#include "cli/serve_options.h"
#include "cli/verbs.h"

namespace manman::cli {
namespace {

void add_places(CLI::App* command, ServeOptions& options) {
  command->add_option("--state", options.state, "Folder of all that it keeps")->type_name("DIR");
  command->add_option("--grpc", options.grpc, "Where gRPC listens; port 0: any free one")
      ->envname("API_ADDRESS")
      ->type_name("HOST:PORT");
  command->add_option("--http", options.http, "Where HTTP listens: /healthz, /readyz")
      ->type_name("HOST:PORT");
  command->add_option("--store", options.store, "Folder of the archives; none: STATE/store")
      ->type_name("DIR")
      ->default_str("");
  command->add_option("--bucket", options.bucket, "Bucket of the store, as in s3://BUCKET/…")
      ->envname("S3_BUCKET")
      ->type_name("NAME");
  command->add_option("--db", options.db, "Database; none: sqlite:STATE/manman.db")
      ->envname("PG_DATABASE_URL")
      ->type_name("sqlite:PATH")
      ->default_str("");
  command->add_option("--bus", options.bus, "Bus; none: within the process")
      ->envname("RABBITMQ_URL")
      ->type_name("URL")
      ->default_str("");
}

void add_host(CLI::App* command, ServeOptions& options) {
  command
      ->add_option("--server-name", options.server_name,
                   "Name that this machine is registered by; none: its own")
      ->envname("SERVER_NAME")
      ->type_name("NAME")
      ->default_str("");
  command->add_option("--environment", options.environment, "Environment that it belongs to")
      ->envname("ENVIRONMENT")
      ->type_name("NAME");
  command
      ->add_option("--data-dir", options.data_dir,
                   "Folder of the game servers' data; none: STATE/data")
      ->envname("DATA_DIR")
      ->type_name("DIR")
      ->default_str("");
  command
      ->add_option("--keep-replaced-hours", options.keep_replaced_hours,
                   "How long data that a restore replaced is kept")
      ->check(CLI::Range(0, 24 * 3650))
      ->type_name("HOURS");
}

void add_tuning(CLI::App* command, ServeOptions& options) {
  command
      ->add_option("--lease-seconds", options.lease_seconds,
                   "A host silent for so long loses its job")
      ->check(CLI::Range(2, 86400))
      ->type_name("SECONDS");
  command->add_option("--threads", options.threads, "Threads for archives; 0: one for each core")
      ->check(CLI::Range(0, 256))
      ->type_name("N");
  command->add_option("--log-level", options.log_level, "What is logged, to standard error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->type_name("debug|info|warn|error");
}

}  // namespace

void add_serve(CLI::App& app, Context& context, const Programs& programs) {
  CLI::App* command = add_command(
      app, "serve", "Run the service: API and host manager of this machine in one process",
      {"manman serve --state /var/lib/manman",
       "manman serve --state .manman --grpc 127.0.0.1:50052 --http 127.0.0.1:8081"});
  auto options = std::make_shared<ServeOptions>();
  add_places(command, *options);
  add_host(command, *options);
  add_tuning(command, *options);
  on_run(command, context,
         [options, &programs]() -> Result<int> { return programs.serve(TRY(complete(*options))); });
}

}  // namespace manman::cli
