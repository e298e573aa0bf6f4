#include "host/record.h"

#include <array>
#include <nlohmann/json.hpp>
#include <optional>

namespace manman::host {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr int kVersion = 1;

constexpr std::array<std::string_view, 7> kKinds = {"backup", "session", "stop", "undo",
                                                    "expire", "cancel",  "drill"};
constexpr std::array<std::string_view, 4> kPhases = {"received", "swapping", "running", "final"};

template <typename Enum, size_t N>
std::optional<Enum> from_text(const std::array<std::string_view, N>& names,
                              const std::string& text) {
  for (size_t i = 0; i < N; i++) {
    if (names[i] == text) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

Error damaged(const std::string& why) {
  return Error{Code::kDataLoss, "damaged journal record: " + why};
}

Result<Record> from_json(const json& body) {
  if (body.at("version").get<int>() != kVersion)
    return std::unexpected(damaged("version " + body.at("version").dump() + " is not known"));
  const auto kind = from_text<JobKind>(kKinds, body.at("kind").get<std::string>());
  const auto phase = from_text<Phase>(kPhases, body.at("phase").get<std::string>());
  if (!kind || !phase) return std::unexpected(damaged("unknown kind or phase"));
  Record record;
  record.key = {*kind, body.at("id").get<int64_t>(), body.at("attempt").get<int>()};
  record.phase = *phase;
  record.sequence = body.at("sequence").get<int64_t>();
  record.sgc_id = body.at("sgc_id").get<int64_t>();
  record.command = body.at("command").get<std::string>();
  record.starts = body.at("starts").get<int>();
  record.upload_begun = body.at("upload_begun").get<bool>();
  record.quiesced = body.at("quiesced").get<bool>();
  record.staged_identity = body.at("staged_identity").get<std::string>();
  record.replaced_data = body.at("replaced_data").get<std::string>();
  record.stop_asked = body.at("stop_asked").get<bool>();
  record.too_late = body.value("too_late", "");
  record.report_key = body.at("report_key").get<std::string>();
  record.report_body = body.at("report_body").get<std::string>();
  record.remember = body.at("remember").get<bool>();
  return record;
}

}  // namespace

std::string_view to_text(JobKind kind) {
  return kKinds[static_cast<size_t>(kind)];
}

std::string JobKey::text() const {
  return std::string(to_text(kind)) + "-" + std::to_string(id) + "-" + std::to_string(attempt);
}

std::string Record::to_json() const {
  ordered_json body;
  body["version"] = kVersion;
  body["kind"] = to_text(key.kind);
  body["id"] = key.id;
  body["attempt"] = key.attempt;
  body["phase"] = kPhases[static_cast<size_t>(phase)];
  body["sequence"] = sequence;
  body["sgc_id"] = sgc_id;
  body["command"] = command;
  body["starts"] = starts;
  body["upload_begun"] = upload_begun;
  body["quiesced"] = quiesced;
  body["staged_identity"] = staged_identity;
  body["replaced_data"] = replaced_data;
  body["stop_asked"] = stop_asked;
  body["too_late"] = too_late;
  body["report_key"] = report_key;
  body["report_body"] = report_body;
  body["remember"] = remember;
  return body.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<Record> Record::parse(std::string_view text) {
  try {
    return from_json(json::parse(text));
  } catch (const json::exception& error) {
    return std::unexpected(damaged(error.what()));
  }
}

}  // namespace manman::host
