#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "base/file.h"
#include "db/test_database.h"

// A disk that fills up: a small tmpfs, mounted by a child process in a mount namespace of its own.
namespace manman::db {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCantMount = "can't mount";

// Runs work in a child whose `folder` is an empty disk of this size; what work returned.
std::string on_small_disk(const fs::path& folder, const char* size,
                          const std::function<std::string()>& work) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::runtime_error("pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    std::string said = kCantMount;
    const bool apart = ::unshare(CLONE_NEWNS) == 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0;
    if (apart && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
        ::mount("tmpfs", folder.c_str(), "tmpfs", 0, size) == 0) {
      try {
        said = work();
      } catch (const std::exception& error) {
        said = error.what();
      }
    }
    const bool written =
        ::write(ends[1], said.data(), said.size()) == static_cast<ssize_t>(said.size());
    ::_exit(written ? 0 : 1);
  }
  const UniqueFd reader(ends[0]);
  ::close(ends[1]);
  std::string said;
  char buffer[4096];
  for (ssize_t got; (got = ::read(reader.get(), buffer, sizeof buffer)) > 0;) {
    said.append(buffer, static_cast<size_t>(got));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) said += " (the child died)";
  return said;
}

size_t rows_in(Database& database) {
  return must(database.transact([](Transaction& tx) { return outbox::oldest(tx, "key", 100000); }))
      .size();
}

Result<void> add_row(Database& database) {
  return database.transact(
      [](Transaction& tx) { return outbox::add(tx, "key", std::string(5000, 'x'), 1); });
}

std::string fill_up_and_go_on(const fs::path& folder) {
  const fs::path filler = folder / "filler";
  std::ofstream(filler) << std::string(400'000, 'f');
  const std::string path = (folder / "x.db").string();
  auto database = must(Database::open("sqlite:" + path));
  must(database->migrate());
  size_t rows = 0;
  Result<void> added;
  while ((added = add_row(*database))) rows++;
  if (rows == 0) return "no row fitted";
  if (added.error().code != Code::kResourceExhausted) {
    return "wrong error: " + added.error().message;
  }
  if (added.error().message.find(path) == std::string::npos) {
    return "the path is not named: " + added.error().message;
  }
  if (rows_in(*database) != rows) return "rows are lost while the disk is full";
  if (add_row(*database)) return "a full disk took another row";
  fs::remove(filler);
  must(add_row(*database));
  database.reset();
  if (rows_in(*must(Database::open("sqlite:" + path))) != rows + 1) return "rows are lost";
  return "well";
}

TEST(SqliteDiskFullTest, IsAClearErrorAndPasses) {
  const TempFolder folder;
  const std::string said =
      on_small_disk(folder.path(), "size=2m", [&] { return fill_up_and_go_on(folder.path()); });
  if (said == kCantMount) GTEST_SKIP() << "needs root or user namespaces to mount a tmpfs";
  EXPECT_EQ(said, "well");
}

TEST(SqliteDiskFullTest, FullFromTheBeginningIsAClearError) {
  const TempFolder folder;
  const std::string said = on_small_disk(folder.path(), "size=64k", [&]() -> std::string {
    auto database = Database::open("sqlite:" + (folder.path() / "x.db").string());
    if (!database) return std::string(code_name(database.error().code));
    const auto migrated = (*database)->migrate();
    if (migrated) return "migrated on a full disk";
    return std::string(code_name(migrated.error().code));
  });
  if (said == kCantMount) GTEST_SKIP() << "needs root or user namespaces to mount a tmpfs";
  EXPECT_EQ(said, "RESOURCE_EXHAUSTED");
}

}  // namespace
}  // namespace manman::db
