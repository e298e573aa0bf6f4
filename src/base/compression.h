#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace manman {

// What an archive is, around its tar stream. Only its maker chooses; readers see it by the content.
enum class ArchiveFormat {
  kGzip,  // .tar.gz
  kZstd,  // .tar.zst
  kNone,  // .tar
};

inline constexpr std::array<ArchiveFormat, 3> kAllFormats = {
    ArchiveFormat::kGzip, ArchiveFormat::kZstd, ArchiveFormat::kNone};

// A format and how hard to compress for it.
struct Compression {
  static constexpr int kGzipFast = 1;
  static constexpr int kGzipDefault = 2;
  static constexpr int kGzipBest = 3;
  static constexpr int kZstdDefault = 3;
  static constexpr int kZstdMax = 19;

  ArchiveFormat format = ArchiveFormat::kGzip;
  int level = kGzipDefault;  // kGzip…; 1 to kZstdMax; 0 of ArchiveFormat::kNone

  static Compression default_of(ArchiveFormat format);
  // Of the words as users write them: format "gz", "zst" or "none", "" meaning that of `usual`;
  // level "fast", "default", "best" of gz, "1" to "19" of zst. "" is the usual level where the
  // format is the usual one, else the format's default. kInvalidArgument, its message beginning
  // with "format" or "level", whichever is wrong.
  static Result<Compression> parse(std::string_view format, std::string_view level,
                                   const Compression& usual);
  static Result<Compression> parse(std::string_view format, std::string_view level);  // usual: {}

  std::string_view format_text() const;  // as parse() takes it
  std::string level_text() const;        // as parse() takes it; "" of none
  bool operator==(const Compression&) const = default;
};

// What names of such archives end with: ".tar.gz", ".tar.zst", ".tar".
std::string_view name_ending(ArchiveFormat format);
// By a name's ending, .tgz and .tzst too; nothing when it says none.
std::optional<ArchiveFormat> format_of_name(std::string_view name);

}  // namespace manman
