#pragma once

#include <map>
#include <string>
#include <vector>

#include "archive/frame_reader.h"
#include "archive/index.h"

namespace manman::archive {

// Which members of an archive to unpack. Where a chosen hard link names a file that was not
// chosen, that file's contents are unpacked under the link's path.
class Selection {
 public:
  // All, when `only` is empty; otherwise reads the archive's entries once to find what is meant.
  // kNotFound for a path that matches nothing.
  static Result<Selection> find(RandomSource& source, const std::optional<Index>& index,
                                const UnpackOptions& options);

  bool all() const { return only_.empty(); }
  bool contains(const std::string& path) const;
  // The path under which to unpack the file at `path`, which is not contained itself; null when
  // it isn't wanted.
  const std::string* stand_in(const std::string& path) const;
  const std::map<std::string, std::string>& stand_ins() const { return stand_ins_; }
  // Where the members stand in the stream; only with an index, and not for all.
  const std::vector<Range>& ranges() const { return ranges_; }
  // For the progress: contents of all chosen files, with an index.
  uint64_t data_size() const { return data_size_; }

 private:
  struct Finder;

  std::vector<std::string> only_;
  bool with_parents_ = false;
  std::map<std::string, std::string> stand_ins_;  // file to first chosen link
  std::vector<Range> ranges_;
  uint64_t data_size_ = 0;
};

}  // namespace manman::archive
