#include "api/test_service.h"

namespace manman::api {
namespace {

using Stub = v1::ManManAPI::Stub;

class Catalog : public ApiTest {
 protected:
  v1::CreateGameConfigRequest config_request() {
    v1::CreateGameConfigRequest request;
    request.set_game_id(1);
    request.set_name("survival");
    request.add_entrypoint("/bin/game");
    request.add_command("nogui");
    request.set_args_template("--world 'my world'");
    (*request.mutable_env_template())["EULA"] = "TRUE";
    request.set_stop_command("stop");
    auto* step = request.add_quiesce();
    step->set_input("save-off");
    step->set_confirm_regex("saving is now disabled");
    request.add_resume("save-on");
    return request;
  }
};

TEST_F(Catalog, GamesComeAndGo) {
  v1::CreateGameRequest create;
  call(&Stub::CreateGame, create);
  expect_error(INVALID_ARGUMENT, "name: must be 1 to 100 characters");
  create.set_name("Luanti");
  create.set_steam_app_id("896660");
  const v1::Game game = call(&Stub::CreateGame, create).game();
  expect_ok();
  EXPECT_EQ(game.steam_app_id(), "896660");
  call(&Stub::CreateGame, create);
  expect_error(ALREADY_EXISTS, "Luanti");

  v1::GetGameRequest get;
  get.set_game_id(game.game_id());
  EXPECT_EQ(call(&Stub::GetGame, get).game().name(), "Luanti");
  v1::DeleteGameRequest remove;
  call(&Stub::DeleteGame, remove);
  expect_error(INVALID_ARGUMENT, "game_id: must be positive");
  remove.set_game_id(1);  // has a config
  call(&Stub::DeleteGame, remove);
  expect_error(FAILED_PRECONDITION, "game");
  remove.set_game_id(game.game_id());
  call(&Stub::DeleteGame, remove);
  expect_ok();
  call(&Stub::GetGame, get);
  expect_error(NOT_FOUND, "no game " + std::to_string(game.game_id()));
}

TEST_F(Catalog, EveryGameIsOnOnePage) {
  v1::CreateGameRequest create;
  for (int i = 0; i < 120; i++) {
    create.set_name("page " + std::to_string(i));
    call(&Stub::CreateGame, create);
  }
  v1::ListGamesRequest list;
  list.set_page_size(1000);
  std::vector<int64_t> ids;
  std::vector<int> sizes;
  do {
    const auto page = call(&Stub::ListGames, list);
    for (const auto& game : page.games()) ids.push_back(game.game_id());
    sizes.push_back(page.games_size());
    list.set_page_token(page.next_page_token());
  } while (!list.page_token().empty());
  EXPECT_EQ(sizes, (std::vector<int>{100, 21}));
  EXPECT_TRUE(std::ranges::is_sorted(ids, std::greater<>()));
  EXPECT_EQ(ids.size(), 121U);
  list.set_page_size(-1);
  call(&Stub::ListGames, list);
  expect_error(INVALID_ARGUMENT, "page_size: must not be negative");
}

TEST_F(Catalog, AConfigComesBackAsItWasGiven) {
  const v1::GameConfig made = call(&Stub::CreateGameConfig, config_request()).config();
  expect_ok();
  v1::GetGameConfigRequest get;
  get.set_config_id(made.config_id());
  const v1::GameConfig config = call(&Stub::GetGameConfig, get).config();
  EXPECT_EQ(config.SerializeAsString(), made.SerializeAsString());
  EXPECT_EQ(config.entrypoint(0), "/bin/game");
  EXPECT_EQ(config.command(0), "nogui");
  EXPECT_EQ(config.args_template(), "--world 'my world'");
  EXPECT_EQ(config.env_template().at("EULA"), "TRUE");
  EXPECT_EQ(config.stop_grace_seconds(), 30);
  EXPECT_EQ(config.quiesce(0).confirm_regex(), "saving is now disabled");
  EXPECT_EQ(config.quiesce(0).timeout_seconds(), 30);
  EXPECT_EQ(config.resume(0), "save-on");
}

TEST_F(Catalog, AContainersDataHasAUsualPlace) {
  auto request = config_request();
  request.set_image("game:1");
  EXPECT_EQ(call(&Stub::CreateGameConfig, request).config().data_path(), "/data/game");
  request.set_name("elsewhere");
  request.set_data_path("/srv/world");
  EXPECT_EQ(call(&Stub::CreateGameConfig, request).config().data_path(), "/srv/world");
}

TEST_F(Catalog, AConfigSaysHowItsBackupsAreArchived) {
  auto request = config_request();
  const auto usual = call(&Stub::CreateGameConfig, request).config();
  EXPECT_EQ(usual.format() + " " + usual.level(), "gz default");
  request.set_name("zst");
  request.set_format("zst");
  const auto zst = call(&Stub::CreateGameConfig, request).config();
  EXPECT_EQ(zst.format() + " " + zst.level(), "zst 3");
  request.set_level("best");
  call(&Stub::CreateGameConfig, request);
  expect_error(INVALID_ARGUMENT, "level: must be a number from 1 to 19");
  request.set_format("rar");
  call(&Stub::CreateGameConfig, request);
  expect_error(INVALID_ARGUMENT, "format: must be gz, zst or none");
}

TEST_F(Catalog, ABadConfigIsNotStored) {
  auto request = config_request();
  request.mutable_quiesce(0)->set_confirm_regex("(");
  call(&Stub::CreateGameConfig, request);
  expect_error(INVALID_ARGUMENT, "quiesce[0].confirm_regex: ");
  for (const char* path : {"data", "/", "/data/", "/a/../b", "/a//b", "/a\nb"}) {
    request = config_request();
    request.set_image("game:1");
    request.set_data_path(path);
    call(&Stub::CreateGameConfig, request);
    expect_error(INVALID_ARGUMENT, "data_path: ");
  }
  request = config_request();
  request.set_data_path("/data");
  call(&Stub::CreateGameConfig, request);
  expect_error(INVALID_ARGUMENT, "data_path: is for containers");
  request = config_request();
  request.set_game_id(50);
  call(&Stub::CreateGameConfig, request);
  expect_error(NOT_FOUND, "no game 50");
  v1::ListGameConfigsRequest list;
  list.set_game_id(1);
  EXPECT_EQ(call(&Stub::ListGameConfigs, list).configs_size(), 1);
}

TEST_F(Catalog, DeployChecksBothEnds) {
  v1::DeployGameConfigRequest request;
  call(&Stub::DeployGameConfig, request);
  expect_error(INVALID_ARGUMENT, "server_id: must be positive");
  request.set_server_id(9);
  request.set_game_config_id(1);
  call(&Stub::DeployGameConfig, request);
  expect_error(NOT_FOUND, "no server 9");
  request.set_server_id(server_id_);
  request.set_game_config_id(9);
  call(&Stub::DeployGameConfig, request);
  expect_error(NOT_FOUND, "9");
  request.set_game_config_id(1);
  auto* binding = request.add_port_bindings();
  binding->set_container_port(25565);
  call(&Stub::DeployGameConfig, request);
  expect_error(INVALID_ARGUMENT, "port_bindings[0].host_port: must be 1 to 65535");
  binding->set_host_port(25565);
  const v1::ServerGameConfig sgc = call(&Stub::DeployGameConfig, request).config();
  expect_ok();
  EXPECT_EQ(sgc.status(), "active");
  EXPECT_EQ(sgc.port_bindings(0).protocol(), "TCP");
  v1::GetServerGameConfigRequest get;
  get.set_server_game_config_id(sgc.server_game_config_id());
  EXPECT_EQ(call(&Stub::GetServerGameConfig, get).config().SerializeAsString(),
            sgc.SerializeAsString());
}

TEST_F(Catalog, WhatIsInUseStays) {
  v1::DeleteServerGameConfigRequest remove;
  remove.set_server_game_config_id(sgc_id_);
  const int64_t session_id = running_session().session_id();
  call(&Stub::DeleteServerGameConfig, remove);
  expect_error(FAILED_PRECONDITION, "session " + std::to_string(session_id));
  report_session(session_id, "completed");
  const v1::Backup backup = completed_backup();
  call(&Stub::DeleteServerGameConfig, remove);
  expect_error(FAILED_PRECONDITION, "backup " + std::to_string(backup.backup_id()));
  v1::DeleteServerRequest server;
  server.set_server_id(server_id_);
  call(&Stub::DeleteServer, server);
  expect_error(FAILED_PRECONDITION, "server");
  delete_backup(backup.backup_id());
  call(&Stub::DeleteServerGameConfig, remove);
  expect_ok();
  call(&Stub::DeleteServer, server);
  expect_ok();
}

TEST_F(Catalog, AServerRegistersOnce) {
  v1::RegisterServerRequest request;
  request.set_name("rented-7");
  request.set_environment("../../etc");
  call(&Stub::RegisterServer, request);
  expect_error(INVALID_ARGUMENT, "environment: must be 1 to 32 letters");
  request.set_environment("prod");
  const auto first = call(&Stub::RegisterServer, request);
  expect_ok();
  EXPECT_EQ(first.server().status(), "online");
  EXPECT_EQ(first.server().environment(), "prod");
  EXPECT_EQ(call(&Stub::RegisterServer, request).server_id(), first.server_id());
  v1::HeartbeatRequest beat;
  beat.set_server_id(first.server_id());
  const auto answer = call(&Stub::Heartbeat, beat);
  EXPECT_TRUE(answer.acknowledged());
  EXPECT_EQ(answer.next_heartbeat_seconds(), 5);
  beat.set_server_id(99);
  call(&Stub::Heartbeat, beat);
  expect_error(NOT_FOUND, "no server 99");
}

}  // namespace
}  // namespace manman::api
