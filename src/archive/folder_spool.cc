#include "archive/folder_spool.h"

#include <algorithm>

#include "archive/bytes.h"

namespace manman::archive {
namespace {

// A record: the offset (plus one) of the next of its depth, the size of the fields, the fields.
constexpr size_t kHeadSize = 12;

void put_text(std::string& fields, std::string_view text) {
  put_varint(fields, text.size());
  fields += text;
}

std::string encode(const Entry& entry, const Xattrs& xattrs) {
  std::string fields;
  put_varint(fields, entry.mode);
  put_varint(fields, entry.uid);
  put_varint(fields, entry.gid);
  put_varint(fields, zigzag(entry.mtime_s));
  put_varint(fields, entry.mtime_ns);
  put_text(fields, entry.path);
  put_text(fields, xattrs.access_acl);
  put_text(fields, xattrs.default_acl);
  for (const Xattr& one : xattrs.named) {
    put_text(fields, one.name);
    put_text(fields, one.value);
  }
  return fields;
}

struct Folder {
  Entry entry;
  Xattrs xattrs;
};

Folder decode(ConstBytes bytes) {
  ByteReader fields(bytes);
  Folder folder;
  Entry& entry = folder.entry;
  entry.kind = EntryKind::kFolder;
  entry.mode = static_cast<uint32_t>(fields.varint());
  entry.uid = static_cast<uint32_t>(fields.varint());
  entry.gid = static_cast<uint32_t>(fields.varint());
  entry.mtime_s = unzigzag(fields.varint());
  entry.mtime_ns = static_cast<uint32_t>(fields.varint());
  entry.path = fields.text();
  folder.xattrs.access_acl = fields.text();
  folder.xattrs.default_acl = fields.text();
  while (!fields.rest().empty() && fields.ok()) {
    std::string name = fields.text();
    folder.xattrs.named.push_back({std::move(name), fields.text()});
  }
  return folder;
}

size_t depth_of(const std::string& path) {
  return path == "." ? 0 : 1 + static_cast<size_t>(std::ranges::count(path, '/'));
}

}  // namespace

Result<void> FolderSpool::add(const Entry& entry, const Xattrs& xattrs) {
  const size_t depth = depth_of(entry.path);
  if (by_depth_.size() <= depth) by_depth_.resize(depth + 1);
  const uint64_t mark = records_.size() + 1;
  const std::string fields = encode(entry, xattrs);
  std::string record;
  put_le(record, uint64_t{0});
  put_le(record, static_cast<uint32_t>(fields.size()));
  TRY(records_.append(as_bytes(record + fields)));
  List& list = by_depth_[depth];
  if (list.first == 0) {
    list.first = mark;
  } else {
    std::string next;
    put_le(next, mark);
    TRY(records_.overwrite(list.last - 1, as_bytes(next)));
  }
  list.last = mark;
  return {};
}

Result<void> FolderSpool::visit(
    const std::function<Result<void>(const Entry&, const Xattrs&)>& visit) const {
  for (size_t depth = by_depth_.size(); depth-- > 0;) {
    for (uint64_t mark = by_depth_[depth].first; mark != 0;) {
      std::array<std::byte, kHeadSize> head{};
      TRY(records_.read_at(mark - 1, head));
      ByteReader numbers(head);
      const auto next = numbers.le<uint64_t>();
      std::vector<std::byte> fields(numbers.le<uint32_t>());
      TRY(records_.read_at(mark - 1 + kHeadSize, fields));
      const Folder folder = decode(fields);
      TRY(visit(folder.entry, folder.xattrs));
      mark = next;
    }
  }
  return {};
}

}  // namespace manman::archive
