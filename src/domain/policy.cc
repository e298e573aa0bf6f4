#include "domain/policy.h"

namespace manman {
namespace {

template <typename Value>
struct Name {
  Value value;
  std::string_view text;
};

constexpr Name<RunTrigger> kTriggers[] = {
    {RunTrigger::kSchedule, "schedule"},
    {RunTrigger::kManual, "manual"},
    {RunTrigger::kSessionEnd, "session-end"},
    {RunTrigger::kBeforeRestore, "before-restore"},
};
constexpr Name<RunOutcome> kOutcomes[] = {
    {RunOutcome::kWaiting, "waiting"}, {RunOutcome::kStarted, "started"},
    {RunOutcome::kSkipped, "skipped"}, {RunOutcome::kMissed, "missed"},
    {RunOutcome::kFailed, "failed"},
};

template <typename Value, size_t N>
std::string_view text_of(const Name<Value> (&names)[N], Value value) {
  for (const auto& name : names) {
    if (name.value == value) return name.text;
  }
  return "unknown";
}

template <typename Value, size_t N>
std::optional<Value> value_of(const Name<Value> (&names)[N], std::string_view text) {
  for (const auto& name : names) {
    if (name.text == text) return name.value;
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_text(RunTrigger trigger) {
  return text_of(kTriggers, trigger);
}
std::optional<RunTrigger> run_trigger_from(std::string_view text) {
  return value_of(kTriggers, text);
}
std::string_view to_text(RunOutcome outcome) {
  return text_of(kOutcomes, outcome);
}
std::optional<RunOutcome> run_outcome_from(std::string_view text) {
  return value_of(kOutcomes, text);
}

}  // namespace manman
