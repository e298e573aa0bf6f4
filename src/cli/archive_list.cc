#include "archive/archive.h"
#include "base/time.h"
#include "cli/archive_verbs.h"
#include "cli/json_text.h"
#include "cli/output.h"
#include "cli/s3_settings.h"
#include "cli/text.h"

namespace manman::cli {
namespace {

constexpr size_t kFlushBytes = 64 << 10;

std::string_view kind_name(archive::EntryKind kind) {
  switch (kind) {
    case archive::EntryKind::kFile:
      return "file";
    case archive::EntryKind::kFolder:
      return "folder";
    case archive::EntryKind::kSymlink:
      return "symlink";
    case archive::EntryKind::kHardLink:
      return "hardlink";
  }
  return "file";
}

// "drwxr-xr-x", as ls has it.
std::string mode_text(const archive::Entry& entry) {
  const char kind = entry.kind == archive::EntryKind::kFolder    ? 'd'
                    : entry.kind == archive::EntryKind::kSymlink ? 'l'
                                                                 : '-';
  std::string text(1, kind);
  for (int shift = 6; shift >= 0; shift -= 3)
    for (int bit = 2; bit >= 0; bit--)
      text += (entry.mode >> (shift + bit) & 1) != 0 ? "xwr"[bit] : '-';
  return text;
}

std::string text_line(const archive::Entry& entry) {
  std::string size = std::to_string(entry.size_bytes);
  size.insert(0, 12 - std::min<size_t>(12, size.size()), ' ');
  // format_utc() shows 0 as "-", for fields that are not set; here it is a time.
  const std::string time = entry.mtime_s == 0 ? "1970-01-01T00:00:00Z" : format_utc(entry.mtime_s);
  std::string line = mode_text(entry) + " " + size + " " + time + " " + escape(entry.path);
  if (entry.kind == archive::EntryKind::kSymlink) line += " -> " + escape(entry.link_target);
  if (entry.kind == archive::EntryKind::kHardLink) line += " == " + escape(entry.link_target);
  return line + "\n";
}

std::string json_line(const archive::Entry& entry) {
  JsonObject json;
  json.add_bytes("path", entry.path)
      .add("kind", kind_name(entry.kind))
      .add("size_bytes", entry.size_bytes)
      .add("mode", uint64_t{entry.mode})
      .add("uid", uint64_t{entry.uid})
      .add("gid", uint64_t{entry.gid})
      .add("mtime_s", entry.mtime_s)
      .add("mtime_ns", uint64_t{entry.mtime_ns});
  json.add_bytes("link_target", entry.link_target);
  return json.text();
}

Result<void> list(const Globals& globals, RandomSource& source) {
  std::string pending = globals.json() ? "{\"items\":[" : "";
  Result<void> printed;
  bool first = true;
  auto listed = archive::list(source, [&](const archive::Entry& entry) {
    if (globals.json())
      pending += (std::exchange(first, false) ? "\n" : ",\n") + json_line(entry);
    else
      pending += globals.quiet ? escape(entry.path) + "\n" : text_line(entry);
    if (pending.size() < kFlushBytes) return true;
    printed = print(std::exchange(pending, {}));
    return printed.has_value();
  });
  if (!printed) return printed;
  if (listed && globals.json()) pending += "],\"next_page_token\":\"\"}\n";
  TRY(print(pending));
  return listed;
}

}  // namespace

void add_archive_list(Command& group, Context& context) {
  Command command = group.command(
      "list", "List what an archive holds",
      {"manman archive list world.tar.gz", "manman archive list world.tar.gz -q | grep region"});
  struct Options {
    std::string file;
    S3Settings s3;
  };
  auto options = std::make_shared<Options>();
  command
      .add("file", options->file,
           "The archive: any .tar.gz, .tar.zst or .tar, a file or s3://BUCKET/KEY")
      .required();
  add_s3_settings(command, options->s3);
  command.on_run(context, [&context, options]() -> Result<int> {
    const auto source = TRY(open_archive(options->file, options->s3, Reading::kHereAndThere));
    const auto listed = in(options->file, list(context.globals, *source));
    if (!listed) return archive_outcome(context.globals, std::unexpected(listed.error()));
    return kOk;
  });
}

}  // namespace manman::cli
