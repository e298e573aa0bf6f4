#pragma once

#include <cstddef>
#include <optional>

namespace manman {

// One row of a state machine.
template <typename Status, typename Event>
struct Transition {
  Status from;
  Event on;
  Status to;
};

// The state after `event`; nothing when the table has no such row.
template <typename Status, typename Event, size_t N>
constexpr std::optional<Status> look_up(const Transition<Status, Event> (&table)[N], Status status,
                                        Event event) {
  for (const auto& row : table) {
    if (row.from == status && row.on == event) return row.to;
  }
  return std::nullopt;
}

// A program that reads one of two rows for the same question is wrong; checked while compiling.
template <typename Status, typename Event, size_t N>
consteval bool is_deterministic(const Transition<Status, Event> (&table)[N]) {
  for (size_t i = 0; i < N; i++) {
    for (size_t j = i + 1; j < N; j++) {
      if (table[i].from == table[j].from && table[i].on == table[j].on) return false;
    }
  }
  return true;
}

}  // namespace manman
