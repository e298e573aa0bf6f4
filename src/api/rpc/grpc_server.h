#pragma once

#include <memory>
#include <string>

#include "base/error.h"

namespace grpc {
class Server;
class Service;
}  // namespace grpc

namespace manman::api {

// Serves one service with reflection and grpc.health.v1.
class GrpcServer {
 public:
  GrpcServer();
  ~GrpcServer();  // stop()

  // The service must outlive it.
  Result<void> start(const std::string& address, grpc::Service& service);
  // Takes no more calls; those at work are cut off after two seconds.
  void stop();
  // What grpc.health.v1 answers. Any thread.
  void set_serving(bool serving);
  std::string address() const { return address_; }  // with the real port

 private:
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace manman::api
