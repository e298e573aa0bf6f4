#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"

// Passwords that stand on this machine's disk and nowhere else; only their names travel.
namespace manman {

// The name of a secret: 1 to 64 of a-z A-Z 0-9 . _ -, not beginning with a dot.
bool is_secret_name(std::string_view name);

// What {secrets_dir}/{name} holds, without a newline at its end. It must be a regular file (no
// symlink) of at most 4 KiB, not empty, that neither group nor others may read: else
// kFailedPrecondition saying what to do. One that is not there is kNotFound, a name that is none
// kInvalidArgument. No error says what it holds.
Result<std::string> read_secret(const std::filesystem::path& secrets_dir, const std::string& name);

}  // namespace manman
