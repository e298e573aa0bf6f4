#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "archive/archive.h"
#include "cli/archive_verbs.h"
#include "cli/interrupt.h"
#include "cli/json_text.h"
#include "cli/output.h"
#include "cli/output_file.h"
#include "cli/progress_view.h"
#include "cli/text.h"

namespace manman::cli {
namespace {
namespace fs = std::filesystem;

struct Options {
  std::string dir;
  std::string file;
  std::string prefix = "game";
  int threads = 0;
  bool force = false;
};

// Refuses an archive that would take itself in.
Result<void> check_outside(const fs::path& dir, const fs::path& file) {
  std::error_code error;
  const fs::path root = fs::canonical(dir, error);
  if (error) return fail_errno("open " + dir.string(), error.value());
  if (!fs::is_directory(root, error))
    return fail(Code::kInvalidArgument, dir.string() + " is not a folder");
  const fs::path parent = file.has_parent_path() ? file.parent_path() : fs::path(".");
  const fs::path place = fs::canonical(parent, error);
  if (error) return fail_errno("open folder " + parent.string(), error.value());
  const auto [in_root, in_place] =
      std::mismatch(root.begin(), root.end(), place.begin(), place.end());
  if (in_root != root.end()) return {};
  return fail(Code::kInvalidArgument, file.string() + " is inside of " + dir.string() +
                                          " and would be part of itself; put it elsewhere");
}

std::string rate(uint64_t bytes, std::chrono::duration<double> time) {
  const double seconds = std::max(time.count(), 1e-3);
  return format_bytes(static_cast<uint64_t>(static_cast<double>(bytes) / seconds)) + "/s";
}

void show_warnings(const Globals& globals, const archive::PackResult& result) {
  for (const std::string& warning : result.warnings) print_note(globals, "warning: " + warning);
  if (result.warning_count > result.warnings.size())
    print_note(globals, "warning: and " +
                            std::to_string(result.warning_count - result.warnings.size()) +
                            " more like these");
}

Result<void> show(const Globals& globals, const Options& options, const archive::PackResult& result,
                  std::chrono::duration<double> time) {
  if (globals.json()) {
    JsonObject json;
    json.add("file", options.file)
        .add("archive_size_bytes", result.archive_size_bytes)
        .add("data_size_bytes", result.data_size_bytes)
        .add("entries", result.entries)
        .add("sha256", to_hex(result.sha256))
        .add("warnings", result.warnings)
        .add("warning_count", result.warning_count);
    return print(json.text() + "\n");
  }
  show_warnings(globals, result);
  if (globals.quiet) return {};
  return print(escape(options.file) + ": " + std::to_string(result.entries) + " entries, " +
               format_bytes(result.data_size_bytes) + " in " +
               format_bytes(result.archive_size_bytes) + ", " + rate(result.data_size_bytes, time) +
               "\nsha256: " + to_hex(result.sha256) + "\n");
}

Result<archive::PackResult> pack_into(const Globals& globals, const Options& options, Sink& out) {
  Progress progress;
  ProgressWatch watch(globals, "archive", progress);
  return archive::pack(
      options.dir, out,
      {.threads = options.threads, .prefix = options.prefix, .progress = &progress});
}

Result<int> create(const Globals& globals, const Options& options) {
  const auto begun = std::chrono::steady_clock::now();
  InterruptGuard guard;
  if (options.file == "-") {
    if (::isatty(STDOUT_FILENO) == 1)
      return fail(Code::kInvalidArgument, "an archive is not for a terminal; name a file");
    OutputSink out;
    show_warnings(globals, TRY(pack_into(globals, options, out)));
    return kOk;
  }
  TRY(check_outside(options.dir, options.file));
  OutputFile file = TRY(OutputFile::create(options.file, options.force));
  const auto result = TRY(pack_into(globals, options, file));
  TRY(file.commit());
  TRY(show(globals, options, result, std::chrono::steady_clock::now() - begun));
  return kOk;
}

}  // namespace

void add_archive_create(Command& group, Context& context) {
  Command command = group.command(
      "create", "Make an archive of a folder",
      {"manman archive create /srv/minecraft/world world.tar.gz",
       "manman archive create world - --prefix world | ssh backup 'cat > world.tar.gz'"});
  auto options = std::make_shared<Options>();
  command.add("dir", options->dir, "The folder").required();
  command.add("file", options->file, "The archive; - is standard output").required();
  command.add("--prefix", options->prefix, "The folder that its entries stand under").value("NAME");
  add_threads(command, options->threads);
  command.add_flag("--force", options->force, "Replace a file that is there");
  command.on_run(context, [&context, options] { return create(context.globals, *options); });
}

}  // namespace manman::cli
