#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/stream.h"

// POSIX ACLs between the kernel's form (the value of system.posix_acl_access and _default) and the
// text that tar programs write.
namespace manman::archive {

// "user::rwx,user:1000:r--,group::r-x,mask::r-x,other::---": numbers for users and groups, so that
// it means the same everywhere. kInvalidArgument for what is no ACL.
Result<std::string> acl_to_text(ConstBytes kernel_form);

// Of such a text, entries divided by commas or lines, users and groups by number, by a number in a
// fourth field, or by a name that this machine knows. kInvalidArgument for anything else.
Result<std::string> acl_from_text(std::string_view text);

}  // namespace manman::archive
