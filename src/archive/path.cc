#include "archive/path.h"

namespace manman::archive {
namespace {

// Takes the part before the first slash, and the slash, off path.
std::string_view take_part(std::string_view& path) {
  const size_t slash = path.find('/');
  const std::string_view part = path.substr(0, slash);
  path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  return part;
}

}  // namespace

std::string clean_path(std::string_view path) {
  if (path.empty()) return {};
  std::string clean = path.starts_with('/') ? "/" : "";
  while (!path.empty()) {
    const std::string_view part = take_part(path);
    if (part.empty() || part == ".") continue;
    if (!clean.empty() && clean.back() != '/') clean += '/';
    clean += part;
  }
  return clean.empty() ? "." : clean;
}

Result<void> check_path(std::string_view path) {
  const auto refuse = [&](std::string_view why) {
    return fail(Code::kInvalidArgument, "refused " + std::string(path) + ": " + std::string(why));
  };
  if (path.empty()) return refuse("an empty path");
  if (path.find('\0') != std::string_view::npos) return refuse("a NUL in the path");
  if (path.starts_with('/')) return refuse("an absolute path");
  for (std::string_view rest = path; !rest.empty();) {
    const std::string_view part = take_part(rest);
    if (part == "..") return refuse("the path leaves the folder");
    if (part.size() > 255) return refuse("a name longer than 255 bytes");
  }
  return {};
}

bool is_at_or_below(std::string_view path, std::string_view folder) {
  if (folder.empty() || folder == ".") return true;
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

Result<std::string> strip_prefix(std::string_view path, std::string_view prefix) {
  if (prefix.empty() || prefix == ".") return std::string(path);
  if (path == prefix) return std::string(".");
  if (!is_at_or_below(path, prefix))
    return fail(Code::kInvalidArgument, "refused " + std::string(path) + ": it stands outside " +
                                            std::string(prefix) + "/");
  return std::string(path.substr(prefix.size() + 1));
}

}  // namespace manman::archive
