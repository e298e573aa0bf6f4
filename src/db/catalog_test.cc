#include <gmock/gmock.h>

#include "db/test_database.h"

namespace manman::db {
namespace {

using testing::HasSubstr;

class CatalogTest : public EveryDatabase {};
INSTANTIATE_TEST_SUITE_P(All, CatalogTest, testing::ValuesIn(database_kinds()), kind_name);

TEST_P(CatalogTest, ServerIsMadeOnceAndTheFirstIsDefault) {
  const auto ensure = [&](const char* name, const char* environment, int64_t now) {
    return in_tx([&](Transaction& tx) { return servers::ensure(tx, name, environment, now); });
  };
  const Server first = ensure("alpha", "prod", 100);
  EXPECT_GT(first.server_id, 0);
  EXPECT_TRUE(first.is_default);
  EXPECT_TRUE(first.online);
  EXPECT_EQ(first.last_seen, 100);
  const Server other = ensure("alpha", "dev", 110);
  EXPECT_NE(other.server_id, first.server_id);
  EXPECT_FALSE(other.is_default);
  const Server again = ensure("alpha", "prod", 120);
  EXPECT_EQ(again.server_id, first.server_id);
  EXPECT_TRUE(again.is_default);
  EXPECT_EQ(again.last_seen, 120);
  EXPECT_EQ(again.name, "alpha");
  EXPECT_EQ(again.environment, "prod");
}

TEST_P(CatalogTest, SilentServersGoOfflineAndComeBack) {
  const auto make = [&](const char* name, int64_t now) {
    return in_tx([&](Transaction& tx) { return servers::ensure(tx, name, "", now); }).server_id;
  };
  const int64_t silent = make("silent", 100);
  const int64_t lively = make("lively", 200);
  const auto mark = [&] {
    return in_tx([](Transaction& tx) { return servers::mark_offline(tx, 200); }).size();
  };
  EXPECT_EQ(mark(), 1U);
  EXPECT_EQ(mark(), 0U);  // already is
  const auto get = [&](int64_t id) {
    return in_tx([&](Transaction& tx) { return servers::get(tx, id); });
  };
  EXPECT_FALSE(get(silent).online);
  EXPECT_EQ(get(silent).last_seen, 100);
  EXPECT_TRUE(get(lively).online);
  in_tx([&](Transaction& tx) { return servers::seen(tx, silent, 300); });
  EXPECT_TRUE(get(silent).online);
  EXPECT_EQ(get(silent).last_seen, 300);
  in_tx([](Transaction& tx) { return servers::mark_offline(tx, 400); });
  EXPECT_EQ(in_tx([&](Transaction& tx) {
              return servers::seen(tx, std::vector<int64_t>{lively, 999, silent}, 500);
            }),
            2);
  EXPECT_TRUE(get(silent).online);
  EXPECT_TRUE(get(lively).online);
  EXPECT_EQ(get(lively).last_seen, 500);
  EXPECT_EQ(in_tx([](Transaction& tx) { return servers::seen(tx, std::vector<int64_t>{}, 600); }),
            0);
}

TEST_P(CatalogTest, GameConfigReadsBackEveryField) {
  const Game game =
      in_tx([](Transaction& tx) { return games::create(tx, {0, "Mine \"craft\" 世界", "1234"}); });
  EXPECT_EQ(game.name, "Mine \"craft\" 世界");
  EXPECT_EQ(game.steam_app_id, "1234");
  GameConfig config;
  config.game_id = game.game_id;
  config.name = "it's; DROP TABLE games; -- :name ?";
  config.image = "image:tag";
  config.args_template = "--a={{b}}\t'c'";
  config.env = {{"A", "1"}, {"B=C", ""}, {"Ü", "\xf0\x9f\x8e\xae\n"}};
  config.entrypoint = {"/bin/sh", "-c"};
  config.command = {"", "\x01\x7f", "[\"x\"]"};
  config.profile = "minecraft-java";
  config.handling = R"({"stop_command":"stop :name","resume":["save-on"]})";
  config.data_path = "/data";
  config.compression = {ArchiveFormat::kNone, 0};
  const int64_t id =
      in_tx([&](Transaction& tx) { return game_configs::create(tx, config); }).config_id;
  const GameConfig got = in_tx([&](Transaction& tx) { return game_configs::get(tx, id); });
  EXPECT_EQ(got.config_id, id);
  EXPECT_EQ(got.game_id, game.game_id);
  EXPECT_EQ(got.name, config.name);
  EXPECT_EQ(got.image, config.image);
  EXPECT_EQ(got.args_template, config.args_template);
  EXPECT_EQ(got.env, config.env);
  EXPECT_EQ(got.entrypoint, config.entrypoint);
  EXPECT_EQ(got.command, config.command);
  EXPECT_EQ(got.profile, config.profile);
  EXPECT_EQ(got.handling, config.handling);
  EXPECT_EQ(got.data_path, "/data");
  EXPECT_EQ(got.compression, config.compression);
}

TEST_P(CatalogTest, SgcReadsBackEveryField) {
  const int64_t other = make_sgc();
  const auto base = in_tx([&](Transaction& tx) { return server_game_configs::get(tx, other); });
  ServerGameConfig sgc = base;
  sgc.port_bindings = {{25565, 25570, "TCP"}, {19132, 19132, "UDP"}};
  sgc.active = false;
  sgc.profile = "luanti";
  sgc.handling = R"({"leave_out":["/cache/"]})";
  ServerGameConfig got =
      in_tx([&](Transaction& tx) { return server_game_configs::create(tx, sgc); });
  EXPECT_EQ(got.profile, sgc.profile);
  EXPECT_EQ(got.handling, sgc.handling);
  got.handling.clear();
  in_tx([&](Transaction& tx) { return server_game_configs::update(tx, got); });
  got = in_tx([&](Transaction& tx) { return server_game_configs::get(tx, got.sgc_id); });
  EXPECT_EQ(got.profile, sgc.profile);
  EXPECT_EQ(got.handling, "");
  EXPECT_NE(got.sgc_id, other);
  EXPECT_EQ(got.server_id, base.server_id);
  EXPECT_EQ(got.game_config_id, base.game_config_id);
  EXPECT_FALSE(got.active);
  ASSERT_EQ(got.port_bindings.size(), 2U);
  EXPECT_EQ(got.port_bindings[0].container_port, 25565);
  EXPECT_EQ(got.port_bindings[0].host_port, 25570);
  EXPECT_EQ(got.port_bindings[1].protocol, "UDP");
}

TEST_P(CatalogTest, TakenNamesAreRefused) {
  const Game game = in_tx([](Transaction& tx) { return games::create(tx, {.name = "luanti"}); });
  const Error same_game =
      error_of([](Transaction& tx) { return games::create(tx, {.name = "luanti"}); });
  EXPECT_EQ(same_game.code, Code::kAlreadyExists);
  EXPECT_THAT(same_game.message, HasSubstr("\"luanti\""));
  const GameConfig config{.game_id = game.game_id, .name = "big"};
  in_tx([&](Transaction& tx) { return game_configs::create(tx, config); });
  const Error same_config =
      error_of([&](Transaction& tx) { return game_configs::create(tx, config); });
  EXPECT_EQ(same_config.code, Code::kAlreadyExists);
  EXPECT_THAT(same_config.message, HasSubstr("\"big\""));
}

TEST_P(CatalogTest, WhatIsNotThereIsNamed) {
  const auto expect_not_found = [&](std::string_view message, auto work) {
    const Error error = error_of(work);
    EXPECT_EQ(error.code, Code::kNotFound) << error.message;
    EXPECT_EQ(error.message, message);
  };
  expect_not_found("no server 7", [](Transaction& tx) { return servers::get(tx, 7); });
  expect_not_found("no server 7", [](Transaction& tx) { return servers::seen(tx, 7, 1); });
  expect_not_found("no server 7", [](Transaction& tx) { return servers::remove(tx, 7); });
  expect_not_found("no game 7", [](Transaction& tx) { return games::get(tx, 7); });
  expect_not_found("no game 7", [](Transaction& tx) { return games::remove(tx, 7); });
  expect_not_found("no game config 7", [](Transaction& tx) { return game_configs::get(tx, 7); });
  expect_not_found("no game config 7", [](Transaction& tx) { return game_configs::remove(tx, 7); });
  expect_not_found("no game 7", [](Transaction& tx) {
    return game_configs::create(tx, {.game_id = 7, .name = "x"});
  });
  expect_not_found("no server game config 7",
                   [](Transaction& tx) { return server_game_configs::get(tx, 7); });
  expect_not_found("no server game config 7",
                   [](Transaction& tx) { return server_game_configs::remove(tx, 7); });
  expect_not_found("no server 7", [](Transaction& tx) {
    return server_game_configs::create(tx, {.server_id = 7, .game_config_id = 7});
  });
  const int64_t server =
      in_tx([](Transaction& tx) { return servers::ensure(tx, "s", "e", 1); }).server_id;
  expect_not_found("no game config 7", [&](Transaction& tx) {
    return server_game_configs::create(tx, {.server_id = server, .game_config_id = 7});
  });
}

TEST_P(CatalogTest, WhatIsReferredToStays) {
  const int64_t sgc_id = make_sgc();
  const auto sgc = in_tx([&](Transaction& tx) { return server_game_configs::get(tx, sgc_id); });
  const auto config =
      in_tx([&](Transaction& tx) { return game_configs::get(tx, sgc.game_config_id); });
  const auto expect_refused = [&](const std::string& referrer, auto work) {
    const Error error = error_of(work);
    EXPECT_EQ(error.code, Code::kFailedPrecondition) << error.message;
    EXPECT_THAT(error.message, HasSubstr(referrer));
  };
  const std::string named_sgc = "server game config " + std::to_string(sgc_id);
  expect_refused(named_sgc, [&](Transaction& tx) { return servers::remove(tx, sgc.server_id); });
  expect_refused(named_sgc,
                 [&](Transaction& tx) { return game_configs::remove(tx, config.config_id); });
  expect_refused("game config " + std::to_string(config.config_id),
                 [&](Transaction& tx) { return games::remove(tx, config.game_id); });

  const int64_t session = make_session(sgc_id, SessionStatus::kStopping);
  expect_refused("session " + std::to_string(session),
                 [&](Transaction& tx) { return server_game_configs::remove(tx, sgc_id); });
  in_tx([&](Transaction& tx) -> Result<void> {
    Session row = TRY(sessions::get(tx, session));
    row.status = SessionStatus::kStopped;
    return sessions::update(tx, row);
  });
  const int64_t backup = make_backup(sgc_id);
  expect_refused("backup " + std::to_string(backup),
                 [&](Transaction& tx) { return server_game_configs::remove(tx, sgc_id); });

  in_tx([&](Transaction& tx) -> Result<void> {
    TRY(backups::remove(tx, backup));
    TRY(server_game_configs::remove(tx, sgc_id));
    TRY(game_configs::remove(tx, config.config_id));
    TRY(games::remove(tx, config.game_id));
    return servers::remove(tx, sgc.server_id);
  });
  const Error gone = error_of([&](Transaction& tx) { return sessions::get(tx, session); });
  EXPECT_EQ(gone.code, Code::kNotFound);  // ended sessions go with their SGC
}

TEST_P(CatalogTest, PagesGoFromTheNewestAndMissNothing) {
  std::vector<int64_t> ids;
  for (int i = 0; i < 7; i++) {
    const std::string name = "g" + std::to_string(i);
    ids.push_back(
        in_tx([&](Transaction& tx) { return games::create(tx, {.name = name}); }).game_id);
  }
  std::vector<int64_t> seen;
  Page page{.size = 3};
  for (const size_t expected : {3U, 3U, 1U, 0U}) {
    const auto rows = in_tx([&](Transaction& tx) { return games::list(tx, page); });
    ASSERT_EQ(rows.size(), expected);
    for (const Game& game : rows) seen.push_back(game.game_id);
    if (!rows.empty()) page.before_id = rows.back().game_id;
  }
  EXPECT_EQ(seen, std::vector<int64_t>(ids.rbegin(), ids.rend()));
}

TEST_P(CatalogTest, ListsKeepToTheirParent) {
  const int64_t one = make_sgc();
  const int64_t two = make_sgc();
  const auto sgc = in_tx([&](Transaction& tx) { return server_game_configs::get(tx, one); });
  const auto config =
      in_tx([&](Transaction& tx) { return game_configs::get(tx, sgc.game_config_id); });
  const auto of_server =
      in_tx([&](Transaction& tx) { return server_game_configs::list(tx, sgc.server_id, Page{}); });
  ASSERT_EQ(of_server.size(), 1U);
  EXPECT_EQ(of_server[0].sgc_id, one);
  const auto all = in_tx([&](Transaction& tx) { return server_game_configs::list(tx, 0, Page{}); });
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].sgc_id, two);
  const auto of_game =
      in_tx([&](Transaction& tx) { return game_configs::list(tx, config.game_id, Page{}); });
  ASSERT_EQ(of_game.size(), 1U);
  EXPECT_EQ(of_game[0].config_id, config.config_id);
  EXPECT_EQ(in_tx([](Transaction& tx) { return game_configs::list(tx, 0, Page{}); }).size(), 2U);
  EXPECT_EQ(in_tx([](Transaction& tx) { return servers::list(tx, Page{}); }).size(), 2U);
}

TEST_P(CatalogTest, IdsAreNeverGivenTwice) {
  const auto make = [&] {
    return in_tx([](Transaction& tx) { return games::create(tx, {.name = "g"}); }).game_id;
  };
  const int64_t first = make();
  in_tx([&](Transaction& tx) { return games::remove(tx, first); });
  EXPECT_GT(make(), first);
}

TEST_P(CatalogTest, TextThatNoDatabaseHoldsIsRefusedByItsColumn) {
  using std::string_literals::operator""s;
  const std::string bad[] = {
      "a\0b"s, "\xff", "\xc0\x80", "\xed\xa0\x80", "ok \xe2\x82", "\xf4\x90\x80\x80", "\x80"};
  for (const std::string& text : bad) {
    const auto expect_refused = [&](const char* column, auto work) {
      const Error error = error_of(work);
      EXPECT_EQ(error.code, Code::kInvalidArgument) << error.message;
      EXPECT_THAT(error.message, HasSubstr(column));
    };
    expect_refused("games.name",
                   [&](Transaction& tx) { return games::create(tx, {.name = text}); });
    expect_refused("games.steam_app_id", [&](Transaction& tx) {
      return games::create(tx, {.name = "g", .steam_app_id = text});
    });
    expect_refused("servers.environment",
                   [&](Transaction& tx) { return servers::ensure(tx, "s", text, 1); });
    expect_refused("game_configs.command[1]", [&](Transaction& tx) {
      return game_configs::create(tx, {.name = "c", .command = {"ok", text}});
    });
    expect_refused("game_configs.env_template.KEY", [&](Transaction& tx) {
      return game_configs::create(tx, {.name = "c", .env = {{"KEY", text}}});
    });
    expect_refused("game_configs.handling", [&](Transaction& tx) {
      return game_configs::create(tx, {.name = "c", .handling = text});
    });
    expect_refused("outbox.body", [&](Transaction& tx) { return outbox::add(tx, "key", text, 1); });
  }
  EXPECT_TRUE(in_tx([](Transaction& tx) { return games::list(tx, Page{}); }).empty());
}

}  // namespace
}  // namespace manman::db
