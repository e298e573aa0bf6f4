#include "store/folder/folder_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <set>

#include "base/file.h"
#include "store/folder/beneath.h"
#include "store/folder/folder_upload.h"
#include "store/folder/pending_uploads.h"

namespace manman {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxNameBytes = 255;  // of one path segment, on every file system of Linux
// Reading a fifo that someone put there must not block.
constexpr int kReadFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

Result<void> check_folder_key(std::string_view key) {
  TRY(check_key(key));
  for (size_t begin = 0; begin <= key.size();) {
    const size_t end = std::min(key.find('/', begin), key.size());
    if (end - begin > kMaxNameBytes)
      return fail(Code::kInvalidArgument, "key " + std::string(key) +
                                              " has a segment longer than 255 bytes, too long "
                                              "for a file name");
    begin = end + 1;
  }
  return {};
}

Result<void> check_bucket(const std::string& bucket) {
  const bool good = !bucket.empty() && bucket.size() <= kMaxNameBytes && bucket.front() != '.' &&
                    bucket.find_first_of(std::string_view("/\0", 2)) == std::string::npos;
  if (good) return {};
  return fail(Code::kInvalidArgument,
              "bucket \"" + bucket + "\" must be 1 to 255 bytes, without \"/\" or a leading \".\"");
}

constexpr size_t kNamesAtOnce = 10'000;

using DirStream = std::unique_ptr<DIR, int (*)(DIR*)>;

class FolderStore final : public Store {
 public:
  FolderStore(std::shared_ptr<const FolderStoreDirs> dirs, std::string bucket)
      : dirs_(std::move(dirs)), bucket_(std::move(bucket)) {}

  Result<std::unique_ptr<Upload>> put(std::string_view key, uint64_t) override {
    TRY(check_folder_key(key));
    return start_folder_upload(dirs_, key);
  }

  Result<void> abort_uploads(std::string_view key) override {
    TRY(check_folder_key(key));
    return abort_folder_uploads(*dirs_, key);
  }

  Result<int> sweep_uploads(std::string_view prefix, std::chrono::seconds older_than) override {
    return sweep_folder_uploads(*dirs_, prefix, older_than);
  }

  Result<void> list_uploads(std::string_view prefix,
                            const std::function<bool(const PendingUpload&)>& visit) override {
    return list_folder_uploads(*dirs_, prefix, visit);
  }

  Result<void> get(std::string_view key, uint64_t offset, MutableBytes buffer) override {
    auto [fd, info] = TRY(open_object_file(key));
    if (offset > info.size_bytes || buffer.size() > info.size_bytes - offset)
      return fail(Code::kOutOfRange, name_of(key) + " ends at byte " +
                                         std::to_string(info.size_bytes) + ", before offset " +
                                         std::to_string(offset + buffer.size()));
    return FileSource(std::move(fd), info.size_bytes, name_of(key)).read_at(offset, buffer);
  }

  Result<ObjectInfo> head(std::string_view key) override {
    return TRY(open_object_file(key))
    .info;
  }

  Result<void> list(std::string_view prefix,
                    const std::function<bool(const ObjectInfo&)>& visit) override {
    const auto [folder, name] = beneath::split(prefix);
    // No key has such a folder: nothing starts with it.
    if (prefix.find('\0') != std::string_view::npos || prefix.starts_with('/')) return {};
    if (!folder.empty() && !check_folder_key(folder)) return {};
    bool more = true;
    return walk(dirs_->bucket.get(), folder, folder.empty() ? "" : std::string(folder) + "/",
                prefix, visit, more);
  }

  Result<void> remove(std::string_view key) override {
    TRY(check_folder_key(key));
    const auto [folder, name] = beneath::split(key);
    auto parent = beneath::open_dir(dirs_->bucket.get(), folder, false, name_of(key));
    if (!parent && parent.error().code == Code::kNotFound) return {};
    if (!parent) return std::unexpected(std::move(parent).error());
    const std::string leaf(name);
    struct stat info{};
    const bool there = ::fstatat(parent->get(), leaf.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
    if (there && !S_ISREG(info.st_mode)) return {};
    if (there && ::unlinkat(parent->get(), leaf.c_str(), 0) != 0 && errno != ENOENT)
      return fail_errno("remove " + name_of(key), errno);
    // Also when it was gone: a crash may have come between an earlier removal and its fsync.
    if (::fsync(parent->get()) != 0) return fail_errno("fsync folder of " + name_of(key), errno);
    return {};
  }

  bool distant() const override { return false; }
  std::string bucket() const override { return bucket_; }

 private:
  struct OpenObject {
    UniqueFd fd;
    ObjectInfo info;
  };

  std::string name_of(std::string_view key) const {
    return dirs_->bucket_name + "/" + std::string(key);
  }

  Result<OpenObject> open_object_file(std::string_view key) const {
    TRY(check_folder_key(key));
    const std::string what = name_of(key);
    auto fd = beneath::open(dirs_->bucket.get(), key, kReadFlags, what);
    if (!fd && fd.error().code == Code::kNotFound)
      return fail(Code::kNotFound, "no object " + what);
    if (!fd) return std::unexpected(std::move(fd).error());
    ObjectInfo info = TRY(describe(fd->get(), key, what));
    return OpenObject{std::move(*fd), std::move(info)};
  }

  // Visits what is below the folder `path` of `dir`; `base` is what its keys start with. A folder
  // is read once for each batch of its names, so that no listing is kept whole.
  Result<void> walk(int dir, std::string_view path, const std::string& base,
                    std::string_view prefix, const std::function<bool(const ObjectInfo&)>& visit,
                    bool& more) const {
    auto opened = beneath::open_dir(dir, path, false, name_of(base));
    // Not there, or removed while the walk was on its way.
    if (!opened && opened.error().code == Code::kNotFound) return {};
    if (!opened) return std::unexpected(std::move(opened).error());
    std::set<std::string> names = TRY(next_names(opened->get(), "", base, prefix));
    while (more && !names.empty()) {
      const std::string last = *names.rbegin();
      for (const std::string& name : names)
        if (more) TRY(visit_entry(opened->get(), name, base, prefix, visit, more));
      if (names.size() < kNamesAtOnce) return {};
      names = TRY(next_names(opened->get(), last, base, prefix));
    }
    return {};
  }

  // The first names behind `after`, in the order that keys have: a folder's ends with a slash.
  Result<std::set<std::string>> next_names(int dir, const std::string& after,
                                           const std::string& base, std::string_view prefix) const {
    const UniqueFd listing(::openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!listing) return fail_errno("list " + name_of(base), errno);
    const DirStream stream(::fdopendir(::dup(listing.get())), ::closedir);
    if (!stream) return fail_errno("list " + name_of(base), errno);
    std::set<std::string> names;
    while (true) {
      errno = 0;
      const dirent* entry = ::readdir(stream.get());
      if (entry == nullptr && errno != 0) return fail_errno("list " + name_of(base), errno);
      if (entry == nullptr) return names;
      std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (is_folder(dir, *entry)) name += '/';
      const size_t common = std::min(base.size() + name.size(), prefix.size());
      if ((base + name).compare(0, common, prefix.substr(0, common)) != 0 || name <= after)
        continue;
      names.insert(std::move(name));
      if (names.size() > kNamesAtOnce) names.erase(std::prev(names.end()));
    }
  }

  static bool is_folder(int dir, const dirent& entry) {
    if (entry.d_type != DT_UNKNOWN) return entry.d_type == DT_DIR;
    struct stat info{};
    return ::fstatat(dir, entry.d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode);
  }

  Result<void> visit_entry(int dir, const std::string& name, const std::string& base,
                           std::string_view prefix,
                           const std::function<bool(const ObjectInfo&)>& visit, bool& more) const {
    const std::string key = base + name;
    if (name.ends_with('/'))
      return walk(dir, std::string_view(name).substr(0, name.size() - 1), key, prefix, visit, more);
    struct stat info{};
    if (::fstatat(dir, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) return {};  // removed meanwhile
      return fail_errno("stat " + name_of(key), errno);
    }
    if (!S_ISREG(info.st_mode) || !key.starts_with(prefix) || !check_key(key)) return {};
    more = visit(describe(info, key));
    return {};
  }

  std::shared_ptr<const FolderStoreDirs> dirs_;
  std::string bucket_;
};

Result<UniqueFd> open_level(const fs::path& dir) {
  UniqueFd fd(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return fail_errno("open folder " + dir.string(), errno);
  return fd;
}

}  // namespace

Result<std::unique_ptr<Store>> open_folder_store(const fs::path& root, const std::string& bucket) {
  TRY(in("store", check_bucket(bucket)));
  std::error_code error;
  const fs::path whole = fs::absolute(root, error);
  if (error || root.empty())
    return fail(Code::kInvalidArgument, "store: \"" + root.string() + "\" is not a usable folder");
  TRY(in("store", make_dirs(whole)));
  const UniqueFd top = TRY(in("store", open_level(whole)));
  const std::string name = whole.lexically_normal().string();
  auto dirs = std::make_shared<FolderStoreDirs>();
  dirs->root_name = name.size() > 1 && name.ends_with('/') ? name.substr(0, name.size() - 1) : name;
  dirs->bucket_name = dirs->root_name + "/" + bucket;
  dirs->bucket_id = bucket;
  dirs->bucket = TRY(in("store", beneath::open_dir(top.get(), bucket, true, dirs->bucket_name)));
  dirs->uploads =
      TRY(in("store", beneath::open_dir(top.get(), ".uploads", true, name + "/.uploads")));
  return std::make_unique<FolderStore>(std::move(dirs), bucket);
}

}  // namespace manman
