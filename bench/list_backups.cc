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
#include "db/soci_transaction.h"

namespace manman::db {
namespace {

constexpr int kSgcs = 1000;
constexpr int kSessionsOfEach = 20;
constexpr int kPage = 51;  // the API's default of 50, and one to see whether there are more

template <typename T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().text().c_str());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

// In SQL that both databases take; through the repositories a million rows would take an hour.
void fill(Database& database, int64_t rows) {
  must(database.transact([&](Transaction& tx) -> Result<void> {
    if (!TRY(backups::list(tx, {}, {.size = 1})).empty()) return {};
    const auto server = TRY(servers::ensure(tx, "server", "bench", 1));
    const auto game = TRY(games::create(tx, {.name = "game"}));
    const auto config = TRY(game_configs::create(tx, {.game_id = game.game_id, .name = "config"}));
    std::vector<int64_t> sgcs;
    for (int i = 0; i < kSgcs; i++) {
      ServerGameConfig sgc{.server_id = server.server_id, .game_config_id = config.config_id};
      sgcs.push_back(TRY(server_game_configs::create(tx, sgc)).sgc_id);
    }
    for (const int64_t sgc : sgcs) {
      for (int i = 0; i < kSessionsOfEach; i++) {
        TRY(sessions::create(tx, {.sgc_id = sgc, .status = SessionStatus::kCompleted}));
      }
    }
    return query(tx, [&](soci::session& sql) -> Result<void> {
      sql << "INSERT INTO backups (session_id, server_game_config_id, s3_url, size_bytes, "
             "created_at, status, error_message, attempt, lease_until_ms, sha256, progress_bytes, "
             "total_bytes, started_at, finished_at, entries, warnings) "
             "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :rows) "
             "SELECT s.session_id, s.sgc_id, "
             "'s3://bucket/backups/' || s.sgc_id || '/' || n.i || '.tar.gz', 400000000 + i, "
             "s.created_at, 'completed', '', 1, 0, "
             "'5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03', 400000000, "
             "400000000, 1800000000 + i, 1800000100 + i, 2000, '[]' "
             "FROM n JOIN sessions s ON s.session_id = "
             "(SELECT MIN(session_id) FROM sessions) + i % :sessions",
          soci::use(rows, "rows"), soci::use(int64_t{kSgcs} * kSessionsOfEach, "sessions");
      sql << "ANALYZE";
      return {};
    });
  }));
}

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
  fill(*database, rows);
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
