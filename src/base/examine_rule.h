#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace manman {

// As what a file of save data is examined.
enum class ExamineAs {
  kNothing,  // it is not examined
  kSqlite,
  kRegion,  // Minecraft's region files
  kNbt,     // Minecraft's named binary tags, big-endian: plain, gzip or zlib
};

// "nothing", "sqlite", "region", "nbt".
std::string_view to_text(ExamineAs as);
std::optional<ExamineAs> examine_as_from(std::string_view text);

// Which files are examined so. Of rules whose pattern matches a path the last one counts.
struct ExamineRule {
  std::string pattern;  // as in gitignore(5), relative to game/
  ExamineAs as = ExamineAs::kNothing;

  bool operator==(const ExamineRule&) const = default;
};

}  // namespace manman
