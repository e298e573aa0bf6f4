#pragma once

#include <filesystem>
#include <span>
#include <string_view>

#include "base/error.h"
#include "domain/profile.h"

namespace manman::api {

// A file of profiles/ as the build has checked it.
struct EmbeddedProfile {
  std::string_view file;  // "generic.json"
  std::string_view text;
};
std::span<const EmbeddedProfile> embedded_profiles();  // from a file that the build writes

// The profiles that the program carries.
Profiles built_in_profiles();

// The same, and the *.json files of the folder added, in the place of those of the same name. A bad
// file is kInvalidArgument naming it and the field; "" adds nothing.
Result<Profiles> known_profiles(const std::filesystem::path& folder);

}  // namespace manman::api
