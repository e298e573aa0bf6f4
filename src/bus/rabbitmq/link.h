#pragma once

#include <memory>
#include <string>
#include <thread>

#include "base/retry.h"
#include "base/sync.h"
#include "bus/rabbitmq/connection.h"

namespace manman::rabbitmq {

// A connection that is kept: a thread that serves it, and makes a new one when it is lost.
class Link {
 public:
  // What the connection is for. Called by one thread at a time: start()'s caller, then the link's.
  class Work {
   public:
    // Makes a new connection ready for use.
    virtual Result<void> prepare(Connection& connection) = 0;
    // Takes all that came and sends all that waits, without waiting. An error ends the connection.
    virtual Result<void> serve(Connection& connection) = 0;
    virtual void lost(const Error& error) = 0;

   protected:
    ~Work() = default;
  };

  // `name` is what the broker and the log call the connection. Work must outlive the link.
  static Result<std::unique_ptr<Link>> create(const Settings& settings, std::string name,
                                              Work& work);
  Link(const Settings& settings, std::string name, Work& work, std::unique_ptr<Waker> waker);
  ~Link();

  // The first connection; an error is final, and known within the timeouts. From then on work goes
  // on until stop().
  Result<void> start();
  // Has serve() called soon.
  void wake() { waker_->wake(); }
  // Calls serve() once more and closes the connection, but takes little more than a second.
  void stop();

 private:
  struct State {
    bool connected = true;  // as soon as there is a thread
    bool stopping = false;
    bool ended = false;
  };

  void run();
  Result<std::unique_ptr<Connection>> connect_first();
  Result<std::unique_ptr<Connection>> connect();
  // The connection, again and again until there is one; nullptr when stopping.
  std::unique_ptr<Connection> connect_again(int& failures);
  Result<void> serve_until_stop(Connection& connection);
  bool stopping() { return state_.lock()->stopping; }
  bool pause(std::chrono::milliseconds duration);  // false when stopping

  const Settings& settings_;
  const std::string name_;
  Work& work_;
  std::unique_ptr<Waker> waker_;
  std::unique_ptr<Connection> connection_;
  Sync<State> state_;
  std::thread thread_;
};

}  // namespace manman::rabbitmq
