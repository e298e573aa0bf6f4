#include "game/runtime/docker/demux.h"

#include <algorithm>

namespace manman::docker {
namespace {

constexpr size_t kHeaderBytes = 8;
constexpr std::string_view kTimestampShape = "dddd-dd-ddTdd:dd:dd.dddddddddZ ";

std::unexpected<Error> damaged(std::string what) {
  return fail(Code::kDataLoss, "the container's log stream is damaged: " + std::move(what));
}

bool is_timestamp(std::string_view text) {
  return std::ranges::equal(text, kTimestampShape, [](char found, char wanted) {
    return wanted == 'd' ? found >= '0' && found <= '9' : found == wanted;
  });
}

size_t size_in(std::string_view header) {
  size_t size = 0;
  for (const char byte : header.substr(4, 4)) size = size << 8 | static_cast<unsigned char>(byte);
  return size;
}

Result<void> check_header(std::string_view header) {
  if (header.substr(1, 3) != std::string_view("\0\0\0", 3))
    return damaged("no frame begins where one must");
  const int stream = static_cast<unsigned char>(header[0]);
  if (stream > 3) return damaged("stream " + std::to_string(stream));
  if (size_in(header) > Demux::kMaxFrameBytes)
    return damaged("a frame of " + std::to_string(size_in(header)) + " bytes");
  return {};
}

Result<LogEntry> entry_in(std::string_view header, std::string_view frame) {
  constexpr char kErrorOfEngine = 3;
  if (header[0] == kErrorOfEngine)
    return fail(Code::kInternal, "Docker reports: " + std::string(frame.substr(0, 1000)));
  const std::string_view timestamp = frame.substr(0, kTimestampShape.size());
  if (!is_timestamp(timestamp)) return damaged("an entry without a timestamp");
  return LogEntry{timestamp.substr(0, timestamp.size() - 1), frame.substr(timestamp.size())};
}

}  // namespace

Result<void> Demux::feed(std::string_view bytes,
                         const std::function<Result<void>(const LogEntry&)>& entry) {
  begun_ += bytes;
  std::string_view left = begun_;
  while (left.size() >= kHeaderBytes) {
    const std::string_view header = left.substr(0, kHeaderBytes);
    TRY(check_header(header));
    const size_t size = size_in(header);
    if (left.size() - kHeaderBytes < size) break;
    TRY(entry(TRY(entry_in(header, left.substr(kHeaderBytes, size)))));
    left.remove_prefix(kHeaderBytes + size);
  }
  begun_.erase(0, begun_.size() - left.size());
  return {};
}

}  // namespace manman::docker
