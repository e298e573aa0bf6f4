#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/fields.h"
#include "api/game_config_fields.h"
#include "api/page_token.h"
#include "api/shell_words.h"
#include "http/listen_address.h"

namespace manman::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

template <typename T>
std::string error_of(const Result<T>& result) {
  if (result) return "no error";
  EXPECT_EQ(result.error().code, Code::kInvalidArgument);
  return result.error().message;
}

TEST(ShellWords, SplitsAsAShellDoes) {
  EXPECT_THAT(*split_shell_words(""), IsEmpty());
  EXPECT_THAT(*split_shell_words("  \t\n "), IsEmpty());
  EXPECT_THAT(*split_shell_words("--port 25565  -v"), ElementsAre("--port", "25565", "-v"));
  EXPECT_THAT(*split_shell_words("a'b c'd"), ElementsAre("ab cd"));
  EXPECT_THAT(*split_shell_words("'' \"\""), ElementsAre("", ""));
  EXPECT_THAT(*split_shell_words(R"("a \"b\" \\ \n $HOME" \ x)"),
              ElementsAre(R"(a "b" \ \n $HOME)", " x"));
  EXPECT_THAT(*split_shell_words(R"('it'\''s')"), ElementsAre("it's"));
  EXPECT_THAT(*split_shell_words("a\\\nb"), ElementsAre("ab"));
}

TEST(ShellWords, RefusesWhatDoesNotEnd) {
  EXPECT_THAT(error_of(split_shell_words("a 'b")), HasSubstr("' is not closed"));
  EXPECT_THAT(error_of(split_shell_words("a \"b\\\"")), HasSubstr("\" is not closed"));
  EXPECT_THAT(error_of(split_shell_words("a \\")), HasSubstr("\\ ends it"));
}

TEST(PageToken, ComesBackAsThePlaceWhereItWasMade) {
  for (const int64_t id : {int64_t{1}, int64_t{99}, int64_t{9223372036854775807}})
    EXPECT_EQ(page_from("backups", 10, page_token("backups", id))->before_id, id);
}

TEST(PageToken, RefusesEveryOther) {
  const std::string token = page_token("backups", 77);
  EXPECT_THAT(error_of(page_from("sessions", 0, token)), HasSubstr("page_token: "));
  for (const std::string& bad :
       {token + "A", token + "=", token.substr(1), std::string("77"), std::string("\xff\x00", 2),
        std::string(100000, 'A'), page_token("backups", 0), page_token("backups", -5)})
    EXPECT_THAT(error_of(page_from("backups", 0, bad)), HasSubstr("page_token: ")) << bad;
}

TEST(PageToken, SizeHasADefaultAndALimit) {
  EXPECT_EQ(page_from("x", 0, "")->size, 50);
  EXPECT_EQ(page_from("x", 1, "")->size, 1);
  EXPECT_EQ(page_from("x", 101, "")->size, 100);
  EXPECT_EQ(error_of(page_from("x", -1, "")), "page_size: must not be negative");
}

TEST(Fields, NamesAreShortPrintableText) {
  EXPECT_TRUE(check_name("name", "Grünes Tal 🌲"));
  std::string hundred;
  for (int i = 0; i < 100; i++) hundred += "ä";
  EXPECT_TRUE(check_name("name", hundred));
  EXPECT_EQ(error_of(check_name("name", hundred + "x")), "name: must be 1 to 100 characters");
  EXPECT_EQ(error_of(check_name("name", "")), "name: must be 1 to 100 characters");
  EXPECT_EQ(error_of(check_name("name", "  ")), "name: must not be blank");
  for (const std::string& bad :
       {std::string("a\nb"), std::string("a\0b", 3), std::string("\x7f"), std::string("\xc2\x85")})
    EXPECT_EQ(error_of(check_name("name", bad)), "name: must not hold control characters");
  for (const std::string bad :
       {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\xe2\x82"})
    EXPECT_EQ(error_of(check_name("name", bad)), "name: must be UTF-8");
}

TEST(Fields, EnvironmentIsSafeInAFolderName) {
  EXPECT_TRUE(check_environment("environment", "prod-eu_1"));
  for (const std::string bad : {"", "..", "a/b", "a b", "ä", "123456789012345678901234567890123"})
    EXPECT_THAT(error_of(check_environment("environment", bad)), HasSubstr("environment: "));
}

GameConfig config() {
  GameConfig config{.game_id = 1, .name = "survival"};
  config.entrypoint = {"/bin/game"};
  return config;
}

TEST(GameConfigFields, NamesTheFieldThatIsWrong) {
  using Change = std::function<void(GameConfig&)>;
  const std::vector<std::pair<Change, std::string>> table = {
      {[](GameConfig& c) { c.game_id = 0; }, "game_id: must be positive"},
      {[](GameConfig& c) { c.name = ""; }, "name: must be 1 to 100 characters"},
      {[](GameConfig& c) { c.entrypoint = {}; }, "entrypoint: with no image"},
      {[](GameConfig& c) { c.entrypoint = {""}; }, "entrypoint[0]: must not be empty"},
      {[](GameConfig& c) { c.command = {"a", "\x01"}; }, "command[1]: must not hold control"},
      {[](GameConfig& c) { c.args_template = "'a"; }, "args_template: a ' is not closed"},
      {[](GameConfig& c) { c.env["A B"] = ""; }, "env_template[\"A B\"]: the name must be"},
      {[](GameConfig& c) { c.env["1A"] = ""; }, "env_template[\"1A\"]: the name must be"},
      {[](GameConfig& c) { c.env["A"] = std::string(40000, 'x'); }, "env_template[\"A\"]: must be"},
      {[](GameConfig& c) { c.command = {std::string(20000, 'x'), std::string(20000, 'x')}; },
       "together must be at most 32 KiB"},
      {[](GameConfig& c) { c.command.assign(257, "x"); }, "command: must be at most 256 words"},
  };
  for (const auto& [change, expected] : table) {
    GameConfig changed = config();
    change(changed);
    EXPECT_THAT(error_of(complete_and_check(changed)), HasSubstr(expected));
  }
}

TEST(GameConfigFields, WithAnImageNothingElseIsNeeded) {
  GameConfig container{.game_id = 1, .name = "c", .image = "itzg/minecraft-server"};
  EXPECT_TRUE(complete_and_check(container));
}

TEST(GameConfigFields, ArgvIsEntrypointCommandAndTheTemplatesWords) {
  GameConfig all = config();
  all.command = {"nogui"};
  all.args_template = "--motd 'two words'";
  EXPECT_THAT(*argv_of(all), ElementsAre("/bin/game", "nogui", "--motd", "two words"));
}

TEST(PortBindings, AreCheckedOneByOne) {
  std::vector<PortBinding> good = {{25565, 25565, ""}, {19132, 25565, "udp"}};
  ASSERT_TRUE(complete_and_check(good));
  EXPECT_EQ(good[0].protocol, "TCP");
  EXPECT_EQ(good[1].protocol, "UDP");
  const std::vector<std::pair<std::vector<PortBinding>, std::string>> table = {
      {{{0, 1, "TCP"}}, "port_bindings[0].container_port: must be 1 to 65535"},
      {{{1, 1, "TCP"}, {1, 65536, "TCP"}}, "port_bindings[1].host_port: must be 1 to 65535"},
      {{{1, 1, "SCTP"}}, "port_bindings[0].protocol: must be TCP or UDP"},
      {{{1, 7, "TCP"}, {2, 7, "tcp"}}, "port_bindings[1].host_port: 7/TCP is bound twice"},
  };
  for (auto [bindings, expected] : table)
    EXPECT_EQ(error_of(complete_and_check(bindings)), expected);
}

TEST(ListenAddress, IsAHostAndAPort) {
  EXPECT_EQ(ListenAddress::parse("x", "127.0.0.1:8080")->text(), "127.0.0.1:8080");
  EXPECT_EQ(ListenAddress::parse("x", "[::1]:0")->text(), "[::1]:0");
  EXPECT_EQ(ListenAddress::parse("x", "[::1]:0")->host, "::1");
  for (const std::string bad : {"", "8080", ":8080", "localhost:", "localhost:x", "localhost:65536",
                                "localhost:-1", "::1:80", "localhost:80 "})
    EXPECT_THAT(error_of(ListenAddress::parse("HTTP address", bad)),
                HasSubstr("HTTP address '" + bad + "'"));
  EXPECT_THAT(error_of(check_free("HTTP address", {"no-such-host.invalid", 80})),
              HasSubstr("HTTP address no-such-host.invalid:80"));
}

}  // namespace
}  // namespace manman::api
