#include "base/compression.h"

#include <array>
#include <charconv>

namespace manman {
namespace {

struct FormatWords {
  std::string_view word;
  std::string_view ending;
  std::string_view short_ending;
  int default_level;
};
// By ArchiveFormat.
constexpr std::array<FormatWords, 3> kFormats = {{
    {"gz", ".tar.gz", ".tgz", Compression::kGzipDefault},
    {"zst", ".tar.zst", ".tzst", Compression::kZstdDefault},
    {"none", ".tar", ".tar", 0},
}};
constexpr std::array<std::string_view, 3> kGzipLevels = {"fast", "default", "best"};

const FormatWords& words_of(ArchiveFormat format) {
  return kFormats[static_cast<size_t>(format)];
}

std::optional<ArchiveFormat> format_from(std::string_view word) {
  for (size_t i = 0; i < kFormats.size(); i++)
    if (kFormats[i].word == word) return static_cast<ArchiveFormat>(i);
  return std::nullopt;
}

std::unexpected<Error> bad_level(std::string_view rule) {
  return fail(Code::kInvalidArgument, "level: " + std::string(rule));
}

Result<int> gzip_level_from(std::string_view word) {
  for (size_t i = 0; i < kGzipLevels.size(); i++)
    if (kGzipLevels[i] == word) return static_cast<int>(i) + Compression::kGzipFast;
  return bad_level("must be fast, default or best with format gz");
}

Result<int> zstd_level_from(std::string_view word) {
  int level = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), level);
  if (error == std::errc() && end == word.data() + word.size() && level >= 1 &&
      level <= Compression::kZstdMax)
    return level;
  return bad_level("must be a number from 1 to 19 with format zst");
}

}  // namespace

Compression Compression::default_of(ArchiveFormat format) {
  return {.format = format, .level = words_of(format).default_level};
}

Result<Compression> Compression::parse(std::string_view format, std::string_view level,
                                       const Compression& usual) {
  Compression chosen = usual;
  if (!format.empty()) {
    const auto known = format_from(format);
    if (!known) return fail(Code::kInvalidArgument, "format: must be gz, zst or none");
    if (*known != usual.format) chosen = default_of(*known);
  }
  if (level.empty()) return chosen;
  switch (chosen.format) {
    case ArchiveFormat::kGzip:
      chosen.level = TRY(gzip_level_from(level));
      break;
    case ArchiveFormat::kZstd:
      chosen.level = TRY(zstd_level_from(level));
      break;
    case ArchiveFormat::kNone:
      return bad_level("must not be set with format none");
  }
  return chosen;
}

Result<Compression> Compression::parse(std::string_view format, std::string_view level) {
  return parse(format, level, Compression{});
}

std::string_view Compression::format_text() const {
  return words_of(format).word;
}

std::string Compression::level_text() const {
  switch (format) {
    case ArchiveFormat::kGzip:
      return std::string(kGzipLevels.at(static_cast<size_t>(level - kGzipFast)));
    case ArchiveFormat::kZstd:
      return std::to_string(level);
    case ArchiveFormat::kNone:
      break;
  }
  return "";
}

std::string_view name_ending(ArchiveFormat format) {
  return words_of(format).ending;
}

std::optional<ArchiveFormat> format_of_name(std::string_view name) {
  for (size_t i = 0; i < kFormats.size(); i++)
    if (name.ends_with(kFormats[i].ending) || name.ends_with(kFormats[i].short_ending))
      return static_cast<ArchiveFormat>(i);
  return std::nullopt;
}

}  // namespace manman
