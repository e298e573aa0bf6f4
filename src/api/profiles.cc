#include "api/profiles.h"

#include <algorithm>
#include <vector>

#include "base/file.h"

namespace manman::api {
namespace {
namespace fs = std::filesystem;

constexpr size_t kMaxFileBytes = 256 << 10;

Result<std::vector<fs::path>> profile_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (at->path().extension() == ".json") files.push_back(at->path());
  if (error) return fail_errno("read the folder " + folder.string(), error.value());
  std::ranges::sort(files);
  return files;
}

}  // namespace

Profiles built_in_profiles() {
  Profiles profiles;
  for (const EmbeddedProfile& embedded : embedded_profiles()) {
    auto profile = Profile::parse(embedded.file, std::string(embedded.text));
    if (!profile) continue;  // not after the build's check
    profile->source = "built in";
    profiles.add(*std::move(profile));
  }
  return profiles;
}

Result<Profiles> known_profiles(const fs::path& folder) {
  Profiles profiles = built_in_profiles();
  if (folder.empty()) return profiles;
  for (const fs::path& file : TRY(profile_files(folder)))
    profiles.add(TRY(Profile::parse(file, TRY(read_file(file, kMaxFileBytes)))));
  return profiles;
}

}  // namespace manman::api
