// Fills a database with many backups and prints how long pages of ListBackups take through the
// repositories: bench_list_backups URL [ROWS [ROUNDS]]. The database is its own: migrated and
// filled here when it is empty, and left for another run.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "db/repositories.h"
#include "past.h"

namespace manman::db {
namespace {

using bench::must;

constexpr int kServers = 2000;
constexpr int kPage = 51;  // the API's default of 50, and one to see whether there are more

void measure(Database& database, const char* what, const backups::Filter& filter, int64_t before_id,
             int rounds) {
  std::vector<double> times_ms;
  size_t found = 0;
  for (int i = 0; i < rounds; i++) {
    const auto begin = std::chrono::steady_clock::now();
    found = must(database.transact([&](Transaction& tx) {
              return backups::list(tx, filter, {.size = kPage, .before_id = before_id});
            })).size();
    times_ms.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
            .count());
  }
  std::ranges::sort(times_ms);
  std::printf("%-28s %3zu rows  p50 %6.2f ms  p99 %6.2f ms\n", what, found,
              times_ms[times_ms.size() / 2], times_ms[times_ms.size() * 99 / 100]);
}

void run(const std::string& url, int64_t rows, int rounds) {
  const auto database = must(Database::open(url));
  must(database->migrate());
  must(bench::give_past(*database, kServers, rows));
  const Backup newest = must(database->transact([](Transaction& tx) {
                          return backups::list(tx, {}, {.size = 1});
                        })).front();
  const int64_t middle = newest.backup_id - rows / 2;
  const int64_t oldest = newest.backup_id - rows + 100;
  const backups::Filter of_sgc{.sgc_id = newest.sgc_id};
  const backups::Filter of_session{.session_id = newest.session_id};
  const backups::Filter of_both{.sgc_id = newest.sgc_id, .session_id = newest.session_id};
  std::printf("ListBackups of %ld rows, %d rounds each\n", static_cast<long>(rows), rounds);
  measure(*database, "all, first page", {}, 0, rounds);
  measure(*database, "all, from the middle", {}, middle, rounds);
  measure(*database, "all, last page", {}, oldest, rounds);
  measure(*database, "of an SGC, first page", of_sgc, 0, rounds);
  measure(*database, "of an SGC, from the middle", of_sgc, middle, rounds);
  measure(*database, "of a session, first page", of_session, 0, rounds);
  measure(*database, "of a session, from the middle", of_session, middle, rounds);
  measure(*database, "of both, first page", of_both, 0, rounds);
}

}  // namespace
}  // namespace manman::db

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_list_backups URL [ROWS [ROUNDS]]\n");
    return 2;
  }
  manman::db::run(argv[1], argc > 2 ? std::stoll(argv[2]) : 1'000'000,
                  argc > 3 ? std::stoi(argv[3]) : 1000);
}
