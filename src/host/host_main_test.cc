#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "base/failpoint.h"
#include "base/file.h"
#include "game/quiesce/resume_guard.h"
#include "host/host_fixture_for_tests.h"

namespace {

// A host in a process of its own, that gets one command and works until a failpoint kills it.
int run_until_killed(const std::filesystem::path& dir, std::string_view what) {
  using namespace manman;
  if (!failpoint::configure_from_environment()) return 2;
  host::HostWorld world(dir);
  host::HostConfig config;
  config.server_id = host::kServer;
  config.data_dir = dir / "data";
  config.threads = 2;
  config.guard_program = {"/proc/self/exe", "resume-guard"};
  config.report_interval = std::chrono::milliseconds(50);
  world.start(config);
  const auto body = read_file(dir / "command");
  if (!body || !world.send(what, *body)) return 3;
  for (;;) ::pause();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "game-wrapper" && argc == 3) return manman::run_game_wrapper(argv[2]);
  if (verb == "resume-guard") {
    const auto runtime = manman::make_process_runtime("/proc/self/exe");
    return manman::run_resume_guard([&](const manman::GuardedGame& guarded) {
      return manman::open_console(*runtime, guarded.game, guarded.rcon);
    });
  }
  if (verb == "host-until-killed" && argc == 4) return run_until_killed(argv[2], argv[3]);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
