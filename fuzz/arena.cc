#include "fuzz/arena.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <set>

#include "base/file.h"
#include "fuzz/check.h"

namespace manman::archive::fuzz {
namespace fs = std::filesystem;
namespace {

constexpr const char* kAlive = "alive";

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename());
  return names;
}

void check_canary(const fs::path& path) {
  struct stat info{};
  CHECK(::lstat(path.c_str(), &info) == 0);
  CHECK(S_ISREG(info.st_mode) && info.st_nlink == 1 && (info.st_mode & 07777) == 0600);
  CHECK(info.st_mtim.tv_sec == 1'000'000'000 && info.st_uid == ::geteuid());
  CHECK(read_file(path).value_or("") == kAlive);
}

void make_canary(const fs::path& path) {
  std::ofstream(path) << kAlive;
  ::chmod(path.c_str(), 0600);
  const timespec times[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  CHECK(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
}

}  // namespace

// root/outside/canary, root/box/canary, root/box/target/
Arena::Arena() {
  const fs::path memory = "/dev/shm";
  const fs::path base = ::access(memory.c_str(), W_OK) == 0 ? memory : fs::temp_directory_path();
  std::string name = (base / "manman-fuzz-XXXXXX").string();
  CHECK(::mkdtemp(name.data()) != nullptr);
  root_ = name;
  target_ = root_ / "box/target";
  fs::create_directories(target_);
  fs::create_directory(root_ / "outside");
  make_canary(root_ / "outside/canary");
  make_canary(root_ / "box/canary");
}

Arena::~Arena() {
  CHECK(remove_tree(root_));
}

void Arena::check_and_clear() {
  using Names = std::set<std::string>;
  CHECK(names_in(root_) == (Names{"box", "outside"}));
  CHECK(names_in(root_ / "box") == (Names{"canary", "target"}));
  CHECK(names_in(root_ / "outside") == Names{"canary"});
  check_canary(root_ / "outside/canary");
  check_canary(root_ / "box/canary");
  CHECK(!fs::is_symlink(target_) && fs::is_directory(target_));
  CHECK(remove_tree(target_));
  CHECK(fs::create_directory(target_));
}

}  // namespace manman::archive::fuzz
