#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "base/tls.h"

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

  // The service must outlive it. With a certificate it takes TLS connections only, and with a CA
  // only those of clients that this has certified. Not serving at first (see set_serving).
  Result<void> start(const std::string& address, const TlsFiles& tls, grpc::Service& service);
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
