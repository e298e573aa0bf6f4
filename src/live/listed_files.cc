#include "live/listed_files.h"

#include <charconv>

#include "archive/path.h"

namespace manman::live {
namespace {

constexpr size_t kMaxLine = size_t{16} << 20;
constexpr uint64_t kMaxSize = INT64_MAX;  // of a file

std::unexpected<Error> refuse(std::string_view item, std::string_view why) {
  return fail(Code::kInvalidArgument,
              "list of files: \"" + std::string(item.substr(0, 300)) + "\" " + std::string(why));
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

Result<void> add(std::string_view item, FileList& list) {
  const size_t colon = item.rfind(':');
  if (colon == std::string_view::npos) return refuse(item, "has no size");
  const std::string_view path = item.substr(0, colon);
  const std::string_view number = item.substr(colon + 1);
  uint64_t size = 0;
  const auto [end, error] = std::from_chars(number.begin(), number.end(), size);
  if (error != std::errc() || end != number.end() || size > kMaxSize)
    return refuse(item, "has a size that is no number of bytes");
  if (path.empty() || archive::clean_path(path) != path || path == "." ||
      !archive::check_path(path))
    return refuse(item, "is no path below the folder of the worlds");
  if (path.find('/') == std::string_view::npos) return refuse(item, "stands in no world");
  if (!list.emplace(path, size).second) return refuse(item, "comes twice");
  return {};
}

}  // namespace

// A comma may stand in a name: the next item begins behind a size.
Result<FileList> parse_file_list(std::string_view line) {
  if (line.size() > kMaxLine)
    return fail(Code::kInvalidArgument, "list of files: longer than 16 MiB");
  FileList list;
  constexpr std::string_view kBetween = ", ";
  std::string_view rest = trimmed(line);
  for (size_t from = 0; !rest.empty();) {
    const size_t comma = rest.find(kBetween, from);
    const std::string_view item = rest.substr(0, comma);
    const size_t colon = item.find_last_not_of("0123456789");
    const bool whole =
        colon != std::string_view::npos && item[colon] == ':' && colon + 1 < item.size();
    if (comma != std::string_view::npos && !whole) {
      from = comma + kBetween.size();
      continue;
    }
    TRY(add(item, list));
    rest =
        comma == std::string_view::npos ? std::string_view() : rest.substr(comma + kBetween.size());
    from = 0;
  }
  if (list.empty()) return fail(Code::kInvalidArgument, "list of files: it is empty");
  return list;
}

ListedFiles::ListedFiles(FileList list, std::string root, archive::FileChoice* next)
    : list_(std::move(list)), root_(std::move(root)), next_(next) {
  for (const auto& [path, size] : list_) worlds_.insert(path.substr(0, path.find('/')));
}

Result<archive::FileTaking> ListedFiles::choose(const archive::FileSeen& file) {
  const bool below = file.path.size() > root_.size() && file.path.starts_with(root_) &&
                     file.path[root_.size()] == '/';
  const std::string_view path =
      below ? std::string_view(file.path).substr(root_.size() + 1) : std::string_view();
  const size_t slash = path.find('/');
  if (slash == std::string_view::npos || !worlds_.contains(path.substr(0, slash)))
    return next_ == nullptr ? archive::FileTaking{} : next_->choose(file);
  const auto listed = list_.find(path);
  if (listed == list_.end()) return archive::FileTaking{.leave_out = true};
  if (static_cast<uint64_t>(file.info.st_size) < listed->second)
    return fail(Code::kAborted, file.path + " has " + std::to_string(file.info.st_size) +
                                    " bytes, but the game said that " +
                                    std::to_string(listed->second) + " of it are its data");
  met_.emplace(path);
  return archive::FileTaking{.first_bytes = listed->second};
}

Result<void> ListedFiles::check_all_met() const {
  for (const auto& [path, size] : list_)
    if (!met_.contains(path))
      return fail(Code::kAborted, root_ + "/" + path + " was not there, but the game listed it");
  return {};
}

}  // namespace manman::live
