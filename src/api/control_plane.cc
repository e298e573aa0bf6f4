#include "api/control_plane.h"

#include "api/context.h"
#include "api/counters.h"
#include "api/fields.h"
#include "api/hosts.h"
#include "api/jobs/deleter.h"
#include "api/jobs/drill_job.h"
#include "api/jobs/outbox_relay.h"
#include "api/jobs/reaper.h"
#include "api/jobs/retention_job.h"
#include "api/jobs/scheduler.h"
#include "api/jobs/upload_sweeper.h"
#include "api/jobs/verifier.h"
#include "api/jobs/webhook_job.h"
#include "api/metrics.h"
#include "api/readiness.h"
#include "api/rpc/grpc_server.h"
#include "api/rpc/service.h"
#include "api/status/consumer.h"
#include "base/log.h"
#include "base/sync.h"
#include "db/repositories.h"
#include "http/http_server.h"
#include "http/metric_families.h"

namespace manman::api {

namespace {

// What works once the engines are there.
struct Work {
  Work(const ApiConfig& config, db::Database& database, Bus& bus, Store& store, Clock& clock,
       Counters& counters, Metrics& metrics)
      : context{.config = config,
                .database = database,
                .bus = bus,
                .store = store,
                .clock = clock,
                .counters = counters,
                .commands_waiting = [this] { relay.wake(); },
                .host_seen = [this](int64_t server_id) { relay.host_seen(server_id); },
                .backup_ended = [&metrics](const Backup& row) { metrics.backup_ended(row); },
                .object_orphaned =
                    [this](const OwnedObject& object) { deleter.remove_orphan(object); }},
        requests{.config = config,
                 .database = database.for_requests(),
                 .bus = bus,
                 .store = store,
                 .clock = clock,
                 .counters = counters,
                 .commands_waiting = context.commands_waiting,
                 .host_seen = context.host_seen,
                 .backup_ended = context.backup_ended,
                 .object_orphaned = context.object_orphaned} {}

  Result<void> start() {
    TRY(consumer.start());
    relay.start();
    reaper.start();
    deleter.start();
    retention.start();
    sweeper.start();
    scheduler.start();
    verifier.start();
    drills.start();
    webhooks.start();
    return {};
  }

  // What others call stops first, what they call on last.
  void stop() {
    scheduler.stop();
    reaper.stop();
    consumer.stop();
    sweeper.stop();
    webhooks.stop();
    verifier.stop();
    drills.stop();
    relay.stop();
    retention.stop();
    deleter.stop();
  }

  const Context context;
  const Context requests;  // of the calls: they must not hold up the jobs
  OutboxRelay relay{context};
  Deleter deleter{context};
  RetentionJob retention{context, deleter};
  UploadSweeper sweeper{context};
  Verifier verifier{context};
  DrillJob drills{context};
  WebhookJob webhooks{context};
  StatusConsumer consumer{context};
  Reaper reaper{context, [this] { return consumer.hears(); }};
  Scheduler scheduler{context};
};

}  // namespace

class ControlPlane::Impl {
 public:
  Impl(ApiConfig config, Clock& clock) : config_(std::move(config)), clock_(clock) {}

  Result<void> listen() {
    TRY(http_.start(config_.http_address));
    TRY(grpc_.start(config_.grpc_address, config_.grpc_tls, service_));
    log_info({}, "API listens: gRPC {}, HTTP {}", grpc_.address(), http_.address());
    return {};
  }

  void waits_for(const std::string& part, const Error& why) {
    readiness_.away(part, why);
    service_.closed_because("the service is starting; its " + part + " is away: " + why.message);
  }

  Result<void> start(db::Database& database, Bus& bus, Store& store) {
    if (work_) return fail(Code::kFailedPrecondition, "the API runs already");
    auto work = std::make_unique<Work>(config_, database, bus, store, clock_, counters_, metrics_);
    if (auto started = work->start(); !started) {
      work->stop();
      return started;
    }
    work_ = std::move(work);
    service_.open(work_->requests, work_->deleter);
    metrics_.start(work_->requests);
    readiness_.start(work_->context);
    return {};
  }

  void stop() {
    readiness_.stop();
    grpc_.stop();
    http_.stop();
    if (work_) work_->stop();
  }

  Result<int64_t> register_server(const std::string& name, const std::string& environment) {
    TRY(check_name("server name", name));
    TRY(check_environment("environment", environment));
    if (!work_) return fail(Code::kFailedPrecondition, "the API does not run yet");
    return TRY(api::register_server(work_->context, name, environment))
    .server_id;
  }

  std::string grpc_address() const { return grpc_.address(); }
  std::string http_address() const { return http_.address(); }

  void add_metrics(std::function<std::string()> more) { *more_metrics_.lock() = std::move(more); }

 private:
  HttpAnswer show_readiness() {
    const auto report = readiness_.report();
    return {.status = report.ready ? 200 : 503,
            .content_type = "application/json",
            .body = report.json + "\n"};
  }
  std::string all_metrics() {
    const auto more = *more_metrics_.lock();
    return metrics_.text() + (more ? more() : std::string());
  }

  const ApiConfig config_;
  Clock& clock_;
  Counters counters_;
  Metrics metrics_{counters_};
  std::unique_ptr<Work> work_;
  Service service_;
  GrpcServer grpc_;
  Readiness readiness_{[this](bool ready) { grpc_.set_serving(ready); }};
  Sync<std::function<std::string()>> more_metrics_;
  HttpServer http_{{{"/healthz", [] { return HttpAnswer{.body = "ok\n"}; }},
                    {"/readyz", [this] { return show_readiness(); }},
                    {"/metrics", [this] { return metrics_page(all_metrics()); }}}};
};

ControlPlane::ControlPlane(ApiConfig config, Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(config), clock)) {}

ControlPlane::~ControlPlane() {
  stop();
}

Result<void> ControlPlane::listen() {
  return impl_->listen();
}
void ControlPlane::waits_for(const std::string& part, const Error& why) {
  impl_->waits_for(part, why);
}
Result<void> ControlPlane::start(db::Database& database, Bus& bus, Store& store) {
  return impl_->start(database, bus, store);
}
void ControlPlane::stop() {
  impl_->stop();
}
void ControlPlane::add_metrics(std::function<std::string()> more) {
  impl_->add_metrics(std::move(more));
}
std::string ControlPlane::grpc_address() const {
  return impl_->grpc_address();
}
std::string ControlPlane::http_address() const {
  return impl_->http_address();
}

Result<int64_t> ControlPlane::register_server(const std::string& name,
                                              const std::string& environment) {
  return impl_->register_server(name, environment);
}

}  // namespace manman::api
