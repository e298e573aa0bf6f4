#include "archive/hard_links.h"

namespace manman::archive {
namespace {

constexpr size_t kMaxKnown = 200'000;

}  // namespace

Result<HardLinks::Seen> HardLinks::meet(const struct stat& info, const std::string& path) {
  const Key key{info.st_dev, info.st_ino};
  const auto found = known_.find(key);
  if (found == known_.end()) {
    if (known_.size() >= kMaxKnown) return Seen{.first_path = {}, .forgotten = true};
    known_.emplace(key, Known{names_.size(), static_cast<uint32_t>(path.size()),
                              static_cast<uint32_t>(info.st_nlink - 1)});
    TRY(names_.append(as_bytes(path)));
    return Seen{};
  }
  Known& known = found->second;
  std::string first(known.size, '\0');
  TRY(names_.read_at(known.offset, std::as_writable_bytes(std::span(first))));
  if (--known.links_left == 0) known_.erase(found);
  return Seen{.first_path = std::move(first), .forgotten = false};
}

}  // namespace manman::archive
