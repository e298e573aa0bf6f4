#pragma once

#include <functional>
#include <string>

#include "archive/hard_links.h"
#include "archive/packer_frame.h"
#include "archive/tree_walker.h"
#include "archive/warnings.h"
#include "archive/xattrs.h"
#include "base/progress.h"

namespace manman::archive {

// Walks a folder and lays its tar stream out in frames, for workers to fill. Runs as the
// pipeline's producer, in its thread.
class PackPlanner {
 public:
  // All must outlive it. `prefix` is the options', cleaned.
  PackPlanner(PackPipeline& pipeline, std::string prefix, const PackOptions& options,
              Warnings& warnings)
      : pipeline_(pipeline),
        prefix_(std::move(prefix)),
        options_(options),
        progress_(options.progress),
        warnings_(warnings) {}

  // Plans everything and the end mark.
  Result<void> run(const std::string& dir);

 private:
  Result<void> add(Found found, const std::string& dir);
  Result<void> add_file(Found found, Entry entry, const std::string& dir);
  Result<void> add_contents(const std::shared_ptr<OpenFile>& file, EndingEntry& ending, int fd,
                            bool may_have_holes);
  Result<void> add_small(int fd, const std::string& name, EndingEntry& ending,
                         const struct stat& info);
  Result<void> end_entry(EndingEntry ending);

  Result<void> header(const Entry& entry, const Xattrs& xattrs, format::EntryRecord& record);
  Xattrs xattrs_of(int fd, const std::string& path);
  // With the entry's path in the archive.
  void warn(const std::string& path, std::string_view why);
  Result<void> literal(ConstBytes bytes);
  Result<void> piece(const std::shared_ptr<OpenFile>& file, uint64_t offset, uint64_t size);
  Result<uint32_t> room();
  Result<void> flush();
  uint64_t offset() const { return flushed_ + (job_ ? job_->used : 0); }
  std::string archive_path(const std::string& path) const;

  PackPipeline& pipeline_;
  std::string prefix_;
  const PackOptions& options_;
  const Progress* progress_;
  Warnings& warnings_;
  HardLinks links_;
  std::unique_ptr<PackJob> job_;
  uint64_t flushed_ = 0;  // of the stream, in frames handed over
};

}  // namespace manman::archive
