#pragma once

#include <amqp.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bus/rabbitmq/endpoint.h"
#include "bus/rabbitmq/event.h"
#include "bus/rabbitmq/rabbitmq_bus.h"
#include "bus/rabbitmq/tls.h"
#include "bus/rabbitmq/waker.h"

namespace manman::rabbitmq {

struct Settings {
  RabbitmqConfig config;
  Endpoint endpoint;
};

struct Outgoing {
  std::string exchange;
  std::string routing_key;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::chrono::milliseconds expires_in{0};  // in a queue; 0: never
  bool fleeting = false;
};

inline constexpr amqp_channel_t kWorkChannel = 1;     // open from the beginning
inline constexpr amqp_channel_t kDeclareChannel = 2;  // opened for what may fail by itself

// One connection to a broker, logged in, with one channel to work on. For one thread at a time.
// After an error it is of no more use. No answer is waited for longer than a timeout, but
// sending waits for a broker that does not read; Waker::cut() ends both.
class Connection {
 public:
  // `name` is what the broker shows.
  static Result<std::unique_ptr<Connection>> open(const Settings& settings, const std::string& name,
                                                  Waker& waker);
  Connection(const Settings& settings, Waker& waker);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The next event that is here already.
  Result<std::optional<Event>> next();
  // Until there is more to read, or Waker::wake(); at most until the next heartbeat is due.
  void wait();

  // Persistent and mandatory. The tag comes back with the broker's answer; it must count the
  // publishes of this connection from 1.
  Result<void> publish(const Outgoing& message, uint64_t tag);
  Result<void> acknowledge(uint64_t delivery_tag);
  // Says goodbye, so that the broker has taken what was sent before; at most `limit`.
  void close(std::chrono::milliseconds limit);

  // For calls of the library that have an answer: its error in our terms.
  amqp_connection_state_t library() { return library_.get(); }
  // After an error of the channel alone, other channels go on.
  Result<void> answer(amqp_channel_t channel);

 private:
  struct Destroy {
    void operator()(amqp_connection_state_t state) const { ::amqp_destroy_connection(state); }
  };

  Result<void> connect();
  Result<void> connect_tls();
  Result<void> log_in(const std::string& name);
  Result<void> limit_answers(std::chrono::milliseconds limit);
  Result<void> sent(int status);
  Error closed_by_broker(const amqp_method_t& method, amqp_channel_t channel);

  const Settings& settings_;
  Waker& waker_;
  TlsCheck tls_check_;  // used by the library until the connection goes
  EventReader reader_;
  std::unique_ptr<amqp_connection_state_t_, Destroy> library_;
};

}  // namespace manman::rabbitmq
