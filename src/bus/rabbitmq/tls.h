#pragma once

#include <amqp.h>
#include <amqp_ssl_socket.h>

#include <string>

#include "bus/rabbitmq/waker.h"

namespace manman::rabbitmq {

// Checks of a TLS connection beyond what the library does: the certificate must be for the host, by
// name or by address, and what is wrong with one is kept. Must outlive the socket's connecting.
class TlsCheck {
 public:
  explicit TlsCheck(Waker& waker) : waker_(waker) {}

  // Before the socket is opened. An empty ca_file stands for the authorities of the system.
  Result<void> prepare(amqp_socket_t* socket, const std::string& host, const std::string& ca_file);
  // What is wrong with the broker's certificate; empty when nothing was found.
  const std::string& complaint() const { return complaint_; }

 private:
  struct Callbacks;

  Waker& waker_;
  std::string complaint_;
};

}  // namespace manman::rabbitmq
