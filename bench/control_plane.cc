// Loads the control plane, an API process with PostgreSQL and RabbitMQ, from outside:
//   bench_control_plane past ROWS HOSTS        gives the database of PG_DATABASE_URL a past
//   bench_control_plane pages API ROWS ROUNDS  pages of ListBackups over gRPC
//   bench_control_plane load API SECONDS RATE CLIENTS
//     hosts on the bus of RABBITMQ_URL, idle; then RATE backups a second; then as many as CLIENTS
//     clients order in a closed loop
// Each phase writes two lines of JSON: {"begin": NAME}, and {"end": NAME, …} with what was
// measured.

#include <grpcpp/grpcpp.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>

#include "base/log.h"
#include "base/time.h"
#include "control_plane/calls.h"
#include "control_plane/hosts.h"
#include "control_plane/pages.h"
#include "past.h"

namespace manman::bench {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kBackupTakes{1500};
constexpr int kClientsAtRate = 32;

std::string setting(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

template <typename Work>
void phase(const std::string& name, Work&& work) {
  std::cout << json{{"begin", name}} << std::endl;
  json result = must(work());
  result["end"] = name;
  std::cout << result << std::endl;
}

// Heartbeats come in for as long; then what the API makes of them.
Result<json> idle(v1::ManManAPI::Stub& api, seconds duration) {
  std::this_thread::sleep_for(duration);
  const int64_t now_s = system_clock().now_s();
  int64_t servers = 0;
  int64_t online = 0;
  int64_t oldest_s = 0;
  v1::ListServersRequest request;
  request.set_page_size(100);
  do {
    grpc::ClientContext context;
    v1::ListServersResponse page;
    const auto status = api.ListServers(&context, request, &page);
    if (!status.ok()) return fail(Code::kUnavailable, "ListServers: " + status.error_message());
    for (const auto& server : page.servers()) {
      servers++;
      if (server.status() == "online") online++;
      oldest_s = std::max(oldest_s, now_s - server.last_seen());
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return json{{"servers", servers}, {"online", online}, {"oldest_sign_of_life_s", oldest_s}};
}

void load(const std::string& address, seconds duration, double rate, int clients) {
  const auto api = connect(address);
  const auto hosts = must(hosts_of(*api));
  Clients calls(address, hosts);
  std::unique_ptr<Hosts> fleet;
  phase("connect", [&]() -> Result<json> {
    fleet =
        TRY(Hosts::start(setting("RABBITMQ_URL"), hosts, kBackupTakes,
                         {.arrived = [&](int64_t backup, Time at) { calls.arrived(backup, at); },
                          .completed = [&](int64_t sgc) { calls.completed(sgc); }}));
    return json{{"hosts", hosts.size()}};
  });
  phase("idle", [&] { return idle(*api, duration / 2); });
  phase("rate", [&] { return calls.order_backups(kClientsAtRate, rate, duration); });
  phase("most", [&] { return calls.order_backups(clients, 0, duration); });
  phase("after", [&]() -> Result<json> {
    json result = TRY(idle(*api, seconds(1)));
    const Hosts::Counts& counts = fleet->counts();
    result["commands"] = counts.commands.load();
    result["repeated"] = counts.repeated.load();
    result["reports"] = counts.reports.load();
    result["heartbeats"] = counts.heartbeats.load();
    result["refused"] = counts.refused.load();
    return result;
  });
}

int run(const std::vector<std::string>& words) {
  if (words.size() == 3 && words[0] == "past") {
    const auto database = must(db::Database::open(setting("PG_DATABASE_URL")));
    must(database->migrate());
    must(give_past(*database, std::stoi(words[2]), std::stoll(words[1])));
  } else if (words.size() == 4 && words[0] == "pages") {
    const auto api = connect(words[1]);
    phase("pages", [&] { return measure_pages(*api, std::stoll(words[2]), std::stoi(words[3])); });
  } else if (words.size() == 5 && words[0] == "load") {
    load(words[1], seconds(std::stoi(words[2])), std::stod(words[3]), std::stoi(words[4]));
  } else {
    std::cerr << "usage: see the first lines of bench/control_plane.cc\n";
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace manman::bench

int main(int argc, char** argv) {
  manman::init_logging("warn");
  return manman::bench::run({argv + 1, argv + argc});
}
