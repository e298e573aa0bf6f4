#include <grpcpp/generic/generic_stub.h>
#include <httplib.h>

#include <future>

#include "api/test_service.h"

namespace manman::api {
namespace {

class Plane : public ApiTest {
 protected:
  // What grpc.health.v1 answers: 1 is SERVING, 2 NOT_SERVING. Its messages are so small that they
  // are written and read here byte by byte.
  int health(const std::string& service) {
    grpc::GenericStub stub(
        grpc::CreateChannel(service_->grpc_address(), grpc::InsecureChannelCredentials()));
    std::string request;
    if (!service.empty())
      request = std::string("\x0a") + static_cast<char>(service.size()) + service;
    const grpc::Slice slice(request);
    const grpc::ByteBuffer sent(&slice, 1);
    grpc::ByteBuffer received;
    grpc::ClientContext context;
    std::promise<grpc::Status> done;
    stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", {}, &sent, &received,
                   [&](grpc::Status status) { done.set_value(std::move(status)); });
    const grpc::Status status = done.get_future().get();
    if (!status.ok()) return -status.error_code();
    grpc::Slice answer;
    EXPECT_TRUE(received.TrySingleSlice(&answer).ok());
    return answer.size() == 2 ? answer.begin()[1] : 0;
  }
};

TEST_F(Plane, HttpTellsLifeAndReadiness) {
  httplib::Client client("http://" + service_->http_address());
  const auto alive = client.Get("/healthz");
  ASSERT_TRUE(alive);
  EXPECT_EQ(alive->status, 200);
  const auto ready = client.Get("/readyz");
  ASSERT_TRUE(ready);
  EXPECT_EQ(ready->status, 200);
  EXPECT_NE(ready->body.find(R"("database":{"ok":true})"), std::string::npos) << ready->body;
  EXPECT_NE(ready->body.find(R"("ready":true)"), std::string::npos) << ready->body;
  EXPECT_EQ(client.Get("/etc/passwd")->status, 404);
}

TEST_F(Plane, HealthServiceSaysServing) {
  EXPECT_EQ(health(""), 1);
  EXPECT_EQ(health("manman.v1.ManManAPI"), 1);
  EXPECT_EQ(health("no.such.Service"), -NOT_FOUND);
}

TEST_F(Plane, BeforeItsEnginesAreThereItSaysWhatItWaitsFor) {
  ControlPlane waiting(config_, clock_);
  good(waiting.listen());
  waiting.waits_for("database", Error{Code::kUnavailable, "PG_DATABASE_URL: connection refused"});
  stub_ = v1::ManManAPI::NewStub(
      grpc::CreateChannel(waiting.grpc_address(), grpc::InsecureChannelCredentials()));
  call(&v1::ManManAPI::Stub::ListGames, v1::ListGamesRequest());
  expect_error(UNAVAILABLE, "PG_DATABASE_URL: connection refused");
  httplib::Client client("http://" + waiting.http_address());
  EXPECT_EQ(client.Get("/healthz")->status, 200);
  const auto ready = client.Get("/readyz");
  EXPECT_EQ(ready->status, 503);
  EXPECT_NE(ready->body.find("connection refused"), std::string::npos) << ready->body;

  good(waiting.start(*database_, bus_, *store_));
  call(&v1::ManManAPI::Stub::ListGames, v1::ListGamesRequest());
  expect_ok();
  EXPECT_EQ(client.Get("/readyz")->status, 200);
}

TEST_F(Plane, AnAddressInUseIsToldByName) {
  ApiConfig taken = config_;
  taken.grpc_address = service_->grpc_address();
  ControlPlane second(taken, clock_);
  auto started = second.listen();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::kUnavailable);
  EXPECT_EQ(started.error().message, "gRPC address " + taken.grpc_address + " is in use");
  EXPECT_NE(started.error().hint, "");

  taken.grpc_address = "127.0.0.1:0";
  taken.http_address = service_->http_address();
  ControlPlane third(taken, clock_);
  started = third.listen();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().message, "HTTP address " + taken.http_address + " is in use");
}

TEST_F(Plane, ABadAddressIsToldByName) {
  for (const std::string bad : {"nonsense", "127.0.0.1:99999", "256.1.1.1:80", "192.0.2.1:80"}) {
    ApiConfig config = config_;
    config.grpc_address = bad;
    ControlPlane other(config, clock_);
    const auto started = other.listen();
    ASSERT_FALSE(started) << bad;
    EXPECT_EQ(started.error().code, Code::kInvalidArgument) << started.error().text();
    EXPECT_NE(started.error().message.find(bad), std::string::npos) << started.error().text();
  }
}

TEST_F(Plane, StopsSoonAndStartsAgain) {
  const auto begin = std::chrono::steady_clock::now();
  service_->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  start();
  create_backup();
  expect_ok();
}

TEST_F(Plane, AnOversizedRequestIsRefused) {
  v1::CreateGameRequest request;
  request.set_name(std::string(2 << 20, 'x'));
  call(&v1::ManManAPI::Stub::CreateGame, request);
  expect_error(RESOURCE_EXHAUSTED, "");
  create_backup();
  expect_ok();
}

TEST_F(Plane, RegisteringAServerChecksItsNames) {
  EXPECT_EQ(service_->register_server("", "test").error().code, Code::kInvalidArgument);
  EXPECT_EQ(service_->register_server("box", "a/b").error().code, Code::kInvalidArgument);
  EXPECT_EQ(*service_->register_server("box", "test"), server_id_);
}

}  // namespace
}  // namespace manman::api
