#include "fuzz/tar_mutator.h"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

#include "archive/bytes.h"
#include "archive/tar_header.h"
#include "base/file.h"

namespace manman::archive::fuzz {
namespace {

struct Field {
  size_t at;
  size_t size;
};
constexpr Field kName{0, 100};
constexpr Field kSize{124, 12};
constexpr Field kChecksum{148, 8};
constexpr Field kType{156, 1};
constexpr Field kLink{157, 100};
constexpr Field kMagic{257, 8};
constexpr std::array<Field, 13> kFields = {{kName,
                                            {100, 8},
                                            {108, 8},
                                            {116, 8},
                                            kSize,
                                            {136, 12},
                                            kType,
                                            kLink,
                                            kMagic,
                                            {345, 155},
                                            {386, 96},
                                            {482, 1},
                                            {483, 12}}};
constexpr std::array<Field, 7> kNumbers = {
    {{100, 8}, {108, 8}, {116, 8}, kSize, {136, 12}, {386, 12}, {398, 12}}};
constexpr std::string_view kTypes = "0012335567xxgLKSVMDXN\x7f";

const std::array<std::string, 22> kNames = {"a",
                                            "game",
                                            "game/",
                                            "game/a",
                                            "game/a/b",
                                            "..",
                                            "../x",
                                            "a/../../x",
                                            "/etc/x",
                                            "//x",
                                            ".",
                                            "./",
                                            "./a//b/",
                                            "",
                                            "link",
                                            "link/x",
                                            "a/..",
                                            "game/../../x",
                                            "\xff\n",
                                            "outside",
                                            std::string(99, 'n'),
                                            std::string(256, 'l')};
const std::array<std::string, 20> kKeys = {"path",
                                           "linkpath",
                                           "size",
                                           "uid",
                                           "gid",
                                           "mtime",
                                           "hdrcharset",
                                           "comment",
                                           "SCHILY.xattr.user.a",
                                           "GNU.sparse.major",
                                           "GNU.sparse.minor",
                                           "GNU.sparse.name",
                                           "GNU.sparse.realsize",
                                           "GNU.sparse.size",
                                           "GNU.sparse.numblocks",
                                           "GNU.sparse.offset",
                                           "GNU.sparse.numbytes",
                                           "GNU.sparse.map",
                                           "GNU.sparse.",
                                           "atime"};
const std::array<std::string, 16> kValues = {"",
                                             "0",
                                             "1",
                                             "512",
                                             "1024",
                                             "-1",
                                             "1.5",
                                             "-0.000000001",
                                             "1.9999999999",
                                             "9223372036854775807",
                                             "18446744073709551616",
                                             "0,512",
                                             "0,512,1024,512",
                                             "512,0,0,512",
                                             "BINARY",
                                             "nan"};

// A header block, or the blocks behind one.
struct Part {
  std::string bytes;
  bool header = false;
};

void pad(std::string& bytes) {
  bytes.resize((bytes.size() + kTarBlock - 1) / kTarBlock * kTarBlock);
}

std::vector<Part> cut(const std::string& stream) {
  std::vector<Part> parts;
  for (size_t at = 0; at < stream.size();) {
    std::string block = stream.substr(at, kTarBlock);
    at += block.size();
    const bool whole = block.size() == kTarBlock;
    const auto parsed = whole ? parse_header(as_bytes(block)) : fail(Code::kDataLoss, "short");
    parts.push_back({std::move(block), parsed.has_value()});
    if (!parsed || parsed->size_bytes == 0) continue;
    const uint64_t room = stream.size() - at;
    const uint64_t size = std::min(room, (std::min(parsed->size_bytes, room) + 511) / 512 * 512);
    if (size == 0) continue;
    parts.push_back({stream.substr(at, size), false});
    at += size;
  }
  return parts;
}

void put(std::string& header, Field field, std::string_view value) {
  std::string text(value.substr(0, field.size));
  text.resize(field.size);
  header.replace(field.at, field.size, text);
}

void put_number(std::string& header, Field field, uint64_t value, bool binary) {
  char text[32];
  std::snprintf(text, sizeof text, "%0*llo", static_cast<int>(field.size) - 1,
                static_cast<unsigned long long>(value));
  if (!binary) return put(header, field, text);
  std::string bytes(field.size, value >> 63 != 0 ? '\xff' : '\0');
  for (size_t i = 0; i < std::min<size_t>(8, field.size); i++)
    bytes[field.size - 1 - i] = static_cast<char>(value >> (8 * i));
  bytes[0] = static_cast<char>(bytes[0] | 0x80);
  put(header, field, bytes);
}

void fix_checksum(std::string& header) {
  put(header, kChecksum, "        ");
  unsigned sum = 0;
  for (const char byte : header) sum += static_cast<unsigned char>(byte);
  char text[16];
  std::snprintf(text, sizeof text, "%06o", sum);
  put(header, kChecksum, std::string_view(text, 7));
}

std::string new_header(char type, const std::string& name, uint64_t size) {
  std::string header(kTarBlock, '\0');
  put(header, kName, name);
  put_number(header, {100, 8}, 0644, false);
  put_number(header, kSize, size, false);
  put(header, kType, std::string(1, type));
  put(header, kMagic, std::string_view("ustar\00000", 8));
  fix_checksum(header);
  return header;
}

std::string record(const std::string& key, const std::string& value) {
  const std::string text = " " + key + "=" + value + "\n";
  size_t size = text.size() + 1;
  while (std::to_string(size).size() + text.size() != size) size++;
  return std::to_string(size) + text;
}

std::string any_name(Random& random) {
  std::string name = random.of(kNames);
  if (random.one_in(4)) name = mutate_bytes(name, name.size() + 8);
  if (random.one_in(64)) name = std::string(5000, 'p');
  return name;
}

std::string any_value(const std::string& key, Random& random) {
  const bool is_name = key == "path" || key == "linkpath" || key == "GNU.sparse.name";
  std::string value = is_name ? any_name(random) : random.of(kValues);
  if (random.one_in(8)) value = std::to_string(random.number());
  if (random.one_in(6)) value = mutate_bytes(value, value.size() + 8);
  return value;
}

std::string records(Random& random) {
  std::string text;
  for (uint64_t i = 1 + random.below(3); i > 0; i--) {
    const std::string& key = random.of(kKeys);
    text += record(key, any_value(key, random));
  }
  if (random.one_in(6)) text = mutate_bytes(text, text.size() + 16);
  return text;
}

// An extended header of some kind.
std::vector<Part> extension(Random& random) {
  constexpr std::array<char, 6> kKinds = {'x', 'x', 'x', 'g', 'L', 'K'};
  const char kind = random.of(kKinds);
  std::string text = kind == 'L' || kind == 'K' ? any_name(random) + '\0' : records(random);
  std::vector<Part> parts = {{new_header(kind, "extended", text.size()), true}};
  pad(text);
  parts.push_back({std::move(text), false});
  return parts;
}

// The pax records of a part with one value changed, lengths right.
std::string change_record(const std::string& text, Random& random) {
  std::vector<std::pair<std::string, std::string>> all;
  for (std::string_view rest = text; !rest.empty();) {
    const size_t space = rest.find(' ');
    const size_t equals = rest.find('=');
    const size_t end = rest.find('\n');
    if (space == std::string_view::npos || equals == std::string_view::npos ||
        end == std::string_view::npos || space > equals || equals > end)
      break;
    all.emplace_back(rest.substr(space + 1, equals - space - 1),
                     rest.substr(equals + 1, end - equals - 1));
    rest.remove_prefix(end + 1);
  }
  if (all.empty()) return records(random);
  auto& [key, value] = all[random.below(all.size())];
  if (random.one_in(3)) key = random.of(kKeys);
  value = random.one_in(2) ? any_value(key, random) : mutate_bytes(value, value.size() + 8);
  std::string out;
  for (const auto& [name, content] : all) out += record(name, content);
  return out;
}

class Mutation {
 public:
  Mutation(std::vector<Part> parts, Random& random) : parts_(std::move(parts)), random_(random) {}

  void step() {
    if (parts_.empty()) parts_ = extension(random_);
    switch (random_.below(10)) {
      case 0:
      case 1:
        return change_field();
      case 2:
        return change_number();
      case 3:
        return change_name();
      case 4:
        return change_type();
      case 5:
      case 6:
        return change_contents();
      case 7:
        return insert(extension(random_));
      case 8:
        return rearrange();
      default:
        return insert_entry();
    }
  }

  std::string finish() {
    std::string stream;
    const bool fix = !random_.one_in(16);
    for (Part& part : parts_) {
      if (part.header && fix && part.bytes.size() == kTarBlock) fix_checksum(part.bytes);
      stream += part.bytes;
    }
    if (random_.one_in(16)) stream.append(1024, '\0');
    if (random_.one_in(32)) stream = mutate_bytes(stream, stream.size() + 64);
    return stream;
  }

 private:
  size_t any_place() { return random_.below(parts_.size()); }
  // Null when there is none near.
  std::string* any_header() {
    for (int i = 0; i < 8; i++)
      if (Part& part = parts_[any_place()]; part.header) return &part.bytes;
    return nullptr;
  }
  void insert(const std::vector<Part>& more) {
    const auto at = parts_.begin() + static_cast<ptrdiff_t>(any_place());
    parts_.insert(at, more.begin(), more.end());
  }

  void change_field() {
    std::string* header = any_header();
    if (header == nullptr) return;
    const Field field = random_.of(kFields);
    put(*header, field, mutate_bytes(header->substr(field.at, field.size), field.size));
  }
  void change_number() {
    if (std::string* header = any_header())
      put_number(*header, random_.of(kNumbers), random_.number(), random_.one_in(2));
  }
  void change_name() {
    if (std::string* header = any_header())
      put(*header, random_.one_in(2) ? kName : kLink, any_name(random_));
  }
  void change_type() {
    std::string* header = any_header();
    if (header == nullptr) return;
    put(*header, kType, std::string(1, kTypes[random_.below(kTypes.size())]));
    if (random_.one_in(4))
      put(*header, kMagic, random_.one_in(2) ? std::string_view("ustar  \0", 8) : "");
  }
  void change_contents() {
    const size_t at = any_place();
    Part& part = parts_[at];
    if (part.header || part.bytes.size() > 65536) return;
    const size_t last = part.bytes.find_last_not_of('\0');
    std::string text = part.bytes.substr(0, last == std::string::npos ? 0 : last + 1);
    text = random_.one_in(2) ? change_record(text, random_) : mutate_bytes(text, text.size() + 600);
    const size_t size = text.size();
    pad(text);
    part.bytes = std::move(text);
    if (at > 0 && parts_[at - 1].header && !random_.one_in(8))
      put_number(parts_[at - 1].bytes, kSize, size, false);
  }
  void rearrange() {
    const size_t at = any_place();
    const Part part = parts_[at];
    if (!random_.one_in(3)) parts_.erase(parts_.begin() + static_cast<ptrdiff_t>(at));
    if (parts_.empty() || random_.one_in(3)) return;
    insert({part});
  }
  void insert_entry() {
    constexpr std::array<char, 6> kKinds = {'0', '5', '2', '1', '0', 'S'};
    std::string header = new_header(random_.of(kKinds), any_name(random_), 0);
    put(header, kLink, any_name(random_));
    if (random_.one_in(2)) put(header, kMagic, std::string_view("ustar  \0", 8));
    std::vector<Part> parts = {{std::move(header), true}};
    if (random_.one_in(2)) {
      std::string contents(random_.below(1500), 'c');
      put_number(parts[0].bytes, kSize, contents.size(), false);
      pad(contents);
      parts.push_back({std::move(contents), false});
    }
    insert(parts);
  }

  std::vector<Part> parts_;
  Random& random_;
};

}  // namespace

std::string mutate_tar(std::string stream, Random& random, size_t max_size) {
  Mutation mutation(cut(stream), random);
  for (uint64_t i = 1 + random.below(4); i > 0; i--) mutation.step();
  std::string changed = mutation.finish();
  if (changed.size() > max_size) changed.resize(max_size);
  return changed;
}

}  // namespace manman::archive::fuzz
