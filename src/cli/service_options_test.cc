#include "cli/service_options.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/address.h"
#include "cli/state_folder.h"

namespace manman::cli {
namespace {
namespace fs = std::filesystem;

TEST(ServiceOptions, DefaultsStandUnderTheState) {
  ServiceOptions options;
  options.state = "some/where";
  const auto done = complete(Role::kServe, options);
  ASSERT_TRUE(done) << done.error().text();
  const fs::path state = fs::current_path() / "some/where";
  EXPECT_EQ(done->state, state);
  EXPECT_EQ(done->store, (state / "store").string());
  EXPECT_EQ(done->db, "sqlite:" + (state / "manman.db").string());
  EXPECT_EQ(done->data_dir, state / "data");
  EXPECT_FALSE(done->server_name.empty());
}

TEST(ServiceOptions, ABadSettingIsNamed) {
  const auto refused = [](auto change, const std::string& name) {
    ServiceOptions options;
    change(options);
    const auto done = complete(Role::kServe, options);
    ASSERT_FALSE(done) << name;
    EXPECT_EQ(done.error().code, Code::kInvalidArgument);
    EXPECT_NE(done.error().message.find(name), std::string::npos) << done.error().message;
    EXPECT_EQ(done.error().message.find("secret"), std::string::npos) << done.error().message;
  };
  refused([](auto& o) { o.grpc = "nonsense"; }, "--grpc");
  refused([](auto& o) { o.http = "127.0.0.1:99999"; }, "--http");
  refused([](auto& o) { o.store = "s3://bucket/key"; }, "--store");
  refused([](auto& o) { o.store = "https://me:secret@store"; }, "--store");
  refused([](auto& o) { o.db = "mysql://me:secret@db/manman"; }, "PG_DATABASE_URL");
  refused([](auto& o) { o.db = "sqlite:"; }, "--db");
  refused([](auto& o) { o.bus = "http://me:secret@mq"; }, "RABBITMQ_URL");
  refused([](auto& o) { o.environment = "../up"; }, "ENVIRONMENT");
  refused([](auto& o) { o.bucket = "a/b"; }, "S3_BUCKET");
  refused([](auto& o) { o.docker_socket = "docker.sock"; }, "DOCKER_SOCKET");
  refused([](auto& o) { o.docker_socket = "tcp://10.0.0.1:2375"; }, "DOCKER_SOCKET");
  refused([](auto& o) { o.docker_socket = "/" + std::string(200, 'x'); }, "DOCKER_SOCKET");
  refused([](auto& o) { o.docker_network.clear(); }, "--docker-network");
  refused([](auto& o) { o.state.clear(); }, "--state");
}

TEST(ServiceOptions, WhatOtherMachinesKeepMustBeNamed) {
  const auto missing = [](Role role, ServiceOptions options, const std::string& name) {
    const auto done = complete(role, std::move(options));
    ASSERT_FALSE(done) << name;
    EXPECT_EQ(done.error().code, Code::kInvalidArgument);
    EXPECT_NE(done.error().message.find(name), std::string::npos) << done.error().message;
  };
  ServiceOptions options;
  missing(Role::kMigrate, options, "PG_DATABASE_URL");
  missing(Role::kApi, options, "PG_DATABASE_URL");
  missing(Role::kHost, options, "RABBITMQ_URL");
  options.db = "postgres://manman@db/manman";
  EXPECT_TRUE(complete(Role::kMigrate, options));
  missing(Role::kApi, options, "RABBITMQ_URL");
  options.bus = "amqps://manman@mq/manman";
  missing(Role::kApi, options, "--store");
  options.store = "s3://worlds";
  const auto api = complete(Role::kApi, options);
  ASSERT_TRUE(api) << api.error().text();
  EXPECT_EQ(api->bucket, "worlds");
  missing(Role::kHost, options, "API_ADDRESS");
  options.api = "127.0.0.1:50051";
  options.data_dir = "games";
  const auto host = complete(Role::kHost, options);
  ASSERT_TRUE(host) << host.error().text();
  EXPECT_EQ(host->data_dir, fs::current_path() / "games");
}

TEST(ServiceOptions, DockersSocketMayBeAUrlOrNone) {
  ServiceOptions options;
  options.docker_socket = "unix:///run/docker.sock";
  EXPECT_EQ(complete(Role::kServe, options)->docker_socket, "/run/docker.sock");
  options.docker_socket.clear();
  EXPECT_EQ(complete(Role::kServe, options)->docker_socket, "");
}

TEST(Address, HostAndPort) {
  for (const char* good : {"127.0.0.1:50051", "[::1]:1", "localhost:65535"})
    EXPECT_TRUE(check_address(good, "--api", false)) << good;
  for (const char* bad : {"", "host", ":1", "host:", "host:x", "host:65536", "host:-1", "::1:1",
                          "http://host:1", "host:1 ", "host:0"})
    EXPECT_FALSE(check_address(bad, "--api", false)) << bad;
  EXPECT_TRUE(check_address("127.0.0.1:0", "--grpc", true));
}

class StateFolder : public testing::Test {
 protected:
  StateFolder() {
    char name[] = "/tmp/manman-cli-XXXXXX";
    dir_ = ::mkdtemp(name);
  }
  ~StateFolder() override { fs::remove_all(dir_); }
  fs::path dir_;
};

TEST_F(StateFolder, OneHolderAtATime) {
  {
    const auto first = FolderLock::take(dir_ / "state");
    ASSERT_TRUE(first) << first.error().text();
    const auto second = FolderLock::take(dir_ / "state");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Code::kFailedPrecondition);
    EXPECT_NE(second.error().message.find("pid " + std::to_string(::getpid())), std::string::npos);
  }
  EXPECT_TRUE(FolderLock::take(dir_ / "state"));
}

TEST_F(StateFolder, EndpointsAreThereOnlyWhileServing) {
  {
    const auto file = EndpointsFile::write(dir_, "127.0.0.1:1", "127.0.0.1:2");
    ASSERT_TRUE(file);
    EXPECT_EQ(read_file(dir_ / "endpoints.json").value(),
              R"({"grpc":"127.0.0.1:1","http":"127.0.0.1:2","pid":)" + std::to_string(::getpid()) +
                  "}\n");
  }
  EXPECT_FALSE(fs::exists(dir_ / "endpoints.json"));
}

}  // namespace
}  // namespace manman::cli
