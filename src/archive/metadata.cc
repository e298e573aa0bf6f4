#include "archive/metadata.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace manman::archive {
namespace {

// What gives a program the rights of its owner.
constexpr mode_t kSpecialBits = S_ISUID | S_ISGID;

std::array<timespec, 2> times_of(const Entry& entry) {
  return {timespec{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
          timespec{.tv_sec = entry.mtime_s, .tv_nsec = static_cast<long>(entry.mtime_ns)}};
}

std::string_view name_of(mode_t special) {
  return (special & S_ISUID) != 0 ? "setuid" : "setgid";
}

}  // namespace

Metadata::Metadata(const UnpackOptions& options, Warnings& warnings)
    : options_(options),
      warnings_(warnings),
      owners_(options.owners && ::geteuid() == 0),
      own_uid_(::geteuid()),
      own_gid_(::getegid()) {}

mode_t Metadata::first_mode(const Entry& entry, const Xattrs& xattrs) const {
  const bool keeps_owner = !owners_ || (entry.uid == own_uid_ && entry.gid == own_gid_);
  return keeps_owner && xattrs.access_acl.empty() ? entry.mode & 0777 : 0600;
}

Result<void> Metadata::set(int fd, const struct stat& now, const Entry& entry,
                           const Xattrs& xattrs) const {
  const auto warn = [&](const std::string& why) { warnings_.add(entry.path + " " + why); };
  if (options_.xattrs) TRY(in(entry.path, set_attributes(fd, xattrs, warn)));
  const bool owner_changes = owners_ && (now.st_uid != entry.uid || now.st_gid != entry.gid);
  if (owner_changes && ::fchown(fd, entry.uid, entry.gid) != 0)
    return fail_errno("set the owner of " + entry.path, errno);
  mode_t mode = entry.mode;
  if (!options_.keep_special_bits && (mode & kSpecialBits) != 0) {
    warn("had its " + std::string(name_of(mode & kSpecialBits)) + " bit set, which was dropped");
    mode &= ~kSpecialBits;
  }
  const bool mode_stands = !owner_changes && (now.st_mode & 07777) == mode;
  if (!mode_stands && ::fchmod(fd, mode) != 0)
    return fail_errno("set the mode of " + entry.path, errno);
  if (options_.xattrs)
    TRY(in(entry.path, set_rights(fd, xattrs, entry.kind == EntryKind::kFolder,
                                  options_.keep_special_bits, warn)));
  const auto times = times_of(entry);
  if (::futimens(fd, times.data()) != 0) return fail_errno("set the time of " + entry.path, errno);
  return {};
}

Result<void> Metadata::set_unopened(int folder, const char* name, const Entry& entry) const {
  if (owners_ && ::fchownat(folder, name, entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW) != 0)
    return fail_errno("set the owner of " + entry.path, errno);
  const auto times = times_of(entry);
  if (::utimensat(folder, name, times.data(), AT_SYMLINK_NOFOLLOW) != 0)
    return fail_errno("set the time of " + entry.path, errno);
  return {};
}

}  // namespace manman::archive
