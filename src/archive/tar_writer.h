#pragma once

#include <string>
#include <string_view>

#include "archive/archive.h"
#include "archive/xattrs.h"

namespace manman::archive {

// The header blocks of an entry (POSIX.1-2017, pax): a ustar header, and before it an extended
// one where the ustar fields can't hold what must be kept. A multiple of 512 bytes. The contents
// follow, padded with zeros to 512 bytes. The path is that of the archive; folders get the slash
// that tar wants at their end.
std::string tar_header(const Entry& entry, const Xattrs& xattrs = {});

// A global header that says but this, which readers skip. A multiple of 512 bytes.
std::string tar_comment(std::string_view text);

}  // namespace manman::archive
