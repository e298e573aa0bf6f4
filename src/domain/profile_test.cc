#include "domain/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "domain/handling_check.h"
#include "domain/handling_layers.h"

namespace manman {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A profile game.json of these fields, after its name.
Result<Profile> parse(const std::string& fields) {
  return Profile::parse("profiles/game.json",
                        R"({"name": "game", "title": "Game", "kinds": ["sqlite"])" + fields + "}");
}

std::string error_of(const Result<Profile>& result) {
  return result ? "no error" : result.error().message;
}

TEST(Profile, ReadsEveryField) {
  const auto profile = parse(R"(, // a comment
    "stop_command": "stop", "stop_grace_seconds": 90, "rcon": {"port": 1, "secret": "s"},
    "quiesce": [{"input": "a", "confirm_regex": "^b$", "timeout_seconds": 5, "repeat_ms": 200,
                 "lists_files": true}],
    "resume": ["c"], "files_root": "worlds", "max_pause_seconds": 7, "unconfirmed": "go-on",
    "ready": "^up$", "ready_timeout_seconds": 8,
    "leave_out": ["/logs/", "!/logs/keep"], "examine": [{"pattern": "**/a-folder/with-a-long-name/*.dat", "as": "nbt"}])");
  ASSERT_TRUE(profile) << profile.error().message;
  EXPECT_EQ(profile->name, "game");
  EXPECT_EQ(profile->title, "Game");
  EXPECT_THAT(profile->kinds, ElementsAre("sqlite"));
  EXPECT_EQ(profile->source, "profiles/game.json");
  EXPECT_THAT(profile->text, HasSubstr("// a comment"));
  const Handling expected{.stop_command = "stop",
                          .stop_grace_seconds = 90,
                          .rcon = {1, "s"},
                          .quiesce = {{"a", "^b$", 5, 200, true}},
                          .resume = {"c"},
                          .files_root = "worlds",
                          .max_pause_seconds = 7,
                          .unconfirmed = Unconfirmed::kGoOn,
                          .leave_out = {"/logs/", "!/logs/keep"},
                          .examine = {{"**/a-folder/with-a-long-name/*.dat", ExamineAs::kNbt}},
                          .ready = "^up$",
                          .ready_timeout_seconds = 8};
  EXPECT_EQ(profile->handling, expected);
  EXPECT_EQ(merged_handling({profile->layer}), expected);
}

TEST(Profile, ABadOneNamesFileAndField) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {R"(, "stop_comand": "x")", "stop_comand: is no field"},
      {R"(, "stop_command": 5)", "stop_command must be a string"},
      {R"(, "rcon": {"prot": 1})", "rcon.prot: is no field"},
      {R"(, "rcon": {"port": 25575})", "rcon.secret: is needed"},
      {R"(, "rcon": {"port": 1, "secret": "../x"})", "rcon.secret: must be the name of a file"},
      {R"(, "quiesce": [{"input": "a"}])", "resume: is needed"},
      {R"(, "resume": ["a"])", "quiesce: is needed"},
      {R"(, "quiesce": [{"input": "a"}, {"input": "b", "confirm": "x"}], "resume": [])",
       "quiesce[1].confirm: is no field"},
      {R"(, "quiesce": [{"input": "a", "confirm_regex": "("}], "resume": [])",
       "quiesce[0].confirm_regex: missing )"},
      {R"(, "quiesce": [{"input": "a", "lists_files": true}], "resume": [])",
       "quiesce[0].confirm_regex: is needed"},
      {R"(, "quiesce": [{"input": "a", "confirm_regex": "x", "lists_files": 1}], "resume": [])",
       "quiesce[0].lists_files must be true or false"},
      {R"(, "leave_out": ["ok", "[a"])",
       "leave_out[1]: pattern \"[a\": has a bracket that is not closed"},
      {R"(, "examine": [{"pattern": "*.x", "as": "xml"}])",
       "examine[0].as must be sqlite, region, nbt or nothing"},
      {R"(, "examine": [{"pattern": "!*.x", "as": "nbt"}])", "examine[0].pattern: takes nothing"},
      {R"(, "examine": [{"pattern": "[", "as": "nbt"}])", "examine[0].pattern: pattern \"[\""},
      {R"(, "examine": [{"patern": "a", "as": "nbt"}])", "examine[0].patern: is no field"},
      {R"(, "files_root": "../x")", "files_root: must be a relative path"},
      {R"(, "unconfirmed": "maybe")", "unconfirmed must be fail or go-on"},
      {R"(, "title": "Again")", "field title stands there twice"},
      {R"(, "rcon": {"port": 0, "port": 0})", "field port stands there twice"},
      {R"(, 5)", "parse error at line 1"},
  };
  for (const auto& [fields, expected] : table) {
    EXPECT_THAT(error_of(parse(fields)), HasSubstr("profiles/game.json: ")) << fields;
    EXPECT_THAT(error_of(parse(fields)), HasSubstr(expected)) << fields;
  }
}

TEST(Profile, NameTitleAndKindsAreChecked) {
  const auto text = [](const std::string& name, const std::string& kind) {
    return R"({"name": ")" + name + R"(", "title": "T", "kinds": [")" + kind + R"("]})";
  };
  EXPECT_TRUE(Profile::parse("a/game-2.json", text("game-2", "zip")));
  EXPECT_THAT(error_of(Profile::parse("a/other.json", text("game", "zip"))),
              HasSubstr("a/other.json: name: is game, so the file must be game.json"));
  EXPECT_THAT(error_of(Profile::parse("A_.json", text("A_", "zip"))), HasSubstr("name: must be"));
  EXPECT_THAT(error_of(Profile::parse("game.json", text("game", "png"))),
              HasSubstr("kinds: \"png\" is none of sqlite, leveldb"));
  EXPECT_THAT(error_of(Profile::parse("game.json", "[]")), HasSubstr("must be a JSON object"));
  EXPECT_THAT(error_of(Profile::parse("game.json", "")), HasSubstr("game.json: "));
  EXPECT_THAT(error_of(Profile::parse("game.json", R"({"name": "game", "kinds": []})")),
              HasSubstr("title is missing"));
}

TEST(Profiles, AnUnknownOneListsThoseThatAre) {
  Profiles profiles;
  profiles.add(*Profile::parse("b.json", R"({"name": "b", "title": "B"})"));
  profiles.add(*Profile::parse("generic.json", R"({"name": "generic", "title": "G"})"));
  profiles.add(*Profile::parse("b.json", R"({"name": "b", "title": "Another"})"));
  EXPECT_EQ((*profiles.find("b"))->title, "Another");
  EXPECT_EQ((*profiles.find(""))->name, "generic");
  const auto none = profiles.find("c");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::kInvalidArgument);
  EXPECT_EQ(none.error().message, "profile: \"c\" is not known; there are b, generic");
}

TEST(Layers, WhatOneDoesNotSayThoseBeforeItDo) {
  const auto merged = merged_handling(
      {R"({"stop_command": "stop", "stop_grace_seconds": 90, "rcon": {"port": 1, "secret": "a"}})",
       "", R"({"stop_command": "", "rcon": {"port": 2}})"});
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->stop_command, "");
  EXPECT_EQ(merged->stop_grace_seconds, 90);
  EXPECT_EQ(merged->rcon, (RconSettings{2, "a"}));
  EXPECT_EQ(merged_handling({}), Handling{});
}

TEST(Layers, QuiesceAndResumeAreOneThing) {
  const std::string below =
      R"({"quiesce": [{"input": "save-off"}], "resume": ["save-on"], "leave_out": ["/a/"]})";
  const auto own = merged_handling({below, R"({"quiesce": [{"input": "hold"}]})"});
  EXPECT_EQ(own->quiesce, (std::vector<QuiesceStep>{{"hold", ""}}));
  EXPECT_TRUE(own->resume.empty());
  const auto only_resume = merged_handling({below, R"({"resume": ["go"]})"});
  EXPECT_TRUE(only_resume->quiesce.empty());
  const auto none = merged_handling({below, R"({"quiesce": [], "resume": []})"});
  EXPECT_TRUE(none->quiesce.empty() && none->resume.empty());
  const auto silent = merged_handling({below, R"({"stop_command": "x"})"});
  EXPECT_THAT(silent->resume, ElementsAre("save-on"));
}

TEST(Layers, PatternsAreAdded) {
  const auto merged = merged_handling({R"({"leave_out": ["/logs/"]})", R"({"leave_out": []})",
                                       R"({"leave_out": ["!/logs/", "/cache/"]})"});
  EXPECT_THAT(merged->leave_out, ElementsAre("/logs/", "!/logs/", "/cache/"));
}

TEST(Layers, OneThatIsDamagedIsAnErrorNamingTheField) {
  for (const char* bad : {"[]", "{", R"({"rcon": 5})", R"({"quiesce": {}})", R"({"resume": "x"})",
                          R"({"leave_out": 5})"}) {
    const auto merged =
        merged_handling({R"({"rcon": {"port": 1}, "leave_out": ["a"], "resume": ["b"]})", bad});
    ASSERT_FALSE(merged) << bad;
    EXPECT_EQ(merged.error().code, Code::kInvalidArgument);
  }
}

TEST(HandlingCheck, FillsInAndNamesTheFieldThatIsWrong) {
  Handling open{.stop_grace_seconds = 0,
                .quiesce = {{"save-off", "disabled", 0}},
                .ready_timeout_seconds = 0};
  ASSERT_TRUE(complete_and_check(open));
  EXPECT_EQ(open.stop_grace_seconds, 30);
  EXPECT_EQ(open.quiesce[0].timeout_seconds, 30);
  EXPECT_EQ(open.ready_timeout_seconds, 120);
  const std::vector<std::pair<Handling, std::string>> table = {
      {{.stop_grace_seconds = -1}, "stop_grace_seconds: must be 0 to 3600"},
      {{.stop_grace_seconds = 3601}, "stop_grace_seconds: must be 0 to 3600"},
      {{.stop_command = "a\nb"}, "stop_command: must be a single line"},
      {{.rcon = {-1, ""}}, "rcon.port: must be 0 to 65535"},
      {{.quiesce = {{"", "", 1}}}, "quiesce[0].input: must not be empty"},
      {{.quiesce = {{"a", "", 1}, {"b", "(", 1}}}, "quiesce[1].confirm_regex: missing"},
      {{.quiesce = {{"a", "", 601}}}, "quiesce[0].timeout_seconds: must be"},
      {{.quiesce = {{"a", "x", 1, 50}}}, "quiesce[0].repeat_ms: must be 0, or 100"},
      {{.quiesce = {{"a", "x", 1, 0, true}, {"b", "x", 1, 0, true}}}, "quiesce: must have at most"},
      {{.resume = {"a", ""}}, "resume[1]: must not be empty"},
      {{.max_pause_seconds = 3601}, "max_pause_seconds: must be"},
      {{.leave_out = {"a", "b\nc"}}, "leave_out[1]: must be a single line"},
      {{.ready = "("}, "ready: missing )"},
      {{.ready = "a\nb"}, "ready: must be a single line"},
      {{.ready_timeout_seconds = 3601}, "ready_timeout_seconds: must be 0 to 3600"},
  };
  for (auto [handling, expected] : table) {
    const auto checked = complete_and_check(handling);
    ASSERT_FALSE(checked) << expected;
    EXPECT_EQ(checked.error().code, Code::kInvalidArgument);
    EXPECT_THAT(checked.error().message, HasSubstr(expected));
  }
}

TEST(HandlingCheck, PatternsThatCanMatchNothingAreRefused) {
  for (const char* good : {"/logs/", "!keep", "*.tmp", "a/**/b", "[!a]x", "[]]", "\\#x", "a\\ ",
                           "\\[", "[a\\]]", "...", "a b"})
    EXPECT_TRUE(check_pattern("p", good)) << good;
  for (const char* bad : {"", " ", "!", "/", "!/", "# x", "[", "a[b", "[]", "[!]", "x\\", "a ",
                          "[[:letter:]]", "./a", "../a", "a/..", "\x01", "\xff"})
    EXPECT_FALSE(check_pattern("p", bad)) << bad;
}

}  // namespace
}  // namespace manman
