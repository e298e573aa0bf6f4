#include "host/host_manager.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/file.h"
#include "host/command_loop.h"
#include "host/context.h"
#include "host/janitor.h"
#include "host/outcome.h"
#include "host/recovery.h"
#include "host/stop_flow.h"
#include "host/ticker.h"

namespace manman::host {
namespace {

// A lane waits most of its time (for a game to end, for the gate to the archives), so that there
// are more threads than cores; the gate bounds what is heavy.
constexpr int kLaneThreads = 64;
constexpr int kArchivesAtOnce = 2;

Result<void> check(const HostConfig& config) {
  if (config.server_id <= 0) return fail(Code::kInvalidArgument, "server_id must be above 0");
  if (config.data_dir.empty()) return fail(Code::kInvalidArgument, "data_dir is empty");
  if (config.upload_attempts < 1)
    return fail(Code::kInvalidArgument, "upload_attempts must be above 0");
  return {};
}

}  // namespace

Context::Context(HostConfig host_config, Bus& bus, Store& archive_store, Runtime& game_runtime,
                 std::unique_ptr<Journal> opened_journal, Sessions::OnEnd on_end)
    : config(std::move(host_config)),
      store(archive_store),
      runtime(game_runtime),
      journal(std::move(opened_journal)),
      reporter(bus),
      archives(kArchivesAtOnce),
      sessions(game_runtime, std::move(on_end)),
      lanes(kLaneThreads) {}

class HostManager::Impl {
 public:
  Impl(HostConfig config, Bus& bus, Store& store, Runtime& runtime)
      : config_(std::move(config)), bus_(bus), store_(store), runtime_(runtime) {}

  Result<void> start();
  void stop();

 private:
  HostConfig config_;
  Bus& bus_;
  Store& store_;
  Runtime& runtime_;
  std::unique_ptr<Context> context_;
  std::optional<CommandLoop> commands_;
  std::optional<Ticker> ticker_;
  std::unique_ptr<Subscription> subscription_;
};

Result<void> HostManager::Impl::start() {
  if (context_) return fail(Code::kFailedPrecondition, "the host manager was started before");
  TRY(in("host", check(config_)));
  TRY(in("data folder", make_dirs(config_.data_dir)));
  config_.data_dir = std::filesystem::absolute(config_.data_dir);
  auto journal = TRY(Journal::open(config_.data_dir));
  context_ = std::make_unique<Context>(config_, bus_, store_, runtime_, std::move(journal),
                                       [this](const GameInstance& game, const GameState& state) {
                                         report_end(*context_, game, state);
                                       });
  context_->reporter.start();
  sweep_leftovers(*context_);
  recover(*context_);
  ticker_.emplace(*context_);
  ticker_->start();
  commands_.emplace(*context_);
  auto subscribed = commands_->subscribe(bus_);
  if (!subscribed) {
    stop();
    return std::unexpected(std::move(subscribed).error().in("take commands from the bus"));
  }
  subscription_ = std::move(*subscribed);
  log_info({.server_id = config_.server_id}, "host manager works in {}", config_.data_dir.string());
  return {};
}

void HostManager::Impl::stop() {
  if (!context_ || context_->stopping.exchange(true)) return;
  subscription_.reset();
  if (ticker_) ticker_->stop();
  context_->jobs.cancel_all();
  context_->sessions.stop();
  context_->lanes.stop();
  context_->reporter.stop();
}

HostManager::HostManager(HostConfig config, Bus& bus, Store& store, Runtime& runtime)
    : impl_(std::make_unique<Impl>(std::move(config), bus, store, runtime)) {}

HostManager::~HostManager() {
  stop();
}

Result<void> HostManager::start() {
  return impl_->start();
}

void HostManager::stop() {
  impl_->stop();
}

}  // namespace manman::host
