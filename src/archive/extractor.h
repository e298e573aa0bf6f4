#pragma once

#include <sys/stat.h>

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "archive/budget.h"
#include "archive/folder_spool.h"
#include "archive/member.h"
#include "archive/metadata.h"
#include "archive/selection.h"
#include "archive/target_tree.h"
#include "archive/write_behind.h"

namespace manman::archive {

// Puts the members of an archive into a folder.
class Extractor final : public MemberVisitor {
 public:
  // Everything referred to must outlive the extractor.
  static Result<Extractor> create(const std::string& target, const UnpackOptions& options,
                                  Selection& selection, Budget& budget, Warnings& warnings);
  // The archive names no path twice: files may be made in another order than its own, by the
  // threads that write them.
  void expect_no_path_twice() { any_order_ = true; }
  Result<bool> begin(const Member& member) override;
  Result<void> data(uint64_t offset, ConstBytes bytes) override;
  // Instead of data(): the contents of another open file, on blocks that both have until one is
  // written to. False, and nothing is done, where the file system can't.
  bool share(int from);
  // The same beside other files, in the threads that write. Where the file system can't, a later
  // call is kUnimplemented.
  void share_at_end(UniqueFd from);
  Result<void> end() override;
  // What no archive holds: a fifo, socket or device like this one.
  Result<void> make_special(const Entry& entry, const struct stat& original);
  // Removes the file at work, which does not come to its end.
  Result<void> abandon();
  // The kind and mode of what stands where the entry of this path would be put; none: nothing.
  std::optional<mode_t> standing_at(const std::string& path);
  // Once all is there: modes, owners and times of the folders.
  Result<void> finish();

  uint64_t entries() const { return entries_; }
  uint64_t data_size() const { return data_size_; }

 private:
  Extractor(TargetTree tree, const UnpackOptions& options, Selection& selection, Budget& budget,
            Warnings& warnings, timespec start);
  // Puts a member under another path of the archive.
  Result<void> extract(const Member& member, const std::string& path);
  Result<void> make(const Member& member, Entry entry, const std::string& path);
  Result<void> make_folder(const Entry& entry, const Xattrs& xattrs);
  Result<void> make_file(const Entry& entry, const Xattrs& xattrs, bool sparse);
  Result<void> make_symlink(const Entry& entry);
  Result<void> make_hard_link(const Entry& entry);

  TargetTree tree_;
  const UnpackOptions& options_;
  Selection& selection_;
  Budget& budget_;
  timespec start_;  // by the target's file system: what was made since has a later ctime
  Metadata metadata_;
  std::unique_ptr<WriteBehind> files_;
  FolderSpool folders_;
  std::set<std::string> stand_ins_made_;
  bool any_order_ = false;
  uint64_t entries_ = 0;
  uint64_t data_size_ = 0;
};

}  // namespace manman::archive
