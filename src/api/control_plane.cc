#include "api/control_plane.h"

#include "api/context.h"
#include "api/counters.h"
#include "api/fields.h"
#include "api/http/http_server.h"
#include "api/jobs/deleter.h"
#include "api/jobs/outbox_relay.h"
#include "api/jobs/reaper.h"
#include "api/jobs/upload_sweeper.h"
#include "api/readiness.h"
#include "api/rpc/grpc_server.h"
#include "api/rpc/service.h"
#include "api/status/consumer.h"
#include "base/log.h"
#include "db/repositories.h"

namespace manman::api {

class ControlPlane::Impl {
 public:
  Impl(ApiConfig config, db::Database& database, Bus& bus, Store& store, Clock& clock)
      : config_(std::move(config)),
        context_{
            .config = config_,
            .database = database,
            .bus = bus,
            .store = store,
            .clock = clock,
            .counters = counters_,
            .commands_waiting = [this] { relay_.wake(); },
            .host_seen = [this](int64_t server_id) { relay_.host_seen(server_id); },
            .object_orphaned = [this](const std::string& key) { deleter_.remove_orphan(key); }} {}

  Result<void> start() {
    if (started_) return fail(Code::kFailedPrecondition, "the API runs already");
    started_ = true;
    auto begun = begin();
    if (!begun) stop();
    return begun;
  }

  // What others call stops first, what they call on last.
  void stop() {
    if (!started_) return;
    readiness_.stop();
    grpc_.stop();
    http_.stop();
    reaper_.stop();
    consumer_.stop();
    sweeper_.stop();
    relay_.stop();
    deleter_.stop();
    started_ = false;
  }

  Result<int64_t> register_server(const std::string& name, const std::string& environment) {
    TRY(check_name("server name", name));
    TRY(check_environment("environment", environment));
    return context_.database.transact([&](db::Transaction& tx) -> Result<int64_t> {
      const int64_t now_s = context_.clock.now_s();
      const int64_t id = TRY(db::servers::ensure(tx, name, environment, now_s))
      .server_id;
      TRY(db::servers::seen(tx, id, now_s));
      return id;
    });
  }

  std::string grpc_address() const { return grpc_.address(); }
  std::string http_address() const { return http_.address(); }

 private:
  Result<void> begin() {
    TRY(http_.start(config_.http_address));
    TRY(grpc_.start(config_.grpc_address, config_.grpc_tls, service_));
    TRY(consumer_.start());
    relay_.start();
    reaper_.start();
    deleter_.start();
    sweeper_.start();
    readiness_.start();
    log_info({}, "API listens: gRPC {}, HTTP {}", grpc_.address(), http_.address());
    return {};
  }

  const ApiConfig config_;
  Counters counters_;
  const Context context_;
  OutboxRelay relay_{context_};
  Deleter deleter_{context_};
  UploadSweeper sweeper_{context_};
  StatusConsumer consumer_{context_};
  Reaper reaper_{context_, [this] { return consumer_.hears(); }};
  Service service_{context_, deleter_};
  GrpcServer grpc_;
  Readiness readiness_{context_, [this](bool ready) { grpc_.set_serving(ready); }};
  HttpServer http_{readiness_};
  bool started_ = false;
};

ControlPlane::ControlPlane(ApiConfig config, db::Database& database, Bus& bus, Store& store,
                           Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(config), database, bus, store, clock)) {}

ControlPlane::~ControlPlane() {
  stop();
}

Result<void> ControlPlane::start() {
  return impl_->start();
}
void ControlPlane::stop() {
  impl_->stop();
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
