#include "cli/entry_printer.h"

#include <algorithm>

#include "base/time.h"
#include "cli/output.h"
#include "cli/text.h"

namespace manman::cli {
namespace {

constexpr size_t kFlushBytes = 64 << 10;

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

}  // namespace

std::string entry_line(const archive::Entry& entry) {
  std::string size = std::to_string(entry.size_bytes);
  size.insert(0, 12 - std::min<size_t>(12, size.size()), ' ');
  // format_utc() shows 0 as "-", for fields that are not set; here it is a time.
  const std::string time = entry.mtime_s == 0 ? "1970-01-01T00:00:00Z" : format_utc(entry.mtime_s);
  std::string line = mode_text(entry) + " " + size + " " + time + " " + escape(entry.path);
  if (entry.kind == archive::EntryKind::kSymlink) line += " -> " + escape(entry.link_target);
  if (entry.kind == archive::EntryKind::kHardLink) line += " == " + escape(entry.link_target);
  return line;
}

JsonObject entry_json(const archive::Entry& entry) {
  JsonObject json;
  json.add_bytes("path", entry.path)
      .add("kind", to_text(entry.kind))
      .add("size_bytes", entry.size_bytes)
      .add("mode", uint64_t{entry.mode})
      .add("uid", uint64_t{entry.uid})
      .add("gid", uint64_t{entry.gid})
      .add("mtime_s", entry.mtime_s)
      .add("mtime_ns", uint64_t{entry.mtime_ns});
  json.add_bytes("link_target", entry.link_target);
  return json;
}

Result<void> ItemPrinter::add(const archive::Entry& entry) {
  return add([&] { return entry_json(entry); },
             [&] { return globals_.quiet ? escape(entry.path) : entry_line(entry); });
}

Result<void> ItemPrinter::take(const std::string& text) {
  first_ = false;
  pending_ += text;
  if (pending_.size() < kFlushBytes) return {};
  return flush();
}

Result<void> ItemPrinter::flush() {
  const auto printed = print(pending_);
  pending_.clear();
  return printed;
}

Result<void> ItemPrinter::finish() {
  if (globals_.json())
    pending_ += std::string(first_ ? "{\"items\":[" : "") + "],\"next_page_token\":\"\"}\n";
  return flush();
}

}  // namespace manman::cli
