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

Context::Context(HostConfig host_config, Runtime& game_runtime,
                 std::unique_ptr<Journal> opened_journal, Sessions::OnEnd on_end)
    : config(std::move(host_config)),
      runtime(game_runtime),
      journal(std::move(opened_journal)),
      archives(kArchivesAtOnce),
      backup_bandwidth(config.backup_bandwidth),
      backup_read_rate(config.backup_read_rate),
      sessions(game_runtime, std::move(on_end)),
      lanes(kLaneThreads) {}

class HostManager::Impl {
 public:
  Impl(HostConfig config, Runtime& runtime) : config_(std::move(config)), runtime_(runtime) {}

  Result<void> adopt();
  Result<void> start(Bus& bus, Store& store);
  void stop();
  std::string metrics() { return context_ ? context_->metrics.text(*context_) : std::string(); }

 private:
  void begin_work(Bus& bus, Store& store);

  HostConfig config_;
  Runtime& runtime_;
  std::unique_ptr<Context> context_;
  std::optional<CommandLoop> commands_;
  std::optional<Ticker> ticker_;
  std::unique_ptr<Subscription> subscription_;
};

Result<void> HostManager::Impl::adopt() {
  if (context_) return fail(Code::kFailedPrecondition, "the host manager was started before");
  TRY(in("host", check(config_)));
  TRY(in("data folder", make_dirs(config_.data_dir)));
  config_.data_dir = std::filesystem::absolute(config_.data_dir);
  auto journal = TRY(Journal::open(config_.data_dir));
  context_ = std::make_unique<Context>(config_, runtime_, std::move(journal),
                                       [this](const GameInstance& game, const GameState& state) {
                                         report_end(*context_, game, state);
                                       });
  sweep_leftovers(*context_);
  recover_from_disk(*context_);
  return {};
}

Result<void> HostManager::Impl::start(Bus& bus, Store& store) {
  if (!context_) return fail(Code::kFailedPrecondition, "the host manager has adopted nothing yet");
  if (!ticker_) begin_work(bus, store);
  subscription_ = TRY(in("take commands from the bus", commands_->subscribe(bus)));
  log_info({.server_id = config_.server_id}, "host manager works in {}", config_.data_dir.string());
  return {};
}

void HostManager::Impl::begin_work(Bus& bus, Store& store) {
  context_->store = &store;
  context_->reporter.start(bus);
  go_on_with_jobs(*context_);
  ticker_.emplace(*context_);
  ticker_->start();
  commands_.emplace(*context_);
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

HostManager::HostManager(HostConfig config, Runtime& runtime)
    : impl_(std::make_unique<Impl>(std::move(config), runtime)) {}

HostManager::~HostManager() {
  stop();
}

Result<void> HostManager::adopt() {
  return impl_->adopt();
}

Result<void> HostManager::start(Bus& bus, Store& store) {
  return impl_->start(bus, store);
}

std::string HostManager::metrics() {
  return impl_->metrics();
}

void HostManager::stop() {
  impl_->stop();
}

}  // namespace manman::host
