#include "archive/archive.h"
#include "cli/archive_verbs.h"
#include "cli/extract_target.h"
#include "cli/interrupt.h"
#include "cli/json_text.h"
#include "cli/output.h"
#include "cli/progress_view.h"
#include "cli/s3_settings.h"
#include "cli/text.h"

namespace manman::cli {
namespace {

struct Options {
  std::string file;
  std::string dir;
  std::vector<std::string> only;
  std::string strip;
  int threads = 0;
  uint32_t max_ratio = archive::UnpackOptions{}.max_ratio;
  bool no_owners = false;
  bool no_xattrs = false;
  bool keep_setuid = false;
  bool force = false;
  bool salvage = false;
  bool no_sync = false;
  S3Settings s3;
};

archive::UnpackOptions unpack_options(const Options& options, Progress& progress) {
  return {.threads = options.threads,
          .only = options.only,
          .strip_prefix = options.strip,
          .owners = !options.no_owners,
          .xattrs = !options.no_xattrs,
          .keep_special_bits = options.keep_setuid,
          .max_ratio = options.max_ratio,
          .progress = &progress};
}

Result<void> show(const Globals& globals, const Options& options,
                  const archive::UnpackResult& result) {
  if (globals.json()) {
    JsonObject json;
    json.add("dir", options.dir)
        .add("entries", result.entries)
        .add("data_size_bytes", result.data_size_bytes)
        .add("indexed", result.indexed)
        .add("warnings", result.warnings)
        .add("warning_count", result.warning_count);
    return print(json.text() + "\n");
  }
  show_warnings(globals, result.warnings, result.warning_count);
  if (globals.quiet) return {};
  return print(escape(options.dir) + ": " + std::to_string(result.entries) + " entries, " +
               format_bytes(result.data_size_bytes) + "\n");
}

Result<archive::UnpackResult> unpack_into(const Globals& globals, const Options& options,
                                          RandomSource& source,
                                          const std::filesystem::path& folder) {
  Progress progress;
  ProgressWatch watch(globals, "extract", progress);
  return archive::unpack(source, folder, unpack_options(options, progress));
}

// What is lost, printed as it is found: lines of text, or the items of a JSON list.
class LostPrinter {
 public:
  explicit LostPrinter(const Globals& globals)
      : globals_(globals), pending_(globals.json() ? "{\"lost\":[" : "") {}

  void add(const archive::Entry& entry) {
    if (globals_.json())
      pending_ += (first_ ? "" : ",") + JsonObject().add_bytes("path", entry.path).text();
    else
      pending_ += (globals_.quiet ? "" : "lost: ") + escape(entry.path) + "\n";
    first_ = false;
    if (pending_.size() < kFlushBytes || !printed_) return;
    printed_ = print(pending_);
    pending_.clear();
  }
  // The rest, and `end` behind it.
  Result<void> finish(const std::string& end) {
    TRY(printed_);
    return print(pending_ + end);
  }

 private:
  static constexpr size_t kFlushBytes = 64 << 10;

  const Globals& globals_;
  std::string pending_;
  bool first_ = true;
  Result<void> printed_;
};

std::string salvage_summary(const Globals& globals, const Options& options,
                            const archive::SalvageResult& result) {
  if (globals.json())
    return "]," +
           JsonObject()
               .add("dir", options.dir)
               .add("entries", result.entries)
               .add("data_size_bytes", result.data_size_bytes)
               .add("indexed", result.indexed)
               .add("lost_entries", result.lost_entries)
               .add("damage", result.damage)
               .add("to_the_end", result.to_the_end)
               .add("vouched", result.vouched)
               .add("warnings", result.warnings)
               .add("warning_count", result.warning_count)
               .text()
               .substr(1) +
           "\n";
  if (globals.quiet) return "";
  return escape(options.dir) + ": " + std::to_string(result.entries) + " entries, " +
         format_bytes(result.data_size_bytes) + "; lost: " + std::to_string(result.lost_entries) +
         (result.to_the_end ? "" : ", and what stood in the damage alone, unknown by name") + "\n";
}

Result<int> salvage(const Globals& globals, const Options& options) {
  if (!options.only.empty())
    return fail(Code::kInvalidArgument, "--salvage takes the whole archive, not paths of it");
  InterruptGuard guard;
  const auto source = TRY(open_archive(options.file, options.s3, Reading::kInOrder));
  ExtractTarget target = TRY(ExtractTarget::open(options.dir, options.force));
  LostPrinter lost(globals);
  auto salvaged = [&] {
    Progress progress;
    ProgressWatch watch(globals, "salvage", progress);
    return archive::salvage(*source, target.folder(), unpack_options(options, progress),
                            [&lost](const archive::Entry& entry) { lost.add(entry); });
  }();
  if (!salvaged)
    return archive_outcome(globals, std::unexpected(std::move(salvaged).error().in(options.file)));
  TRY(target.commit(!options.no_sync));
  TRY(lost.finish(salvage_summary(globals, options, *salvaged)));
  if (!globals.json()) show_warnings(globals, salvaged->warnings, salvaged->warning_count);
  if (!salvaged->damage.empty()) print_note(globals, options.file + ": " + salvaged->damage);
  if (!salvaged->vouched)
    print_note(globals, "no checksum vouches for what was unpacked: look at it before you use it");
  return salvaged->lost_entries == 0 && salvaged->to_the_end ? kOk : kPartial;
}

Result<int> extract(const Globals& globals, const Options& options) {
  if (options.salvage) return salvage(globals, options);
  InterruptGuard guard;
  const auto source = TRY(open_archive(
      options.file, options.s3, options.only.empty() ? Reading::kInOrder : Reading::kHereAndThere));
  ExtractTarget target = TRY(ExtractTarget::open(options.dir, options.force));
  auto unpacked = unpack_into(globals, options, *source, target.folder());
  if (!unpacked && !target.removed_on_failure())
    unpacked = std::unexpected(std::move(unpacked).error().with_hint(
        "what was unpacked by then is still in " + options.dir));
  if (!unpacked && unpacked.error().code == Code::kDataLoss && target.removed_on_failure())
    unpacked = std::unexpected(std::move(unpacked).error().with_hint(kSalvageHint));
  if (!unpacked)
    return archive_outcome(globals, std::unexpected(std::move(unpacked).error().in(options.file)));
  TRY(target.commit(!options.no_sync));
  TRY(show(globals, options, *unpacked));
  return kOk;
}

}  // namespace

void add_archive_extract(Command& group, Context& context) {
  Command command =
      group.command("extract", "Unpack an archive, or some paths of it, into a folder",
                    {"manman archive extract world.tar.gz restored --strip game",
                     "manman archive extract world.tar.gz one game/world/level.dat",
                     "manman archive extract damaged.tar.gz rescued --salvage; echo $?"});
  auto options = std::make_shared<Options>();
  command
      .add("file", options->file,
           "The archive: any .tar.gz, .tar.zst or .tar, a file or s3://BUCKET/KEY")
      .required();
  command.add("dir", options->dir, "The folder; made when it is not there").required();
  command.add("path", options->only, "Only these paths of the archive and what is below");
  command
      .add("--strip", options->strip,
           "Take this first folder off the paths; all must stand under it")
      .value("NAME");
  command.add_flag("--force", options->force, "Unpack into a folder that is not empty");
  command.add_flag("--salvage", options->salvage,
                   "Unpack what damage has left whole and list what is lost; exit code 6 when "
                   "anything is");
  command.add_flag("--no-owners", options->no_owners, "Leave owners as they come");
  command.add_flag("--no-xattrs", options->no_xattrs,
                   "Restore neither extended attributes nor ACLs");
  command.add_flag("--keep-setuid", options->keep_setuid,
                   "Restore setuid and setgid bits and file capabilities");
  command
      .add("--max-ratio", options->max_ratio,
           "Refuse to unpack to more than so many times the archive's size; 0: " +
               std::to_string(archive::kUsualMaxRatio) +
               " times, and with a good index as much as that says")
      .range(0, INT32_MAX)
      .value("N");
  add_no_sync(command, options->no_sync);
  add_threads(command, options->threads);
  add_s3_settings(command, options->s3);
  command.on_run(context, [&context, options] { return extract(context.globals, *options); });
}

}  // namespace manman::cli
