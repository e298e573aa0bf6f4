#include "base/examine_rule.h"

#include <utility>

namespace manman {
namespace {

constexpr std::pair<ExamineAs, std::string_view> kNames[] = {{ExamineAs::kNothing, "nothing"},
                                                             {ExamineAs::kSqlite, "sqlite"},
                                                             {ExamineAs::kRegion, "region"},
                                                             {ExamineAs::kNbt, "nbt"}};

}  // namespace

std::string_view to_text(ExamineAs as) {
  for (const auto& [value, name] : kNames)
    if (value == as) return name;
  return "unknown";
}

std::optional<ExamineAs> examine_as_from(std::string_view text) {
  for (const auto& [value, name] : kNames)
    if (name == text) return value;
  return std::nullopt;
}

}  // namespace manman
