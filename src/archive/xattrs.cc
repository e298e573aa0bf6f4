#include "archive/xattrs.h"

#include <sys/xattr.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "archive/posix_acl.h"
#include "base/file.h"

namespace manman::archive {
namespace {

using Warn = std::function<void(std::string)>;

constexpr const char* kAccessAcl = "system.posix_acl_access";
constexpr const char* kDefaultAcl = "system.posix_acl_default";
constexpr const char* kCapability = "security.capability";
// Of one entry; a pax header of readers here takes 1 MiB in all.
constexpr size_t kMaxBytes = size_t{512} << 10;
constexpr size_t kMaxList = 65536;  // the kernel's own limits
constexpr size_t kMaxValue = 65536;

// The names, each ended by a NUL.
Result<std::string> list_names(int fd) {
  std::string names(1024, '\0');
  ssize_t size = ::flistxattr(fd, names.data(), names.size());
  if (size < 0 && errno == ERANGE) {
    names.resize(kMaxList);
    size = ::flistxattr(fd, names.data(), names.size());
  }
  if (size < 0 && errno == ENOTSUP) size = 0;
  if (size < 0) return fail_errno("list the extended attributes", errno);
  names.resize(static_cast<size_t>(size));
  return names;
}

// Nothing when it is gone meanwhile.
Result<std::optional<std::string>> read_value(int fd, const char* name) {
  std::string value(kMaxValue, '\0');
  const ssize_t size = ::fgetxattr(fd, name, value.data(), value.size());
  if (size < 0 && (errno == ENODATA || errno == ENOTSUP)) return std::nullopt;
  if (size < 0) return fail_errno("read " + std::string(name), errno);
  value.resize(static_cast<size_t>(size));
  return value;
}

Result<void> add(int fd, const char* name, XattrScope scope, Xattrs& xattrs) {
  const bool access = std::strcmp(name, kAccessAcl) == 0;
  const bool acl = access || std::strcmp(name, kDefaultAcl) == 0;
  if (!acl && scope == XattrScope::kCarried && !is_carried(name)) return {};
  auto value = TRY(read_value(fd, name));
  if (!value) return {};
  if (acl)
    (access ? xattrs.access_acl : xattrs.default_acl) = TRY(acl_to_text(as_bytes(*value)));
  else
    xattrs.named.push_back({name, std::move(*value)});
  return {};
}

// Refusals of the file system, or of what it is asked for by one who may not.
bool is_refusal(int error_number) {
  switch (error_number) {
    case ENOTSUP:
    case EPERM:
    case EACCES:
    case ENOSPC:  // ext4 has room for little
    case EDQUOT:
    case E2BIG:
    case ERANGE:
    case EINVAL:
      return true;
    default:
      return false;
  }
}

Result<void> set(int fd, const char* name, const std::string& value, const Warn& warn) {
  if (::fsetxattr(fd, name, value.data(), value.size(), 0) == 0) return {};
  const int error_number = errno;
  const Error error = errno_error(name, error_number);
  if (!is_refusal(error_number)) return std::unexpected(error);
  warn("could not be given the extended attribute " + error.message);
  return {};
}

Result<void> set_acl(int fd, const char* name, const std::string& text, const Warn& warn) {
  if (text.empty()) return {};
  const auto kernel_form = acl_from_text(text);
  if (kernel_form) return set(fd, name, *kernel_form, warn);
  warn("could not be given its ACL: " + kernel_form.error().message);
  return {};
}

}  // namespace

size_t Xattrs::size_bytes() const {
  size_t size = access_acl.size() + default_acl.size();
  for (const Xattr& one : named) size += one.name.size() + one.value.size();
  return size;
}

bool is_carried(std::string_view name) {
  return name.starts_with("user.") || name == kCapability;
}

Xattrs read_xattrs(int fd, XattrScope scope, const Warn& warn) {
  Xattrs xattrs;
  const auto names = list_names(fd);
  if (!names) {
    warn("goes without its extended attributes: " + names.error().message);
    return xattrs;
  }
  for (size_t at = 0; at < names->size();) {
    const char* name = names->data() + at;
    at += std::strlen(name) + 1;
    if (auto added = add(fd, name, scope, xattrs); !added)
      warn("goes without an extended attribute: " + added.error().message);
    if (xattrs.size_bytes() <= kMaxBytes) continue;
    xattrs.named.pop_back();
    warn("has more than 512 KiB of extended attributes; it goes without the rest");
    break;
  }
  return xattrs;
}

Result<void> set_attributes(int fd, const Xattrs& xattrs, const Warn& warn) {
  for (const Xattr& one : xattrs.named)
    if (one.name != kCapability) TRY(set(fd, one.name.c_str(), one.value, warn));
  return {};
}

Result<void> set_rights(int fd, const Xattrs& xattrs, bool is_folder, bool privileges,
                        const Warn& warn) {
  TRY(set_acl(fd, kAccessAcl, xattrs.access_acl, warn));
  if (is_folder) TRY(set_acl(fd, kDefaultAcl, xattrs.default_acl, warn));
  for (const Xattr& one : xattrs.named) {
    if (one.name != kCapability) continue;
    if (privileges)
      TRY(set(fd, kCapability, one.value, warn));
    else
      warn("had file capabilities, which were dropped");
  }
  return {};
}

}  // namespace manman::archive
