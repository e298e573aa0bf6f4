#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>

#include "archive/file_choice.h"
#include "archive/hard_links.h"
#include "archive/packer_frame.h"
#include "archive/tree_walker.h"
#include "archive/walk_ahead.h"
#include "archive/warnings.h"
#include "archive/xattrs.h"
#include "base/path_patterns.h"
#include "base/progress.h"

namespace manman::archive {

// What a pack has to say beside the archive. Any thread.
struct PackNotes {
  Warnings warnings;
  Warnings changed;  // paths
  std::atomic<uint64_t> left_out{0};

  void add_changed(const std::string& path, std::string_view how) {
    warnings.add(path + " " + std::string(how));
    changed.add(path);
  }
};

// Walks a folder and lays its tar stream out in frames, for workers to fill. Runs as the
// pipeline's producer, in its thread. What the options' `files` is asked about is not touched
// before; otherwise threads of its own walk and read small files ahead.
class PackPlanner {
 public:
  // All must outlive it. `prefix` is the options', cleaned, `leave_out` theirs, compiled.
  PackPlanner(PackPipeline& pipeline, std::string prefix, const PathPatterns& leave_out,
              const PackOptions& options, PackNotes& notes)
      : pipeline_(pipeline),
        prefix_(std::move(prefix)),
        leave_out_(leave_out),
        options_(options),
        progress_(options.progress),
        notes_(notes) {}

  // Plans everything and the end mark.
  Result<void> run(const std::string& dir);

 private:
  Result<void> walk(const std::string& dir, LookAtFiles files, const TreeWalker::Visit& visit);
  Result<void> walk_ahead(const std::string& dir);
  Result<void> add(Found found, const std::string& dir);
  Result<void> add_named(Found found, const std::string& dir);
  Result<void> add_file(Found found, Entry entry, const std::string& dir);
  Result<void> add_read(const Found& found, const FileRead& read, ConstBytes contents,
                        const std::string& dir);
  Result<Entry> entry_of(const Found& found, const std::string& dir) const;
  Result<void> add_contents(const std::shared_ptr<OpenFile>& file, EndingEntry& ending, int fd,
                            bool may_have_holes);
  Result<void> add_small(const FileToRead& file, EndingEntry& ending);
  // Whether it is a link to a file that the archive has already, which is then added.
  Result<bool> add_hard_link(const Found& found, Entry& entry);
  // What the options' `files` answers; none: it is left out.
  Result<std::optional<FileTaking>> choose(const Found& found);
  Result<FileToRead> file_to_read(Found& found, FileTaking taking, const std::string& name) const;
  Result<void> read_to_the_end(const std::shared_ptr<OpenFile>& file);
  Result<void> end_entry(EndingEntry ending);

  Result<void> header(const Entry& entry, const Xattrs& xattrs, format::EntryRecord& record);
  Xattrs xattrs_of(int fd, const std::string& path);
  void note_trouble(EndingEntry& ending, std::string_view trouble);
  void skip(const std::string& path, std::string_view why, bool changed);
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
  const PathPatterns& leave_out_;
  const PackOptions& options_;
  const Progress* progress_;
  PackNotes& notes_;
  HardLinks links_;
  std::unique_ptr<PackJob> job_;
  uint64_t flushed_ = 0;  // of the stream, in frames handed over
};

}  // namespace manman::archive
