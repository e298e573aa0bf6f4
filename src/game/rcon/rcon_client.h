#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/file.h"

namespace manman {

// A client of the Source RCON protocol
// (https://developer.valvesoftware.com/wiki/Source_RCON_Protocol), as Source, Minecraft and others
// speak it. It has no thread of its own: a call returns when it is done, at its deadline
// (kDeadlineExceeded), or within 50 ms after `stop`, which is asked often, says true (kCancelled).
// A connection that is refused, cut or closed is kUnavailable; what is no RCON is kDataLoss and
// ends the connection. Memory is bounded by kMaxResponseBytes. No error holds the password. One
// thread at a time.
class RconClient {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  using Stop = std::function<bool()>;  // may be empty

  // Minecraft takes no packet of more than 1,460 bytes; 14 of them are not the command's.
  static constexpr size_t kMaxCommandBytes = 1446;
  static constexpr size_t kMaxResponseBytes = 1U << 20;

  // Connects to an IP address and logs in. A wrong password is kPermissionDenied.
  static Result<RconClient> connect(const std::string& address, int port, std::string_view password,
                                    Deadline deadline, const Stop& stop);

  // Runs one command; its whole response, of any number of packets. One of more than
  // kMaxResponseBytes is kResourceExhausted and ends the connection. After an error of another kind
  // than kDeadlineExceeded and kCancelled there is no connection any more.
  Result<std::string> command(std::string_view line, Deadline deadline, const Stop& stop);

 private:
  struct Packet {
    int32_t id = 0;
    int32_t type = 0;
    std::string body;
  };

  RconClient(UniqueFd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}

  Result<void> log_in(std::string_view password, Deadline deadline, const Stop& stop);
  Result<std::string> ask(std::string_view line, Deadline deadline, const Stop& stop);
  Result<void> send(int32_t id, int32_t type, std::string_view body, Deadline deadline,
                    const Stop& stop);
  Result<Packet> receive(Deadline deadline, const Stop& stop);
  // A packet of what has been received; false when it is not complete yet.
  Result<bool> take_packet(Packet& packet);
  template <typename T>
  Result<T> closing_if_broken(Result<T> result);

  UniqueFd fd_;
  std::string name_;      // "RCON 127.0.0.1:25575"
  std::string received_;  // not yet taken
  int32_t last_id_ = 0;
};

}  // namespace manman
