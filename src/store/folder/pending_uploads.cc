#include "store/folder/pending_uploads.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <functional>

#include "base/file.h"
#include "base/sha256.h"
#include "base/time.h"

namespace manman {
namespace {

constexpr size_t kIdBytes = 16;
constexpr size_t kIdDigits = 2 * kIdBytes;
constexpr char kSeparator = '~';  // never in the encoded key
constexpr size_t kMaxStemBytes = 255 - 1 - kIdDigits;
constexpr size_t kHashDigits = 64;

// Each byte is encoded by itself: what starts with a prefix does so encoded too, and nothing else.
std::string encoded(std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
  std::string out;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos)
      out += c;
    else
      out += "%" + to_hex(as_bytes({&c, 1}));
  }
  return out;
}

std::string path_of(std::string_view bucket, std::string_view key) {
  return std::string(bucket) + "/" + std::string(key);
}

std::string stem_of(std::string_view bucket, std::string_view key) {
  const std::string path = path_of(bucket, key);
  std::string stem = encoded(path);
  if (stem.size() <= kMaxStemBytes) return stem;
  stem.resize(kMaxStemBytes - 1 - kHashDigits);
  return stem + kSeparator + to_hex(Sha256::of(as_bytes(path)));
}

// The name without its id; "" for a file that is no upload, so that no such file is ever removed.
std::string_view stem_in(std::string_view name) {
  const bool good = name.size() > kIdDigits + 1 && name[name.size() - kIdDigits - 1] == kSeparator;
  if (!good) return {};
  const std::string_view id = name.substr(name.size() - kIdDigits);
  if (id.find_first_not_of("0123456789abcdef") != std::string_view::npos) return {};
  return name.substr(0, name.size() - kIdDigits - 1);
}

std::string decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); i++) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(&text[i + 1], &text[i + 3], value, 16).ptr == &text[i + 3]) {
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

using VisitFile = std::function<Result<bool>(int dir, const std::string& name,
                                             std::string_view stem, const struct stat&)>;

// Calls visit for every upload until it returns false.
Result<void> walk_uploads(const FolderStoreDirs& dirs, const VisitFile& visit) {
  const std::string what = dirs.root_name + "/.uploads";
  // Opened anew: a descriptor that is shared would share its place in the listing too.
  const int fd = ::openat(dirs.uploads.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return fail_errno("open folder " + what, errno);
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(fd), ::closedir);
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(listing.get());
    if (entry == nullptr && errno != 0) return fail_errno("list " + what, errno);
    if (entry == nullptr) return {};
    const std::string name = entry->d_name;
    const std::string_view stem = stem_in(name);
    struct stat info{};
    if (stem.empty() || ::fstatat(fd, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (!TRY(visit(fd, name, stem, info))) return {};
  }
}

// Removes the uploads that `due` picks by stem and status; how many.
Result<int> remove_uploads(
    const FolderStoreDirs& dirs,
    const std::function<bool(std::string_view stem, const struct stat&)>& due) {
  int removed = 0;
  TRY(walk_uploads(dirs,
                   [&](int dir, const std::string& name, std::string_view stem,
                       const struct stat& info) -> Result<bool> {
                     if (!due(stem, info)) return true;
                     if (::unlinkat(dir, name.c_str(), 0) == 0)
                       removed++;
                     else if (errno != ENOENT)
                       return fail_errno("remove " + dirs.root_name + "/.uploads/" + name, errno);
                     return true;
                   }));
  return removed;
}

}  // namespace

Result<std::string> new_upload_name(std::string_view bucket, std::string_view key) {
  std::array<std::byte, kIdBytes> id;
  if (::getentropy(id.data(), id.size()) != 0) return fail_errno("read random bytes", errno);
  return stem_of(bucket, key) + kSeparator + to_hex(id);
}

Result<void> abort_folder_uploads(const FolderStoreDirs& dirs, std::string_view key) {
  const std::string wanted = stem_of(dirs.bucket_id, key);
  TRY(remove_uploads(dirs,
                     [&](std::string_view stem, const struct stat&) { return stem == wanted; }));
  return {};
}

Result<void> list_folder_uploads(const FolderStoreDirs& dirs, std::string_view prefix,
                                 const std::function<bool(const PendingUpload&)>& visit) {
  const std::string bucket = path_of(dirs.bucket_id, "");
  const std::string wanted = encoded(path_of(dirs.bucket_id, prefix));
  const int64_t now_s = system_clock().now_s();
  return walk_uploads(dirs,
                      [&](int, const std::string& name, std::string_view stem,
                          const struct stat& info) -> Result<bool> {
                        if (!stem.starts_with(wanted)) return true;
                        PendingUpload upload{.id = name};
                        upload.key =
                            decoded(stem.substr(0, stem.find(kSeparator))).substr(bucket.size());
                        upload.begun_at = info.st_mtim.tv_sec;
                        upload.age_s = now_s - upload.begun_at;
                        return visit(upload);
                      });
}

Result<int> sweep_folder_uploads(const FolderStoreDirs& dirs, std::string_view prefix,
                                 std::chrono::seconds older_than) {
  const std::string wanted = encoded(path_of(dirs.bucket_id, prefix));
  const int64_t written_before = system_clock().now_s() - older_than.count();
  return remove_uploads(dirs, [&](std::string_view stem, const struct stat& info) {
    return stem.starts_with(wanted) && info.st_mtim.tv_sec < written_before;
  });
}

}  // namespace manman
