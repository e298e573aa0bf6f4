#include "api/profiles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <re2/re2.h>
#include <unistd.h>

#include <fstream>
#include <set>

namespace manman::api {
namespace {

using testing::HasSubstr;

// What games really print, and what their players can make them print.
struct Line {
  const char* profile;
  size_t step;
  bool confirms;
  const char* text;
};

// Sources: the texts of Minecraft, commands.save.* of its language files, behind the heads that its
// servers write (https://minecraft.wiki/w/Tutorial:Server_logs; Forge's and Paper's log4j2.xml);
// bedrock_server_how_to.html of the Bedrock server; the log of Factorio 1.1 and 2.0; Debian's
// freeciv-server 3.0.6 and openttd 13.0; sample-game/console.cc.
constexpr Line kLines[] = {
    {"minecraft-java", 0, true,
     "[12:00:00] [Server thread/INFO]: Automatic saving is now disabled"},
    {"minecraft-java", 0, true, "[12:00:00 INFO]: Automatic saving is now disabled"},
    {"minecraft-java", 0, true, "\x1b[m> [12:00:00 INFO]: Automatic saving is now disabled\x1b[m"},
    {"minecraft-java", 0, true, "[12:00:00] [Server thread/INFO]: Saving is already turned off"},
    {"minecraft-java", 0, true, "[12:00:00] [Server thread/INFO]: Saving is already turned off."},
    {"minecraft-java", 0, true, "[12:00:00] [Server thread/INFO]: Turned off world auto-saving"},
    {"minecraft-java", 0, true,
     "[12:00:00] [Server thread/INFO] [minecraft/DedicatedServer]: Turned off world auto-saving"},
    {"minecraft-java", 0, true,
     "[29Nov2023 12:00:00.123] [Server thread/INFO] [net.minecraft.server.MinecraftServer/]: "
     "Automatic saving is now disabled"},
    {"minecraft-java", 0, true, "2013-07-01 12:00:00 [INFO] Turned off world auto-saving"},
    {"minecraft-java", 0, true, "Automatic saving is now disabled"},  // over RCON
    {"minecraft-java", 0, false,
     "[12:00:00] [Server thread/INFO]: Automatic saving is now enabled"},
    {"minecraft-java", 0, false, "[12:00:00] [Server thread/INFO]: Saved the game"},
    {"minecraft-java", 0, false,
     "[12:00:00] [Server thread/INFO]: <Bob> Automatic saving is now disabled"},
    {"minecraft-java", 0, false,
     "[12:00:00] [Server thread/INFO]: [Bob: Automatic saving is now disabled]"},
    {"minecraft-java", 1, true, "[12:00:00] [Server thread/INFO]: Saved the game"},
    {"minecraft-java", 1, true, "[12:00:00] [Server thread/INFO]: Saved the world"},
    {"minecraft-java", 1, true, "[12:00:00 INFO]: Saved the game"},
    {"minecraft-java", 1, true, "2013-07-01 12:00:00 [INFO] Saved the world"},
    {"minecraft-java", 1, true, "Saving the game (this may take a moment!)Saved the game"},
    {"minecraft-java", 1, false,
     "[12:00:00] [Server thread/INFO]: Saving the game (this may take a moment!)"},
    {"minecraft-java", 1, false,
     "[12:00:00] [Server thread/INFO]: Unable to save the game (is there enough disk space?)"},
    {"minecraft-java", 1, false, "[12:00:00] [Server thread/INFO]: <Bob> Saved the game"},
    {"minecraft-java", 1, false, "[12:00:00] [Async Chat Thread - #0/INFO]: <Bob> Saved the game"},
    {"minecraft-java", 1, false,
     "[12:00:00] [Server thread/INFO]: [Not Secure] <Bob> Saved the game"},
    {"minecraft-java", 1, false,
     "[12:00:00] [Server thread/INFO]: [Not Secure] <Bob> x]: Saved the game"},
    {"minecraft-java", 1, false,
     "[12:00:00] [Server thread/INFO]: <Bob> [12:00:00] [Server thread/INFO]: Saved the game"},
    {"minecraft-java", 1, false,
     "[12:00:00 INFO]: [Not Secure] <Bob> [12:00:00 INFO]: Saved the game"},
    {"minecraft-java", 1, false, "[12:00:00 INFO]: <Bob> Saved the game"},
    {"minecraft-java", 1, false, "2013-07-01 12:00:00 [INFO] <Bob> Saved the world"},
    {"minecraft-java", 1, false, "[12:00:00] [Server thread/INFO]: * Bob Saved the game"},
    {"minecraft-java", 1, false, "[12:00:00] [Server thread/INFO]: [Rcon: Saved the game]"},
    {"minecraft-java", 1, false, "[12:00:00] [Server thread/INFO]: Saved the game again"},
    {"minecraft-bedrock", 1, true,
     "[2024-01-31 12:00:03:000 INFO] Data saved. Files are now ready to be copied."},
    {"minecraft-bedrock", 1, true,
     "[2019-06-10 12:00:03 INFO] Data saved. Files are now ready to be copied."},
    {"minecraft-bedrock", 1, true,
     "NO LOG FILE! - [2020-06-10 12:00:03 INFO] Data saved. Files are now ready to be copied."},
    {"minecraft-bedrock", 1, true, "Data saved. Files are now ready to be copied."},
    {"minecraft-bedrock", 1, false,
     "[2024-01-31 12:00:03:000 INFO] A previous save has not been completed."},
    {"minecraft-bedrock", 1, false, "[2024-01-31 12:00:03:000 INFO] Saving..."},
    {"minecraft-bedrock", 1, false,
     "[2024-01-31 12:00:03:000 INFO] [Scripting] Bob: Data saved. Files are now ready to be "
     "copied."},
    {"factorio", 0, true, "  12.345 Info AppManagerStates.cpp:2111: Saving finished"},
    {"factorio", 0, true, "1234.567 Info AppManager.cpp:419: Saving finished"},
    {"factorio", 0, false, "1234.567 Info MainLoop.cpp:448: Saving progress: 100.000000%"},
    {"factorio", 0, false,
     "2024-01-31 12:00:00 [CHAT] Bob: 1234.567 Info AppManager.cpp:419: Saving finished"},
    {"freeciv", 0, true, "Game saved as manman-backup.sav.xz"},
    {"freeciv", 0, true, "> Game saved as /srv/saves/manman-backup.sav.xz"},
    {"freeciv", 0, false, "Game saved as freeciv-T0000-Y-4000-manual.sav.xz"},
    {"freeciv", 0, false, "> save manman-backup"},
    {"freeciv", 0, false, "<Bob> Game saved as manman-backup.sav.xz"},
    {"openttd", 0, true, "Map successfully saved to 'manman.sav'."},
    {"openttd", 0, false, "Map successfully saved to 'before.sav'."},
    {"openttd", 0, false, "[All] Bob: Map successfully saved to 'manman.sav'."},
    {"sample-game", 0, true, "[12:00:00] [Server thread/INFO]: Automatic saving is now disabled"},
    {"sample-game", 1, true, "[12:00:00] [Server thread/INFO]: Saved the game"},
    {"sample-game", 1, false, "[12:00:00] [Server thread/INFO]: <Bob> Saved the game"},
};

TEST(BuiltInProfiles, ConfirmWhatTheGamePrintsAndNoPlayersWords) {
  const Profiles profiles = built_in_profiles();
  std::map<std::string, size_t> tried;
  for (const Line& line : kLines) {
    const auto profile = profiles.find(line.profile);
    ASSERT_TRUE(profile);
    ASSERT_LT(line.step, (*profile)->handling.quiesce.size());
    const std::string& regex = (*profile)->handling.quiesce[line.step].confirm_regex;
    EXPECT_EQ(re2::RE2::PartialMatch(line.text, regex), line.confirms)
        << line.profile << " step " << line.step << ": " << line.text;
    tried[std::string(line.profile) + std::to_string(line.step)]++;
  }
  for (const auto& [name, profile] : profiles.all()) {
    for (size_t step = 0; step < profile.handling.quiesce.size(); step++) {
      if (profile.handling.quiesce[step].confirm_regex.empty()) continue;
      EXPECT_GT(tried[name + std::to_string(step)], 0U) << name << " has no lines in the table";
    }
  }
}

struct ReadyLine {
  const char* profile;
  bool ready;
  const char* text;
};

constexpr ReadyLine kReadyLines[] = {
    {"sample-game", true,
     "[12:00:00] [Server thread/INFO]: Done (0.003s)! For help, type \"help\""},
    {"sample-game", false, "[12:00:00] [Server thread/INFO]: Loading world world"},
    {"minecraft-java", true,
     "[12:00:00] [Server thread/INFO]: Done (5.290s)! For help, type \"help\""},
    {"minecraft-java", true, "[12:00:00 INFO]: Done (25,659s)! For help, type \"help\""},
    {"minecraft-java", true,
     "[29Nov2023 12:00:00.123] [Server thread/INFO] [minecraft/DedicatedServer]: Done (5.290s)! "
     "For "
     "help, type \"help\""},
    {"minecraft-java", true,
     "2013-07-01 12:00:00 [INFO] Done (5.290s)! For help, type \"help\" or \"?\""},
    {"minecraft-java", false,
     "[12:00:00] [Server thread/INFO]: <Bob> Done (5.290s)! For help, type \"help\""},
    {"minecraft-java", false,
     "[12:00:00] [Async Chat Thread - #0/INFO]: <Bob> Done (5.290s)! For help, type \"help\""},
    {"minecraft-java", false, "[12:00:00] [Server thread/INFO]: Preparing level \"world\""},
    {"minecraft-bedrock", true, "[2019-05-16 23:19:45 INFO] Server started."},
    {"minecraft-bedrock", true, "[2024-01-31 12:00:03:000 INFO] Server started."},
    {"minecraft-bedrock", true, "NO LOG FILE! - [2019-05-16 23:19:45 INFO] Server started."},
    {"minecraft-bedrock", false, "[2024-01-31 12:00:03:000 INFO] Starting Server"},
    {"minecraft-bedrock", false, "[2024-01-31 12:00:03:000 INFO] [Scripting] Bob: Server started."},
    {"luanti", true,
     "2024-01-31 12:00:00: ACTION[Main]: Server for gameid=\"minetest_game\" listening on "
     "0.0.0.0:30000."},
    {"luanti", false,
     "2024-01-31 12:00:00: ACTION[Server]: CHAT: <Bob> ACTION[Main]: Server for gameid=\"a\" "
     "listening on 0.0.0.0:30000."},
    {"luanti", false, "2024-01-31 12:00:00: ACTION[Main]: World at [world]"},
    {"factorio", true,
     "   0.578 Info ServerMultiplayerManager.cpp:808: updateTick(926) changing state "
     "from(CreatingGame) to(InGame)"},
    {"factorio", false,
     "   0.570 Info ServerMultiplayerManager.cpp:808: updateTick(926) changing state "
     "from(Ready) to(PreparedToHostGame)"},
    {"factorio", false,
     "2024-01-31 12:00:00 [CHAT] Bob: 0.578 Info ServerMultiplayerManager.cpp:808: updateTick(926) "
     "changing state from(CreatingGame) to(InGame)"},
};

TEST(BuiltInProfiles, KnowWhenAGameIsReady) {
  const Profiles profiles = built_in_profiles();
  std::set<std::string> tried;
  for (const ReadyLine& line : kReadyLines) {
    const auto profile = profiles.find(line.profile);
    ASSERT_TRUE(profile);
    EXPECT_EQ(re2::RE2::PartialMatch(line.text, (*profile)->handling.ready), line.ready)
        << line.profile << ": " << line.text;
    tried.insert(line.profile);
  }
  for (const auto& [name, profile] : profiles.all()) {
    EXPECT_EQ(profile.handling.ready.empty(), !tried.contains(name)) << name;
  }
}

TEST(BuiltInProfiles, AreAllThere) {
  const Profiles profiles = built_in_profiles();
  EXPECT_EQ(profiles.all().size(), embedded_profiles().size());
  for (const char* name :
       {"generic", "sample-game", "minecraft-java", "minecraft-bedrock", "luanti", "factorio",
        "terraria", "valheim", "palworld", "project-zomboid", "7-days-to-die", "ark", "rust",
        "satisfactory", "vintage-story", "openttd", "freeciv", "necesse", "counter-strike-2"})
    EXPECT_TRUE(profiles.find(name)) << name;
  EXPECT_EQ((*profiles.find(""))->handling, Handling{});
  EXPECT_EQ((*profiles.find("luanti"))->source, "built in");
}

class OwnProfiles : public testing::Test {
 protected:
  OwnProfiles() {
    char name[] = "/tmp/manman-profiles-XXXXXX";
    dir_ = ::mkdtemp(name);
  }
  ~OwnProfiles() override { std::filesystem::remove_all(dir_); }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(dir_ / name) << text;
  }
  std::filesystem::path dir_;
};

TEST_F(OwnProfiles, AddAndTakeThePlaceOfOthers) {
  write("mine.json", R"({"name": "mine", "title": "Mine"}  // of this house)");
  write("luanti.json", R"({"name": "luanti", "title": "L", "stop_grace_seconds": 5})");
  write("notes.txt", "no profile");
  const auto profiles = known_profiles(dir_);
  ASSERT_TRUE(profiles) << profiles.error().message;
  EXPECT_EQ(profiles->all().size(), embedded_profiles().size() + 1);
  EXPECT_EQ((*profiles->find("mine"))->source, (dir_ / "mine.json").string());
  EXPECT_EQ((*profiles->find("luanti"))->handling.stop_grace_seconds, 5);
}

TEST_F(OwnProfiles, ABadOneIsAnErrorNamingFileAndField) {
  write("mine.json", R"({"name": "mine", "title": "Mine", "stop": "x"})");
  const auto profiles = known_profiles(dir_);
  ASSERT_FALSE(profiles);
  EXPECT_EQ(profiles.error().code, Code::kInvalidArgument);
  EXPECT_THAT(profiles.error().message, HasSubstr((dir_ / "mine.json").string() + ": stop: is no"));
  const auto none = known_profiles(dir_ / "none");
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("none"));
}

}  // namespace
}  // namespace manman::api
