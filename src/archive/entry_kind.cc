#include <algorithm>
#include <array>

#include "archive/archive.h"

namespace manman::archive {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"file", "folder", "symlink", "hardlink"};

}  // namespace

std::string_view to_text(EntryKind kind) {
  return kNames[static_cast<size_t>(kind)];
}

std::optional<EntryKind> entry_kind_from(std::string_view text) {
  const auto* const found = std::ranges::find(kNames, text);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<EntryKind>(found - kNames.begin());
}

}  // namespace manman::archive
