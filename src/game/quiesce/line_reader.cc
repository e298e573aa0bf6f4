#include "game/quiesce/line_reader.h"

#include <algorithm>

namespace manman {

bool LineReader::feed(std::string_view bytes, const std::function<bool(std::string_view)>& line) {
  while (!bytes.empty()) {
    const size_t end = std::min(bytes.find('\n'), bytes.size());
    const bool complete = end < bytes.size();
    if (!dropping_) begun_ += bytes.substr(0, std::min(end, kMaxLineBytes - begun_.size()));
    const bool full = begun_.size() == kMaxLineBytes;
    bytes.remove_prefix(complete ? end + 1 : end);
    if (!complete && !full) continue;

    bool stop = false;
    if (!dropping_) {
      std::string_view text = begun_;
      if (text.ends_with('\r')) text.remove_suffix(1);
      stop = line(text);
      begun_.clear();
    }
    dropping_ = !complete;
    if (stop) return true;
  }
  return false;
}

void LineReader::reset() {
  begun_.clear();
  dropping_ = false;
}

}  // namespace manman
