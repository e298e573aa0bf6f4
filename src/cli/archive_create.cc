#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "archive/archive.h"
#include "archive/data_size.h"
#include "base/rate_limiter.h"
#include "base/unique_name.h"
#include "cli/archive_verbs.h"
#include "cli/compression_options.h"
#include "cli/interrupt.h"
#include "cli/json_text.h"
#include "cli/output.h"
#include "cli/output_file.h"
#include "cli/progress_view.h"
#include "cli/s3_settings.h"
#include "cli/text.h"
#include "live/live_files.h"

namespace manman::cli {
namespace {
namespace fs = std::filesystem;

struct Options {
  std::string dir;
  std::string file;
  std::string prefix = "game";
  std::string format;
  std::string level;
  int threads = 0;
  bool cross_file_systems = false;
  bool background = false;
  std::vector<std::string> leave_out;
  bool live = false;
  uint32_t bandwidth_kib = 0;
  uint32_t read_rate_kib = 0;
  bool force = false;
  bool no_sync = false;
  S3Settings s3;
};

// What came of packing. `live` is there when it was asked for.
struct Packed {
  archive::PackResult archive;
  std::optional<live::LiveEvidence> live;
};

// As --format and --level say, the format by the file's name where they don't.
Result<Compression> compression_of(const Options& options) {
  const auto named = format_of_name(options.file);
  auto chosen = Compression::parse(options.format, options.level,
                                   Compression::default_of(named.value_or(ArchiveFormat::kGzip)));
  if (!chosen) return fail(chosen.error().code, "--" + chosen.error().message);
  if (named && *named != chosen->format)
    return fail(Code::kInvalidArgument,
                options.file + " is the name of another format than --format " + options.format);
  return chosen;
}

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

JsonObject live_json(const live::LiveEvidence& live) {
  JsonObject json;
  json.add("databases", live.databases)
      .add("database_count", live.database_count)
      .add("unreadable_databases", live.unreadable_databases)
      .add("unreadable_database_count", live.unreadable_database_count)
      .add("blocked_ms", live.blocked_ms)
      .add("copied_first", live.copied_first)
      .add("unsteady", live.unsteady)
      .add("unsteady_count", live.unsteady_count);
  return json;
}

// "2 databases: a, b" for a person, "" for none.
std::string names_text(std::string_view what, const std::vector<std::string>& names,
                       uint64_t count) {
  if (count == 0) return {};
  std::string text = std::string(what) + " (" + std::to_string(count) + "):";
  for (const std::string& name : names) text += " " + escape(name);
  return text + (count > names.size() ? " …\n" : "\n");
}

std::string live_text(const live::LiveEvidence& live) {
  std::string text =
      names_text("databases copied through SQLite", live.databases, live.database_count);
  if (live.database_count > 0)
    text += "their writers waited at most " + std::to_string(live.blocked_ms) + " ms\n";
  return text +
         names_text("look like SQLite's, but are not", live.unreadable_databases,
                    live.unreadable_database_count) +
         names_text("written to all the time", live.unsteady, live.unsteady_count);
}

Result<void> show(const Globals& globals, const Options& options, const Compression& compression,
                  const Packed& packed, std::chrono::duration<double> time) {
  const archive::PackResult& result = packed.archive;
  if (globals.json()) {
    JsonObject json;
    json.add("file", options.file)
        .add("format", compression.format_text())
        .add("level", compression.level_text())
        .add("archive_size_bytes", result.archive_size_bytes)
        .add("data_size_bytes", result.data_size_bytes)
        .add("entries", result.entries)
        .add("sha256", to_hex(result.sha256))
        .add("warnings", result.warnings)
        .add("warning_count", result.warning_count)
        .add("changed", result.changed)
        .add("changed_count", result.changed_count)
        .add("left_out", result.left_out);
    if (packed.live) json.add("live", live_json(*packed.live));
    return print(json.text() + "\n");
  }
  show_warnings(globals, result.warnings, result.warning_count);
  if (globals.quiet) return {};
  return print(escape(options.file) + ": " + std::to_string(result.entries) + " entries, " +
               format_bytes(result.data_size_bytes) + " in " +
               format_bytes(result.archive_size_bytes) + ", " + rate(result.data_size_bytes, time) +
               "\nsha256: " + to_hex(result.sha256) + "\n" +
               (packed.live ? live_text(*packed.live) : ""));
}

// Beside the folder, where it is likely that blocks can be shared with it.
Result<std::unique_ptr<live::LiveFiles>> live_files(const std::string& dir,
                                                    const Progress& progress) {
  std::error_code error;
  const fs::path root = fs::canonical(dir, error);
  if (error) return fail_errno("open " + dir, error.value());
  return live::LiveFiles::create({.dir = root,
                                  .scratch = root.parent_path() / (".manman-live-" + unique_name()),
                                  .stop = [&progress] { return progress.cancel.load(); }});
}

Result<Packed> pack_into(const Globals& globals, const Options& options,
                         const Compression& compression, Sink& out) {
  Progress progress;
  ProgressWatch watch(globals, "archive", progress);
  RateLimiter bandwidth(uint64_t{options.bandwidth_kib} << 10);
  RateLimiter read_rate(uint64_t{options.read_rate_kib} << 10);
  LimitedSink limited(out, bandwidth, &progress);
  std::unique_ptr<live::LiveFiles> files;
  if (options.live) files = TRY(live_files(options.dir, progress));
  Packed packed {
    .archive =
        TRY(archive::pack(options.dir, limited,
                          {.compression = compression,
                           .threads = options.threads,
                           .prefix = options.prefix,
                           .cross_file_systems = options.cross_file_systems,
                           .background = options.background,
                           .leave_out = options.leave_out,
                           .hash_whole = options.file != "-" && (globals.json() || !globals.quiet),
                           .files = files.get(),
                           .read_limit = &read_rate,
                           .progress = &progress}))
  };
  if (files) packed.live = files->evidence();
  return packed;
}

Result<void> check_free(Store& store, const std::string& key, const std::string& url) {
  const auto there = store.head(key);
  if (!there && there.error().code == Code::kNotFound) return {};
  TRY(there);
  return std::unexpected(Error{Code::kAlreadyExists, url + " is there already"}.with_hint(
      "choose another key, or replace it with --force"));
}

Result<Packed> upload(const Globals& globals, const Options& options,
                      const Compression& compression) {
  const auto size = TRY(archive::measure(options.dir, Progress(), options.cross_file_systems));
  const auto [store, key] = TRY(open_s3_url(options.file, options.s3));
  if (!options.force) TRY(check_free(*store, key, options.file));
  const auto object = TRY(store->put(key, size.archive_upper_bound(compression.format)));
  const auto result = TRY(pack_into(globals, options, compression, *object));
  const uint64_t stored = TRY(object->commit())
  .size_bytes;
  if (stored == result.archive.archive_size_bytes) return result;
  return fail(Code::kDataLoss, options.file + ": the store holds " + std::to_string(stored) +
                                   " bytes of " +
                                   std::to_string(result.archive.archive_size_bytes));
}

Result<Packed> write_file(const Globals& globals, const Options& options,
                          const Compression& compression) {
  TRY(check_outside(options.dir, options.file));
  OutputFile file = TRY(OutputFile::create(options.file, options.force));
  const auto result = TRY(pack_into(globals, options, compression, file));
  TRY(file.commit(!options.no_sync));
  return result;
}

Result<int> create(const Globals& globals, const Options& options) {
  const auto begun = std::chrono::steady_clock::now();
  InterruptGuard guard;
  const Compression compression = TRY(compression_of(options));
  if (options.file == "-") {
    if (::isatty(STDOUT_FILENO) == 1)
      return fail(Code::kInvalidArgument, "an archive is not for a terminal; name a file");
    OutputSink out;
    const auto result = TRY(pack_into(globals, options, compression, out));
    show_warnings(globals, result.archive.warnings, result.archive.warning_count);
    return kOk;
  }
  const auto result = TRY(is_s3_url(options.file) ? upload(globals, options, compression)
                                                  : write_file(globals, options, compression));
  TRY(show(globals, options, compression, result, std::chrono::steady_clock::now() - begun));
  return kOk;
}

}  // namespace

void add_archive_create(Command& group, Context& context) {
  Command command = group.command(
      "create", "Make an archive of a folder",
      {"manman archive create /srv/minecraft/world world.tar.gz",
       "manman archive create world world.tar.zst --level 9",
       "manman archive create world world.tar.gz --live --leave-out '*.log' --leave-out /cache/",
       "manman archive create world s3://backups/world.tar.gz --s3-endpoint http://nas:9000",
       "manman archive create world - --prefix world | ssh backup 'cat > world.tar.gz'"});
  auto options = std::make_shared<Options>();
  command.add("dir", options->dir, "The folder").required();
  command.add("file", options->file, "The archive, a file or s3://BUCKET/KEY; - is standard output")
      .required();
  command.add("--prefix", options->prefix, "The folder that its entries stand under").value("NAME");
  add_compression(command, options->format, options->level,
                  "by the file's name, .tar.gz, .tar.zst or .tar; else gz");
  add_threads(command, options->threads);
  command.add_flag("--background", options->background,
                   "Give way to a game beside it: idle I/O class, low CPU weight, and the page "
                   "cache is left as it was");
  command
      .add(
          "--leave-out", options->leave_out,
          "What to leave out, with all below it, as a line of .gitignore says it; may be repeated, "
          "the last that matches counts")
      .value("PATTERN");
  command.add_flag(
      "--live", options->live,
      "A game may be writing: copy SQLite databases through SQLite, and first what was "
      "written to lately, into a folder beside DIR");
  command
      .add("--bandwidth-kib", options->bandwidth_kib,
           "How fast at most the archive is written or sent, in KiB a second; 0: no limit")
      .value("KIB")
      .range(0, UINT32_MAX);
  command
      .add("--read-rate-kib", options->read_rate_kib,
           "How fast at most files are read, in KiB a second; 0: no limit")
      .value("KIB")
      .range(0, UINT32_MAX);
  command.add_flag("--cross-file-systems", options->cross_file_systems,
                   "Take in what is mounted in the folder, too");
  command.add_flag("--force", options->force, "Replace a file or object that is there");
  add_no_sync(command, options->no_sync);
  add_s3_settings(command, options->s3);
  command.on_run(context, [&context, options] { return create(context.globals, *options); });
}

}  // namespace manman::cli
