#include "domain/consistency.h"

#include <array>

namespace manman {
namespace {

constexpr std::array<std::string_view, 4> kTexts{"", "consistent", "crash-consistent",
                                                 "best-effort"};

}  // namespace

std::string_view to_text(Consistency consistency) {
  return kTexts[static_cast<size_t>(consistency)];
}

std::optional<Consistency> consistency_from(std::string_view text) {
  for (size_t i = 0; i < kTexts.size(); i++) {
    if (kTexts[i] == text) return static_cast<Consistency>(i);
  }
  return std::nullopt;
}

}  // namespace manman
