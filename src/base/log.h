#pragma once

#include <spdlog/spdlog.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace manman {

// What a log line is about. Fields that are 0 are left out: "[backup=5 session=12 sgc=3] …".
struct About {
  int64_t backup_id = 0;
  int64_t session_id = 0;
  int64_t sgc_id = 0;
  int64_t server_id = 0;

  std::string prefix() const;
};

// Logs to standard error, level from the text "debug", "info", "warn", "error"; an unknown one is
// info. Call once, before any thread.
void init_logging(std::string_view level);

template <typename... Args>
void log(spdlog::level::level_enum level, const About& about,
         spdlog::format_string_t<Args...> format, Args&&... args) {
  if (!spdlog::should_log(level)) return;
  spdlog::log(level, "{}{}", about.prefix(), fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_info(const About& about, spdlog::format_string_t<Args...> format, Args&&... args) {
  log(spdlog::level::info, about, format, std::forward<Args>(args)...);
}
template <typename... Args>
void log_warn(const About& about, spdlog::format_string_t<Args...> format, Args&&... args) {
  log(spdlog::level::warn, about, format, std::forward<Args>(args)...);
}
template <typename... Args>
void log_error(const About& about, spdlog::format_string_t<Args...> format, Args&&... args) {
  log(spdlog::level::err, about, format, std::forward<Args>(args)...);
}
template <typename... Args>
void log_debug(const About& about, spdlog::format_string_t<Args...> format, Args&&... args) {
  log(spdlog::level::debug, about, format, std::forward<Args>(args)...);
}

}  // namespace manman
