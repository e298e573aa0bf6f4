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
  bool force = false;
  S3Settings s3;
};

Result<void> show(const Globals& globals, const Options& options,
                  const archive::UnpackResult& result) {
  if (globals.json()) {
    JsonObject json;
    json.add("dir", options.dir)
        .add("entries", result.entries)
        .add("data_size_bytes", result.data_size_bytes)
        .add("indexed", result.indexed);
    return print(json.text() + "\n");
  }
  if (globals.quiet) return {};
  return print(escape(options.dir) + ": " + std::to_string(result.entries) + " entries, " +
               format_bytes(result.data_size_bytes) + "\n");
}

Result<archive::UnpackResult> unpack_into(const Globals& globals, const Options& options,
                                          RandomSource& source,
                                          const std::filesystem::path& folder) {
  Progress progress;
  ProgressWatch watch(globals, "extract", progress);
  return archive::unpack(source, folder,
                         {.threads = options.threads,
                          .only = options.only,
                          .strip_prefix = options.strip,
                          .owners = !options.no_owners,
                          .max_ratio = options.max_ratio,
                          .progress = &progress});
}

Result<int> extract(const Globals& globals, const Options& options) {
  InterruptGuard guard;
  const auto source = TRY(open_archive(options.file, options.s3));
  ExtractTarget target = TRY(ExtractTarget::open(options.dir, options.force));
  auto unpacked = unpack_into(globals, options, *source, target.folder());
  if (!unpacked && !target.removed_on_failure())
    unpacked = std::unexpected(std::move(unpacked).error().with_hint(
        "what was unpacked by then is still in " + options.dir));
  if (!unpacked)
    return archive_outcome(globals, std::unexpected(std::move(unpacked).error().in(options.file)));
  TRY(target.commit());
  TRY(show(globals, options, *unpacked));
  return kOk;
}

}  // namespace

void add_archive_extract(Command& group, Context& context) {
  Command command =
      group.command("extract", "Unpack an archive, or some paths of it, into a folder",
                    {"manman archive extract world.tar.gz restored --strip game",
                     "manman archive extract world.tar.gz one game/world/level.dat"});
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
  command.add_flag("--no-owners", options->no_owners, "Leave owners as they come");
  command
      .add("--max-ratio", options->max_ratio,
           "Refuse to unpack to more than so many times the archive's size")
      .range(1, INT32_MAX)
      .value("N");
  add_threads(command, options->threads);
  add_s3_settings(command, options->s3);
  command.on_run(context, [&context, options] { return extract(context.globals, *options); });
}

}  // namespace manman::cli
