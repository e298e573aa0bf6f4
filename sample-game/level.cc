#include "sample-game/level.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <sstream>

#include "base/file.h"
#include "sample-game/chunk.h"
#include "sample-game/gzip.h"

namespace sample_game {
namespace {

using manman::Code;
using manman::fail;
using manman::fail_errno;
using manman::Result;
using manman::UniqueFd;

constexpr size_t kMaxTextBytes = 4U << 20;

Result<void> write_renamed(const std::filesystem::path& file, std::string_view bytes) {
  const std::string beside = file.string() + "_new";
  {
    const UniqueFd fd(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!fd) return fail_errno("create " + beside, errno);
    TRY(manman::write_all(fd.get(), manman::as_bytes(bytes), beside));
  }
  if (::rename(beside.c_str(), file.c_str()) != 0)
    return fail_errno("rename to " + file.string(), errno);
  return {};
}

Result<Level> parse_level(const std::string& text) {
  Level level;
  std::istringstream words(text);
  std::string word;
  if (!(words >> word) || word != "sample-game-level" || !(words >> level.tick >> level.sectors) ||
      level.sectors < 1 || level.sectors > kMaxSectors)
    return fail(Code::kDataLoss, "it is no level of this game");
  std::string name;
  Recorded recorded;
  while (words >> word && word == "file" && words >> name >> recorded.counter >> recorded.checksum)
    level.files[name] = recorded;
  if (word != "end") return fail(Code::kDataLoss, "its list of files is damaged");
  return level;
}

}  // namespace

Result<Level> read_level(const std::filesystem::path& file) {
  const std::string packed = TRY(manman::read_file(file));
  const auto text = inflate_all(packed, Framing::kGzip, kMaxTextBytes);
  return manman::in(file.string(), text ? parse_level(*text) : std::unexpected(text.error()));
}

Result<void> write_level(const std::filesystem::path& file, const Level& level) {
  std::ostringstream text;
  text << "sample-game-level " << level.tick << ' ' << level.sectors << '\n';
  for (const auto& [name, recorded] : level.files)
    text << "file " << name << ' ' << recorded.counter << ' ' << recorded.checksum << '\n';
  text << "end\n";
  return write_renamed(file, deflate_all(text.str(), Framing::kGzip));
}

Result<Recorded> read_player(const std::filesystem::path& file, const std::string& name) {
  const std::string packed = TRY(manman::read_file(file));
  const std::string text = TRY(inflate_all(packed, Framing::kGzip, kMaxTextBytes));
  std::istringstream words(text);
  std::string kind;
  std::string found;
  Recorded recorded{0, crc32_of(packed)};
  if (!(words >> kind >> found >> recorded.counter) || kind != "player" || found != name)
    return fail(Code::kDataLoss, "it is not the player " + name);
  return recorded;
}

Result<Recorded> write_player(const std::filesystem::path& file, const std::string& name,
                              uint32_t tick) {
  std::ostringstream text;
  text << "player " << name << ' ' << tick << "\nposition " << tick % 512 << " 64 "
       << tick * 7 % 512 << '\n';
  const std::string packed = deflate_all(text.str(), Framing::kGzip);
  TRY(write_renamed(file, packed));
  return Recorded{tick, crc32_of(packed)};
}

}  // namespace sample_game
