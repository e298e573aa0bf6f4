#include "cli/rate_meter.h"

#include <algorithm>
#include <cmath>

#include "cli/text.h"

namespace manman::cli {
namespace {

constexpr std::chrono::seconds kWindow{10};
constexpr std::chrono::milliseconds kSampleInterval{100};

uint64_t percent(const ProgressState& state) {
  const double share =
      static_cast<double>(state.done_bytes) / static_cast<double>(state.total_bytes);
  return static_cast<uint64_t>(std::min(100.0, 100.0 * share));
}

bool nothing_yet(const ProgressState& state) {
  return state.total_bytes == 0 && state.done_bytes == 0;
}

std::string rate_text(const ProgressState& state) {
  return format_bytes(static_cast<uint64_t>(state.bytes_per_second)) + "/s";
}

}  // namespace

void RateMeter::add(Time now, uint64_t done_bytes) {
  if (!samples_.empty() && done_bytes < samples_.back().done_bytes) samples_.clear();
  // The newest sample moves along until it is far enough from the one before it, which bounds
  // how many there are.
  if (samples_.size() >= 2 && now - samples_[samples_.size() - 2].time < kSampleInterval)
    samples_.pop_back();
  samples_.push_back({now, done_bytes});
  while (samples_.size() > 2 && now - samples_[1].time >= kWindow) samples_.pop_front();
}

double RateMeter::bytes_per_second() const {
  if (samples_.size() < 2) return 0;
  const std::chrono::duration<double> time = samples_.back().time - samples_.front().time;
  if (time.count() <= 0) return 0;
  return static_cast<double>(samples_.back().done_bytes - samples_.front().done_bytes) /
         time.count();
}

std::optional<uint64_t> eta_seconds(const ProgressState& state) {
  if (state.total_bytes == 0 || state.bytes_per_second < 1) return std::nullopt;
  if (state.done_bytes >= state.total_bytes) return 0;
  const double left = static_cast<double>(state.total_bytes - state.done_bytes);
  const double seconds = std::ceil(left / state.bytes_per_second);
  // Over a year is not an estimate.
  if (seconds > 365.0 * 24 * 3600) return std::nullopt;
  return static_cast<uint64_t>(seconds);
}

std::string progress_bar(const std::string& label, const ProgressState& state, size_t width) {
  std::string numbers;
  if (nothing_yet(state)) {
    numbers = " ...";
  } else if (state.total_bytes == 0) {
    numbers = "  " + format_bytes(state.done_bytes);
  } else {
    std::string share = std::to_string(percent(state));
    share.insert(0, 3 - std::min<size_t>(3, share.size()), ' ');
    numbers = "  " + share + "%  " + format_bytes(state.done_bytes) + " / " +
              format_bytes(state.total_bytes);
  }
  if (state.bytes_per_second > 0) numbers += "  " + rate_text(state);
  if (const auto eta = eta_seconds(state)) numbers += "  ETA " + format_duration(*eta);

  std::string line = label;
  const size_t taken = label.size() + numbers.size() + 3;
  if (state.total_bytes > 0 && width >= taken + 10) {
    const size_t inner = std::min<size_t>(40, width - taken);
    const size_t filled = static_cast<size_t>(percent(state)) * inner / 100;
    std::string bar(filled, '=');
    if (filled < inner) bar += '>';
    bar.append(inner - bar.size(), ' ');
    line += " [" + bar + "]";
  }
  line += numbers;
  if (line.size() > width) line.resize(width);
  return line;
}

std::string progress_line(const std::string& label, const ProgressState& state) {
  if (nothing_yet(state)) return label;
  std::string line = label + ": ";
  if (state.total_bytes > 0)
    line += std::to_string(percent(state)) + "% (" + format_bytes(state.done_bytes) + " of " +
            format_bytes(state.total_bytes) + ")";
  else
    line += format_bytes(state.done_bytes);
  if (state.bytes_per_second > 0) line += ", " + rate_text(state);
  if (const auto eta = eta_seconds(state)) line += ", " + format_duration(*eta) + " left";
  return line;
}

}  // namespace manman::cli
