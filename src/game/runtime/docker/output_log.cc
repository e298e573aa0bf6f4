#include "game/runtime/docker/output_log.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "base/log.h"
#include "game/runtime/docker/json_file.h"

namespace manman::docker {
namespace {

using nlohmann::json;

// How much may have to be read again.
constexpr uint64_t kCursorStep = 1U << 20;
constexpr int64_t kDisorderSeconds = 600;
constexpr std::string_view kGapNote =
    "\n[manman] some output from before this line is missing: Docker kept it no longer\n";

}  // namespace

Result<OutputLog> OutputLog::open(const SessionDir& files) {
  auto saved = TRY(read_json_file(files.cursor(), [](const json& value) {
    return Cursor{value.at("timestamp").get<std::string>(), value.at("offset").get<uint64_t>()};
  }));
  const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
  UniqueFd file(::open(files.output().c_str(), flags, 0600));
  if (!file) return fail_errno("open " + files.output().string(), errno);
  return OutputLog(files, std::move(file), saved.value_or(Cursor{}));
}

// For "2026-01-31T12:10:00.000000001Z": "1769860800.000000001", ten minutes earlier.
Result<std::string> OutputLog::since() const {
  if (saved_.timestamp.empty()) return std::string();
  constexpr size_t kSecondsEnd = 19;
  std::tm time{};
  const char* const end = ::strptime(saved_.timestamp.c_str(), "%Y-%m-%dT%H:%M:%S", &time);
  if (end != saved_.timestamp.c_str() + kSecondsEnd || !saved_.timestamp.ends_with('Z'))
    return fail(Code::kDataLoss, files_.cursor().string() + " is damaged: it holds no time");
  std::string fraction = saved_.timestamp.substr(kSecondsEnd);
  fraction.pop_back();
  return std::to_string(::timegm(&time) - kDisorderSeconds) + fraction;
}

Result<void> OutputLog::begin() {
  struct stat info{};
  if (::fstat(file_.get(), &info) != 0)
    return fail_errno("stat " + files_.output().string(), errno);
  size_ = static_cast<uint64_t>(info.st_size);
  position_ = std::min(saved_.offset, size_);  // less when someone has truncated the file
  at_cursor_ = saved_.timestamp.empty();
  latest_.clear();
  return {};
}

Result<void> OutputLog::add(const LogEntry& entry) {
  if (!TRY(reaches_cursor(entry))) return {};
  if (entry.timestamp > latest_) {
    latest_ = entry.timestamp;
    if (saved_.timestamp.empty() || position_ >= saved_.offset + kCursorStep)
      TRY(save_cursor({latest_, position_}));
  }
  const uint64_t written = std::clamp<uint64_t>(size_, position_, position_ + entry.bytes.size());
  TRY(write(entry.bytes.substr(written - position_)));
  position_ += entry.bytes.size();
  return {};
}

Result<bool> OutputLog::reaches_cursor(const LogEntry& entry) {
  if (at_cursor_) return true;
  if (entry.timestamp < saved_.timestamp) return false;
  at_cursor_ = true;
  if (entry.timestamp == saved_.timestamp) return true;
  log_warn({}, "{}: some output is missing, Docker kept it no longer", files_.output().string());
  TRY(write(kGapNote));
  position_ = size_;
  TRY(save_cursor({std::string(entry.timestamp), position_}));
  return true;
}

Result<void> OutputLog::save_cursor(const Cursor& cursor) {
  const json value{{"timestamp", cursor.timestamp}, {"offset", cursor.offset}};
  TRY(write_file_durably(files_.cursor(), value.dump() + "\n"));
  saved_ = cursor;
  return {};
}

Result<void> OutputLog::write(std::string_view bytes) {
  if (bytes.empty()) return {};
  TRY(write_all(file_.get(), as_bytes(bytes), files_.output().string()));
  size_ += bytes.size();
  return {};
}

}  // namespace manman::docker
