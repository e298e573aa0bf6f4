// A process that uses the RabbitMQ bus, for tests that break what is between it and the broker:
//   rabbitmq_client publish KEY COUNT THREADS   publishes "0", "1", …; each again until confirmed
//   rabbitmq_client consume QUEUE PATTERN [MS]  until SIGTERM; each new message takes MS
//   rabbitmq_client open | publish-once KEY BODY | declare QUEUE PATTERN
// A line of output is one thing done: "confirmed N", "handled BODY new|again", "ready", "error …".
// Bodies that begin with "bad" are rejected. Settings: RABBITMQ_URL, RABBITMQ_CA_FILE, HEARTBEAT_S,
// CONNECT_TIMEOUT_MS, PUBLISH_TIMEOUT_MS.

#include <signal.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "base/retry.h"
#include "base/sync.h"
#include "bus/rabbitmq/rabbitmq_bus.h"

namespace manman {
namespace {

using std::chrono::milliseconds;
using Words = std::vector<std::string>;

std::string setting(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

void say(const std::string& line) {
  static Sync<std::ostream*> out{&std::cout};
  **out.lock() << line << std::endl;
}

std::string shown(const Error& error) {
  std::string text = std::string(code_name(error.code)) + " " + error.text();
  for (char& c : text)
    if (c == '\n') c = ' ';
  return text;
}

RabbitmqConfig config() {
  return {.url = setting("RABBITMQ_URL", ""),
          .ca_file = setting("RABBITMQ_CA_FILE", ""),
          .client_name = "test",
          .connect_timeout = milliseconds(std::stoi(setting("CONNECT_TIMEOUT_MS", "5000"))),
          .publish_timeout = milliseconds(std::stoi(setting("PUBLISH_TIMEOUT_MS", "10000"))),
          .heartbeat = std::chrono::seconds(std::stoi(setting("HEARTBEAT_S", "10")))};
}

// SIGTERM is blocked in every thread, and waited for here.
void wait_for_end() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  int signal = 0;
  sigwait(&set, &signal);
}

Result<void> publish(Bus& bus, const Words& words) {
  const int count = std::stoi(words.at(2));
  std::atomic<int> next = 0;
  std::vector<std::jthread> threads;
  const auto one = [&](int n) {
    for (bool told = false;; told = true) {
      const auto published = bus.publish({words.at(1), std::to_string(n)});
      if (published) return say("confirmed " + std::to_string(n));
      if (!told) say("error " + shown(published.error()));
      sleep_unless(milliseconds(20), {});
    }
  };
  for (int i = 0; i < std::stoi(words.at(3)); i++)
    threads.emplace_back([&] {
      for (int n = next++; n < count; n = next++) one(n);
    });
  return {};
}

Handled handle(const Message& message, milliseconds duration) {
  if (message.body.starts_with("bad")) return {Verdict::kReject, "it is bad"};
  if (!message.redelivered) sleep_unless(duration, {});
  say("handled " + message.body + (message.redelivered ? " again" : " new"));
  return {};
}

Result<void> consume(Bus& bus, const Words& words) {
  const milliseconds duration(words.size() > 3 ? std::stoi(words.at(3)) : 0);
  const auto subscription =
      TRY(bus.subscribe(words.at(1), {words.at(2)},
                        [&](const Message& message) { return handle(message, duration); }));
  say("ready");
  wait_for_end();
  return {};
}

Result<void> run(const Words& words) {
  const auto bus = TRY(open_rabbitmq_bus(config()));
  if (words.at(0) == "publish") return publish(*bus, words);
  if (words.at(0) == "consume") return consume(*bus, words);
  if (words.at(0) == "declare") return bus->declare(words.at(1), {words.at(2)});
  if (words.at(0) == "publish-once") return bus->publish({words.at(1), words.at(2)});
  if (words.at(0) == "open") {
    say("ready");
    wait_for_end();
    return bus->ping();
  }
  return fail(Code::kInvalidArgument, "unknown word " + words.at(0));
}

}  // namespace
}  // namespace manman

int main(int argc, char** argv) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  manman::init_logging("debug");
  const auto done = manman::run({argv + 1, argv + argc});
  manman::say(done ? "done" : "error " + manman::shown(done.error()));
  return done ? 0 : 1;
}
