#include "api/readiness.h"

#include <nlohmann/json.hpp>

#include "base/log.h"

namespace manman::api {
namespace {

constexpr std::chrono::milliseconds kAskDatabase{1000};
constexpr std::chrono::milliseconds kAskBus{1000};
constexpr std::chrono::milliseconds kAskStore{5000};
// An answer older than this means that the question itself hangs.
constexpr std::chrono::seconds kStale{15};
constexpr const char* kDatabase = "database";
constexpr const char* kBus = "bus";
constexpr const char* kStore = "store";

}  // namespace

Readiness::Readiness(std::function<void(bool)> on_change)
    : on_change_(std::move(on_change)),
      database_("readiness", kAskDatabase, [this] { ask_database(); }),
      bus_("readiness of the bus", kAskBus, [this] { ask_bus(); }),
      store_("readiness of the store", kAskStore, [this] { ask_store(); }) {
  auto state = state_.lock();
  state->parts[kDatabase];
  state->parts[kBus];
  state->parts[kStore];
}

void Readiness::start(const Context& context) {
  context_ = &context;
  ask_database();
  ask_bus();
  database_.start();
  bus_.start();
  store_.start();
}

void Readiness::stop() {
  database_.stop();
  bus_.stop();
  store_.stop();
}

void Readiness::away(const std::string& part, const Error& why) {
  state_.lock()->parts[part].error = why.message;
}

Readiness::Report Readiness::report() {
  auto state = state_.lock();
  const auto now = std::chrono::steady_clock::now();
  nlohmann::json parts;
  for (const auto& [name, part] : state->parts) {
    const bool stale = part.ok && now - part.asked > kStale;
    nlohmann::json& shown = parts[name];
    shown["ok"] = part.ok && !stale;
    if (stale) shown["error"] = "does not answer";
    if (!part.ok) shown["error"] = part.error;
  }
  Report report;
  report.ready = parts[kDatabase]["ok"].get<bool>() && parts[kBus]["ok"].get<bool>();
  const nlohmann::json all = {{"ready", report.ready}, {"parts", parts}};
  report.json = all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return report;
}

void Readiness::ask_database() {
  note(kDatabase, context_->database.ping());
}

void Readiness::ask_bus() {
  note(kBus, context_->bus.ping());
}

void Readiness::ask_store() {
  // Any key will do; a store that is there knows that it has no such object.
  const auto object = context_->store.head("readiness/probe");
  if (object || object.error().code == Code::kNotFound)
    note(kStore, {});
  else
    note(kStore, std::unexpected(object.error()));
}

void Readiness::note(const std::string& name, const Result<void>& answer) {
  bool changed = false;
  bool ready = false;
  {
    auto state = state_.lock();
    Part& part = state->parts[name];
    if (!answer && part.error != answer.error().message)
      log_warn({}, "the {} does not answer: {}", name, answer.error().text());
    if (answer && !part.ok && part.asked != decltype(part.asked)())
      log_info({}, "the {} answers again", name);
    part.ok = answer.has_value();
    part.error = answer ? "" : answer.error().message;
    part.asked = std::chrono::steady_clock::now();
    ready = state->parts[kDatabase].ok && state->parts[kBus].ok;
    changed = state->ready != ready;
    state->ready = ready;
  }
  if (changed) on_change_(ready);
}

}  // namespace manman::api
