#include "host/gsc.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "base/file.h"

namespace manman::host {
namespace fs = std::filesystem;
namespace {

constexpr size_t kMaxEnvironmentBytes = 100;

std::optional<int64_t> parse_id(std::string_view text) {
  int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id <= 0) return std::nullopt;
  return id;
}

}  // namespace

Result<void> GscDir::ensure() const {
  if (TRY(folder_exists(root))) return {};
  TRY(make_dirs(root));
  if (::chmod(root.c_str(), 0750) != 0) return fail_errno("chmod " + root.string(), errno);
  return {};
}

GscDir gsc_dir(const fs::path& data_dir, const std::string& environment, int64_t sgc_id) {
  return {sgc_id, data_dir / ("gsc-" + environment + "-" + std::to_string(sgc_id))};
}

Result<void> check_environment(const std::string& environment) {
  const auto is_bad = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f || c == '/';
  };
  if (environment.size() > kMaxEnvironmentBytes || std::ranges::any_of(environment, is_bad))
    return fail(Code::kInvalidArgument,
                "environment: must be at most 100 bytes, without '/' and control characters");
  return {};
}

Result<std::vector<std::string>> folder_names(const fs::path& dir) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(dir, error), end; !error && it != end; it.increment(error))
    names.push_back(it->path().filename().string());
  if (error) return fail_errno("read folder " + dir.string(), error.value());
  return names;
}

Result<std::vector<FoundGsc>> find_gsc_dirs(const fs::path& data_dir) {
  constexpr std::string_view kPrefix = "gsc-";
  std::vector<FoundGsc> found;
  for (const std::string& name : TRY(folder_names(data_dir))) {
    const size_t dash = name.rfind('-');
    if (!name.starts_with(kPrefix) || dash < kPrefix.size()) continue;
    const auto sgc_id = parse_id(std::string_view(name).substr(dash + 1));
    if (!sgc_id || !TRY(folder_exists(data_dir / name))) continue;
    found.push_back(
        {{*sgc_id, data_dir / name}, name.substr(kPrefix.size(), dash - kPrefix.size())});
  }
  return found;
}

std::optional<int64_t> parse_numbered(const std::string& name, const std::string& prefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  return parse_id(std::string_view(name).substr(prefix.size()));
}

Result<bool> folder_exists(const fs::path& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) == 0) return S_ISDIR(info.st_mode);
  if (errno == ENOENT) return false;
  return fail_errno("stat " + path.string(), errno);
}

}  // namespace manman::host
