#include "game/runtime/docker/engine.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

namespace manman::docker {
namespace {

using nlohmann::json;
using std::chrono::seconds;

// The first is that of Docker 20.10. Creating may copy all of an image, starting pull at much.
constexpr std::pair<int, int> kVersion{1, 41};
constexpr seconds kCreateTimeout{120};
constexpr seconds kStartTimeout{60};
constexpr seconds kRemoveTimeout{60};
constexpr seconds kInputPatience{2};
constexpr size_t kMaxMessageBytes = 2000;

template <typename F>
auto read_json(const std::string& what, const std::string& text, F&& convert)
    -> Result<decltype(convert(json()))> {
  try {
    return convert(json::parse(text));
  } catch (const json::exception& error) {
    return fail(Code::kDataLoss,
                "Docker Engine's answer to " + what + " can't be read: " + error.what());
  }
}

// A string that may be absent or null.
std::string text_or_empty(const json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? std::string() : found->get<std::string>();
}

Code code_of(int status) {
  switch (status) {
    case 400:
      return Code::kInvalidArgument;
    case 403:
      return Code::kPermissionDenied;
    case 404:
      return Code::kNotFound;
    case 409:
      return Code::kFailedPrecondition;
    case 503:
      return Code::kUnavailable;
    default:
      return Code::kInternal;
  }
}

// {"message": "…"}, or whatever else there is.
std::string message_in(const HttpAnswer& answer) {
  const json body = json::parse(answer.body, nullptr, false);
  if (body.is_object() && body.contains("message") && body["message"].is_string())
    return body["message"].get<std::string>().substr(0, kMaxMessageBytes);
  return "status " + std::to_string(answer.status);
}

Result<void> expect(const HttpAnswer& answer, int first, int second = 0) {
  if (answer.status == first || answer.status == second) return {};
  return fail(code_of(answer.status), "Docker: " + message_in(answer));
}

Result<std::pair<int, int>> parse_version(const std::string& text) {
  std::pair<int, int> version;
  const char* const end = text.data() + text.size();
  const auto [dot, major] = std::from_chars(text.data(), end, version.first);
  if (major == std::errc() && dot != end && *dot == '.') {
    const auto [last, minor] = std::from_chars(dot + 1, end, version.second);
    if (minor == std::errc() && last == end) return version;
  }
  return fail(Code::kDataLoss, "Docker Engine names '" + text.substr(0, 100) + "' as API version");
}

ContainerState state_from(const json& body) {
  const json& found = body.at("State");
  ContainerState state;
  const std::string status = found.at("Status").get<std::string>();
  state.running = found.at("Running").get<bool>();
  state.started = status != "created" && !text_or_empty(found, "StartedAt").starts_with("0001-");
  state.exit_code = found.at("ExitCode").get<int>();
  state.out_of_memory = found.value("OOMKilled", false);
  state.error = text_or_empty(found, "Error").substr(0, kMaxMessageBytes);
  const std::string signal = text_or_empty(body.at("Config"), "StopSignal");
  if (!signal.empty()) state.stop_signal = signal;
  return state;
}

std::vector<Container> containers_from(const json& body) {
  std::vector<Container> containers;
  for (const json& each : body) {
    Container container{each.at("Id").get<std::string>(), {}};
    if (each.contains("Labels") && !each["Labels"].is_null())
      container.labels = each["Labels"].get<Labels>();
    containers.push_back(std::move(container));
  }
  return containers;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const unsigned char byte : text) {
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                       (byte >= 'A' && byte <= 'Z') || byte == '-' || byte == '.' || byte == '_';
    if (plain) {
      encoded += static_cast<char>(byte);
    } else {
      encoded += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return encoded;
}

std::string path_of(const std::string& id) {
  return "/containers/" + percent_encoded(id);
}

}  // namespace

Result<std::string> Engine::versioned(const std::string& path) {
  std::string version = *version_.lock();
  if (version.empty()) {
    const HttpAnswer answer = TRY(http_.request("GET", "/version", {}, seconds(10)));
    TRY(expect(answer, 200));
    const auto [newest, oldest] = TRY(read_json("/version", answer.body, [](const json& body) {
      return std::pair(body.at("ApiVersion").get<std::string>(),
                       body.value("MinAPIVersion", std::string("1.12")));
    }));
    if (TRY(parse_version(newest)) < kVersion)
      return fail(Code::kFailedPrecondition, "Docker Engine at " + socket_ + " speaks API " +
                                                 newest + "; 1.41 (Docker 20.10) is needed");
    const auto [major, minor] = std::max(kVersion, TRY(parse_version(oldest)));
    version = std::to_string(major) + "." + std::to_string(minor);
    *version_.lock() = version;
  }
  return "/v" + version + path;
}

Result<HttpAnswer> Engine::call(const std::string& method, const std::string& path,
                                const std::string& body, std::chrono::milliseconds timeout) {
  auto answer = http_.request(method, TRY(versioned(path)), body, timeout);
  // The engine that comes back may be another version.
  if (!answer && answer.error().code == Code::kUnavailable) version_.lock()->clear();
  return answer;
}

Result<std::string> Engine::create(const std::string& name, const std::string& image,
                                   const std::string& spec) {
  const HttpAnswer answer =
      TRY(call("POST", "/containers/create?name=" + percent_encoded(name), spec, kCreateTimeout));
  if (answer.status == 404)
    return std::unexpected(
        Error{Code::kFailedPrecondition,
              "image " + image + " is not on this machine (" + message_in(answer) + ")", false,
              "docker pull " + image});
  if (answer.status == 409) return fail(Code::kAlreadyExists, "Docker: " + message_in(answer));
  TRY(expect(answer, 201));
  return read_json("the creation of a container", answer.body,
                   [](const json& body) { return body.at("Id").get<std::string>(); });
}

Result<void> Engine::start(const std::string& id) {
  return expect(TRY(call("POST", path_of(id) + "/start", {}, kStartTimeout)), 204, 304);
}

Result<std::optional<ContainerState>> Engine::inspect(const std::string& id) {
  const HttpAnswer answer = TRY(call("GET", path_of(id) + "/json"));
  if (answer.status == 404) return std::optional<ContainerState>();
  TRY(expect(answer, 200));
  return TRY(read_json("the inspection of container " + id, answer.body, state_from));
}

Result<std::vector<Container>> Engine::list(const Labels& labels) {
  json filters = json::array();
  for (const auto& [name, value] : labels) filters.push_back(name + "=" + value);
  const std::string text =
      json{{"label", filters}}.dump(-1, ' ', true, json::error_handler_t::replace);
  const HttpAnswer answer =
      TRY(call("GET", "/containers/json?all=1&filters=" + percent_encoded(text)));
  TRY(expect(answer, 200));
  return read_json("the list of containers", answer.body, containers_from);
}

Result<void> Engine::kill(const std::string& id, const std::string& signal) {
  const HttpAnswer answer =
      TRY(call("POST", path_of(id) + "/kill?signal=" + percent_encoded(signal)));
  if (answer.status == 404 || answer.status == 409) return {};
  return expect(answer, 204);
}

Result<void> Engine::remove(const std::string& id) {
  const HttpAnswer answer = TRY(call("DELETE", path_of(id) + "?force=1", {}, kRemoveTimeout));
  return expect(answer, 204, 404);
}

Result<void> Engine::send_input(const std::string& id, std::string_view input) {
  const std::string target = TRY(versioned(path_of(id) + "/attach?stream=1&stdin=1"));
  return expect(TRY(http_.upgrade_and_send(target, input, kInputPatience)), 101);
}

Result<bool> Engine::read_log(const LogRequest& request) {
  std::string path = path_of(request.id) + "/logs?stdout=1&stderr=1&timestamps=1";
  if (request.follow) path += "&follow=1";
  if (!request.since.empty()) path += "&since=" + request.since;
  const HttpAnswer answer = TRY(http_.stream({
    TRY(versioned(path))
    , request.take, request.go_on, request.wake_fd
  }));
  if (answer.status == 404) return false;
  TRY(expect(answer, 200));
  return true;
}

}  // namespace manman::docker
