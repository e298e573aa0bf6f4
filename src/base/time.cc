#include "base/time.h"

#include <ctime>

namespace manman {
namespace {

class SystemClock final : public Clock {
 public:
  int64_t now_ms() const override {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
};

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

std::string format_utc(int64_t unix_s) {
  if (unix_s == 0) return "-";
  const time_t time = unix_s;
  tm parts{};
  if (gmtime_r(&time, &parts) == nullptr) return "-";
  char text[32];
  const size_t length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text, length};
}

}  // namespace manman
