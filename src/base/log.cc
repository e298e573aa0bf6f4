#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>

namespace manman {

std::string About::prefix() const {
  std::string text;
  const auto add = [&text](std::string_view name, int64_t id) {
    if (id == 0) return;
    text += text.empty() ? "[" : " ";
    text += name;
    text += '=';
    text += std::to_string(id);
  };
  add("backup", backup_id);
  add("session", session_id);
  add("sgc", sgc_id);
  add("server", server_id);
  if (!text.empty()) text += "] ";
  return text;
}

void init_logging(std::string_view level) {
  auto logger = spdlog::stderr_logger_mt("manman");
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%-5l%$ %v", spdlog::pattern_time_type::utc);
  auto parsed = spdlog::level::info;
  if (level == "debug") parsed = spdlog::level::debug;
  if (level == "warn") parsed = spdlog::level::warn;
  if (level == "error") parsed = spdlog::level::err;
  logger->set_level(parsed);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace manman
