#include "game/runtime/process/session_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/file.h"

namespace manman::process {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

Result<void> write_json(const fs::path& path, const json& value) {
  try {
    return write_file_durably(path, value.dump(2) + "\n");
  } catch (const json::exception& error) {
    return fail(Code::kInvalidArgument, "write " + path.string() + ": " + error.what());
  }
}

// Reads the file and gives its JSON to `convert`.
template <typename F>
auto read_json(const fs::path& path, F&& convert) -> Result<decltype(convert(json()))> {
  const std::string text = TRY(read_file(path));
  try {
    return convert(json::parse(text));
  } catch (const json::exception& error) {
    return fail(Code::kDataLoss, path.string() + " is damaged: " + error.what());
  }
}

template <typename T>
Result<std::optional<T>> if_there(Result<T> read) {
  if (read) return std::optional<T>(std::move(*read));
  if (read.error().code == Code::kNotFound) return std::optional<T>();
  return std::unexpected(std::move(read).error());
}

json to_json(const Identity& identity) {
  return {{"pid", identity.pid}, {"start_ticks", identity.start_ticks}};
}

Identity identity_from(const json& value) {
  return {value.at("pid").get<pid_t>(), value.at("start_ticks").get<uint64_t>()};
}

json to_json(const Apart& apart) {
  auto read_only = json::array();
  for (const fs::path& path : apart.read_only) read_only.push_back(path.string());
  return {{"read_only", read_only}, {"stands_for", apart.stands_for.string()}};
}

Apart apart_from(const json& value) {
  Apart apart;
  for (const json& path : value.at("read_only"))
    apart.read_only.emplace_back(path.get<std::string>());
  apart.stands_for = value.at("stands_for").get<std::string>();
  return apart;
}

struct flock whole_file(short type) {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

}  // namespace

Result<void> write_record(const SessionFiles& files, const Spec& spec) {
  json body{{"argv", spec.argv}, {"env", spec.env}};
  if (spec.apart) body["apart"] = to_json(*spec.apart);
  return write_json(files.spec(), body);
}

Result<void> write_record(const SessionFiles& files, const Running& running) {
  return write_json(files.state(), {{"boot_id", running.boot_id},
                                    {"wrapper", to_json(running.wrapper)},
                                    {"game", to_json(running.game)}});
}

Result<void> write_record(const SessionFiles& files, const Exit& exit) {
  return write_json(
      files.exit(),
      {{"exit_code", exit.exit_code}, {"signal", exit.signal}, {"ended_at", exit.ended_at}});
}

Result<Spec> read_spec(const SessionFiles& files) {
  return read_json(files.spec(), [](const json& value) {
    Spec spec{value.at("argv").get<std::vector<std::string>>(),
              value.at("env").get<std::map<std::string, std::string>>(), std::nullopt};
    if (value.contains("apart")) spec.apart = apart_from(value.at("apart"));
    return spec;
  });
}

Result<std::optional<Running>> read_running(const SessionFiles& files) {
  return if_there(read_json(files.state(), [](const json& value) {
    return Running{value.at("boot_id").get<std::string>(), identity_from(value.at("wrapper")),
                   identity_from(value.at("game"))};
  }));
}

Result<std::optional<Exit>> read_exit(const SessionFiles& files) {
  return if_there(read_json(files.exit(), [](const json& value) {
    return Exit{value.at("exit_code").get<int>(), value.at("signal").get<int>(),
                value.at("ended_at").get<int64_t>()};
  }));
}

Result<UniqueFd> open_lock(const SessionFiles& files) {
  UniqueFd fd(::open(files.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return fail_errno("open " + files.lock().string(), errno);
  return fd;
}

Result<bool> try_lock(const UniqueFd& lock) {
  struct flock request = whole_file(F_WRLCK);
  if (::fcntl(lock.get(), F_OFD_SETLK, &request) == 0) return true;
  if (errno == EAGAIN || errno == EACCES) return false;
  return fail_errno("lock a session", errno);
}

Result<bool> is_locked(const SessionFiles& files) {
  const UniqueFd fd(::open(files.lock().c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!fd && errno == ENOENT) return false;
  if (!fd) return fail_errno("open " + files.lock().string(), errno);
  struct flock request = whole_file(F_WRLCK);
  if (::fcntl(fd.get(), F_OFD_GETLK, &request) != 0)
    return fail_errno("look at the lock " + files.lock().string(), errno);
  return request.l_type != F_UNLCK;
}

}  // namespace manman::process
