#include "examine/examine.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "archive/tree_walker.h"
#include "base/path_patterns.h"
#include "examine/findings.h"
#include "examine/region.h"
#include "examine/sqlite.h"
#include "live/sqlite_copy.h"

namespace manman::examine {
namespace {

class Examination {
 public:
  static Result<Examination> of(const std::filesystem::path& dir, const Options& options);

  Result<void> look_at(const archive::Found& found);
  Report& report() { return report_; }

 private:
  struct Rule {
    PathPatterns pattern;
    ExamineAs as;
  };

  explicit Examination(const Options& options) : options_(options) {}
  ExamineAs kind_of(const archive::Found& found) const;
  // The folder that a file stands in, reached by no symlink; none when its path is too long.
  UniqueFd folder_of(const std::string& path) const;

  const Options& options_;
  UniqueFd root_;
  std::vector<Rule> rules_;
  Workspace work_;
  Report report_;
};

Result<Examination> Examination::of(const std::filesystem::path& dir, const Options& options) {
  Examination examination(options);
  examination.root_ = UniqueFd(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!examination.root_) return fail_errno("open folder " + dir.string(), errno);
  std::vector<ExamineRule> rules{{"*.mca", ExamineAs::kRegion}, {"*.mcr", ExamineAs::kRegion}};
  rules.insert(rules.end(), options.rules.begin(), options.rules.end());
  for (const ExamineRule& rule : rules) {
    auto pattern = TRY(PathPatterns::compile({rule.pattern}));
    examination.rules_.push_back({.pattern = std::move(pattern), .as = rule.as});
  }
  return examination;
}

ExamineAs Examination::kind_of(const archive::Found& found) const {
  for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule)
    if (rule->pattern.match(found.path, false)) return rule->as;
  return live::looks_like_sqlite(found.file.get()) ? ExamineAs::kSqlite : ExamineAs::kNothing;
}

UniqueFd Examination::folder_of(const std::string& path) const {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash);
  const open_how how{.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                     .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
  return UniqueFd(
      static_cast<int>(::syscall(SYS_openat2, root_.get(), folder.c_str(), &how, sizeof how)));
}

Result<void> Examination::look_at(const archive::Found& found) {
  if (options_.progress != nullptr) TRY(options_.progress->check());
  if (!found.file) return {};  // no regular file
  Findings findings(report_, found.path);
  const int fd = found.file.get();
  switch (kind_of(found)) {
    case ExamineAs::kNothing:
      report_.other_files++;
      break;
    case ExamineAs::kNbt:
      TRY(examine_nbt(fd, found.info, work_, findings));
      break;
    case ExamineAs::kRegion:
      TRY(examine_region(fd, found.info, folder_of(found.path).get(), work_, options_.progress,
                         findings));
      break;
    case ExamineAs::kSqlite: {
      const UniqueFd folder = folder_of(found.path);
      if (!folder) {
        findings.unexamined("", "stands too deep in folders");
        break;
      }
      const std::string name = found.path.substr(found.path.rfind('/') + 1);
      TRY(examine_database(fd, found.info, folder.get(), name, options_.scratch, options_.progress,
                           findings));
      break;
    }
  }
  if (options_.progress != nullptr) {
    options_.progress->done_bytes += static_cast<uint64_t>(found.info.st_size);
    options_.progress->done_entries++;
  }
  return {};
}

}  // namespace

std::string Finding::text() const {
  return path + ": " + (place.empty() ? "" : place + ": ") + what;
}

std::string Report::counts() const {
  return std::to_string(databases) + " databases, " + std::to_string(regions) + " region files (" +
         std::to_string(chunks) + " chunks), " + std::to_string(nbt_files) + " NBT files and " +
         std::to_string(other_files) + " other files";
}

Result<Report> examine(const std::filesystem::path& dir, const Options& options) {
  Examination examination = TRY(Examination::of(dir, options));
  archive::TreeWalker walker(
      [&](const archive::Found& found) { return examination.look_at(found); },
      [&](const std::string& path, std::string_view why, bool changed) {
        if (changed) Findings(examination.report(), path).unexamined("", std::string(why));
      },
      {});
  TRY(walker.walk(dir.string()));
  return std::move(examination.report());
}

}  // namespace manman::examine
