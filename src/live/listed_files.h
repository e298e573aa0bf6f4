#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "archive/file_choice.h"
#include "base/error.h"

namespace manman::live {

// Paths and how many bytes of each are part of one state of the data.
using FileList = std::map<std::string, uint64_t, std::less<>>;

// Of the line that Minecraft Bedrock answers `save query` with: "WORLD/FILE:BYTES, WORLD/FILE:BYTES
// …". A path that leaves its folder, no or too large a number, or a path that comes twice is
// kInvalidArgument; so is a line of more than 16 MiB, and an empty one.
Result<FileList> parse_file_list(std::string_view line);

// Takes what a game says is one state of its data, while it goes on writing: of the worlds that the
// list names only the files on it, and of each as many bytes as it says. All else is another
// choice's.
class ListedFiles final : public archive::FileChoice {
 public:
  // `root`: below the folder that is packed, what the list's paths begin at ("worlds"). `next` must
  // outlive it; null: all else is taken as it is.
  ListedFiles(FileList list, std::string root, archive::FileChoice* next);

  // A file that is shorter than the list says is kAborted.
  Result<archive::FileTaking> choose(const archive::FileSeen& file) override;
  // After the pack: kAborted when the walk did not come upon a file of the list.
  Result<void> check_all_met() const;

 private:
  const FileList list_;
  const std::string root_;
  std::set<std::string, std::less<>> worlds_;
  std::set<std::string, std::less<>> met_;
  archive::FileChoice* const next_;
};

}  // namespace manman::live
