#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace manman::archive {

struct Xattr {
  std::string name;  // "user.comment"
  std::string value;
  bool operator==(const Xattr&) const = default;
};

// What the file system keeps about a file or folder beside its inode, as far as archives carry it.
struct Xattrs {
  std::vector<Xattr> named;  // in archives, those of which is_carried() says so
  std::string access_acl;    // POSIX ACLs as text; "": none but the mode
  std::string default_acl;   // of a folder: what is made in it begins with
  size_t size_bytes() const;
  bool operator==(const Xattrs&) const = default;
};

// Whether archives carry the attribute of this name: user.* and security.capability. The rest of
// security.* (labels and signatures by this machine's own policy and keys) and all of trusted.* and
// system.* (notes of file systems to themselves) mean nothing elsewhere.
bool is_carried(std::string_view name);

// Which attributes to read: those that archives carry, or all, for a copy on the same machine.
enum class XattrScope { kCarried, kAll };

// The attributes of an open file or folder, at most 512 KiB of them. What can't be read is left out
// and told to `warn`; a file system without any is no trouble.
Xattrs read_xattrs(int fd, XattrScope scope, const std::function<void(std::string)>& warn);

// Sets all but security.capability of an open file or folder; user.* wants it to be writable. What
// the file system refuses is told to `warn`, what can't be otherwise is an error.
Result<void> set_attributes(int fd, const Xattrs& xattrs,
                            const std::function<void(std::string)>& warn);
// Sets the ACLs, and with `privileges` security.capability: after owner and mode, which change
// them.
Result<void> set_rights(int fd, const Xattrs& xattrs, bool is_folder, bool privileges,
                        const std::function<void(std::string)>& warn);

}  // namespace manman::archive
