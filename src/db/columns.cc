#include "db/columns.h"

#include <charconv>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace manman::db {
namespace {

using nlohmann::json;

constexpr int64_t kMaxUnixSeconds = 253402300799;  // end of the year 9999

// The length of the well-formed UTF-8 sequence (Unicode, table 3-7) that text begins with, or 0.
size_t sequence_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto in = [&](size_t i, unsigned low, unsigned high) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return in(1, 0x80, 0xbf) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const unsigned low = first == 0xe0 ? 0xa0 : 0x80;
    const unsigned high = first == 0xed ? 0x9f : 0xbf;
    return in(1, low, high) && in(2, 0x80, 0xbf) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const unsigned low = first == 0xf0 ? 0x90 : 0x80;
    const unsigned high = first == 0xf4 ? 0x8f : 0xbf;
    return in(1, low, high) && in(2, 0x80, 0xbf) && in(3, 0x80, 0xbf) ? 4 : 0;
  }
  return 0;
}

// Reads a column with `read`, which may throw what the json library throws.
template <typename F>
auto read_json(std::string_view column, const std::string& text, F&& read)
    -> Result<decltype(read(json()))> {
  try {
    return read(json::parse(text));
  } catch (const json::exception&) {
    return std::unexpected(damaged(column, text));
  }
}

}  // namespace

Error damaged(std::string_view column, std::string_view content) {
  return Error{Code::kDataLoss, "column " + std::string(column) + " holds \"" +
                                    std::string(content.substr(0, 100)) +
                                    "\", which this program can't read"};
}

Result<void> check_text(std::string_view column, std::string_view text) {
  while (!text.empty()) {
    const size_t length = text.front() == '\0' ? 0 : sequence_length(text);
    if (length == 0) {
      return fail(Code::kInvalidArgument,
                  std::string(column) + " must be UTF-8 text without NUL characters");
    }
    text.remove_prefix(length);
  }
  return {};
}

Result<std::string> timestamp_of(std::string_view column, int64_t unix_s) {
  using namespace std::chrono;
  if (unix_s < 0 || unix_s > kMaxUnixSeconds) {
    return fail(Code::kInvalidArgument,
                std::string(column) + " must be a time from 1970 to 9999, in Unix seconds");
  }
  const sys_seconds time{seconds(unix_s)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u %02d:%02d:%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return std::string(text);
}

Result<int64_t> unix_seconds_from(std::string_view column, const std::string& timestamp) {
  using namespace std::chrono;
  int y = 0;
  unsigned mon = 0;
  unsigned d = 0;
  int h = 0;
  int min = 0;
  int s = 0;
  // A fraction of a second may follow.
  if (std::sscanf(timestamp.c_str(), "%4d-%2u-%2u %2d:%2d:%2d", &y, &mon, &d, &h, &min, &s) != 6) {
    return std::unexpected(damaged(column, timestamp));
  }
  const year_month_day date{year(y), month(mon), day(d)};
  if (!date.ok() || h < 0 || h > 23 || min < 0 || min > 59 || s < 0 || s > 59) {
    return std::unexpected(damaged(column, timestamp));
  }
  return (sys_days(date).time_since_epoch() + hours(h) + minutes(min) + seconds(s)) / seconds(1);
}

Result<std::string> json_of(std::string_view column, const std::vector<std::string>& texts) {
  for (size_t i = 0; i < texts.size(); i++) {
    TRY(check_text(std::string(column) + "[" + std::to_string(i) + "]", texts[i]));
  }
  return json(texts).dump();
}

Result<std::string> json_of(std::string_view column,
                            const std::map<std::string, std::string>& texts) {
  for (const auto& [key, value] : texts) {
    TRY(check_text(std::string(column) + " (a name)", key));
    TRY(check_text(std::string(column) + "." + key, value));
  }
  return json(texts).dump();
}

Result<std::string> json_of(std::string_view column, const std::vector<PortBinding>& bindings) {
  json list = json::array();
  for (const PortBinding& binding : bindings) {
    const std::string path = std::string(column) + "[" + std::to_string(list.size()) + "]";
    TRY(check_text(path + ".protocol", binding.protocol));
    list.push_back({{"container_port", binding.container_port},
                    {"host_port", binding.host_port},
                    {"protocol", binding.protocol}});
  }
  return list.dump();
}

std::string json_of(const KeepRules& keep) {
  json object = json::object();
  const auto say = [&](const char* name, auto value) {
    if (value != decltype(value)()) object[name] = value;
  };
  say("last", keep.last);
  say("hourly", keep.hourly);
  say("daily", keep.daily);
  say("weekly", keep.weekly);
  say("monthly", keep.monthly);
  say("yearly", keep.yearly);
  say("within", to_text(keep.within));
  say("max_total_bytes", keep.max_total_bytes);
  return object.dump();
}

Result<KeepRules> keep_rules_from(std::string_view column, const std::string& text) {
  std::string within;
  KeepRules keep = TRY(read_json(column, text, [&](const json& object) {
    within = object.value("within", "");
    return KeepRules{.last = object.value("last", 0),
                     .hourly = object.value("hourly", 0),
                     .daily = object.value("daily", 0),
                     .weekly = object.value("weekly", 0),
                     .monthly = object.value("monthly", 0),
                     .yearly = object.value("yearly", 0),
                     .max_total_bytes = object.value("max_total_bytes", int64_t{0})};
  }));
  const auto span = calendar_span_from(within);
  if (!span) return std::unexpected(damaged(column, text));
  keep.within = *span;
  return keep;
}

Result<std::vector<std::string>> texts_from(std::string_view column, const std::string& text) {
  return read_json(column, text,
                   [](const json& list) { return list.get<std::vector<std::string>>(); });
}

Result<std::map<std::string, std::string>> text_map_from(std::string_view column,
                                                         const std::string& text) {
  return read_json(column, text, [](const json& object) {
    return object.get<std::map<std::string, std::string>>();
  });
}

Result<std::vector<PortBinding>> port_bindings_from(std::string_view column,
                                                    const std::string& text) {
  return read_json(column, text, [](const json& list) {
    std::vector<PortBinding> bindings;
    for (const json& binding : list) {
      bindings.push_back({binding.at("container_port").get<int>(),
                          binding.at("host_port").get<int>(),
                          binding.at("protocol").get<std::string>()});
    }
    return bindings;
  });
}

Result<Compression> compression_from(std::string_view table, const std::string& format,
                                     const std::string& level) {
  auto compression = Compression::parse(format, level);
  if (compression) return compression;
  return std::unexpected(damaged(std::string(table) + ".format and .level", format + " " + level));
}

}  // namespace manman::db
