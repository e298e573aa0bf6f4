#include "control_plane/pages.h"

#include <grpcpp/grpcpp.h>

#include <limits>
#include <string>

#include "control_plane/times.h"

namespace manman::bench {
namespace {

using nlohmann::json;
using std::chrono::steady_clock;

constexpr int kWalkPage = 100;  // the largest there is
constexpr int kPage = 50;       // the default

Result<v1::ListBackupsResponse> call(v1::ManManAPI::Stub& api,
                                     const v1::ListBackupsRequest& request) {
  grpc::ClientContext context;
  v1::ListBackupsResponse response;
  const auto status = api.ListBackups(&context, request, &response);
  if (!status.ok()) return fail(Code::kUnavailable, "ListBackups: " + status.error_message());
  return response;
}

// Of one list: how many rows, and the tokens of a page in the middle and of the last full one.
struct Walked {
  int64_t rows = 0;
  std::string middle;
  std::string last;
};

Result<Walked> walk(v1::ManManAPI::Stub& api, int64_t sgc_id, int64_t expected) {
  Walked walked;
  v1::ListBackupsRequest request;
  request.set_page_size(kWalkPage);
  request.set_server_game_config_id(sgc_id);
  int64_t before = std::numeric_limits<int64_t>::max();
  do {
    const auto page = TRY(call(api, request));
    for (const auto& backup : page.backups()) {
      const bool newest_first = backup.backup_id() < before;
      const bool mine = sgc_id == 0 || backup.server_game_config_id() == sgc_id;
      if (!newest_first || !mine || backup.s3_url().empty())
        return fail(Code::kDataLoss,
                    "backup " + std::to_string(backup.backup_id()) + " is out of place");
      before = backup.backup_id();
    }
    walked.rows += page.backups_size();
    const std::string& token = page.next_page_token();
    request.set_page_token(token);
    if (walked.middle.empty() && walked.rows * 2 >= expected) walked.middle = token;
    if (walked.rows + kPage < expected) walked.last = token;
  } while (!request.page_token().empty());
  return walked;
}

Result<json> measure(v1::ManManAPI::Stub& api, int64_t sgc_id, const std::string& token,
                     int rounds) {
  v1::ListBackupsRequest request;
  request.set_server_game_config_id(sgc_id);
  request.set_page_token(token);
  Times times;
  int rows = 0;
  for (int i = 0; i < rounds; i++) {
    const auto begin = steady_clock::now();
    const auto page = TRY(call(api, request));
    times.add(steady_clock::now() - begin);
    rows = page.backups_size();
  }
  json result = times.summary();
  result["rows"] = rows;
  return result;
}

}  // namespace

Result<json> measure_pages(v1::ManManAPI::Stub& api, int64_t rows, int rounds) {
  const auto all = TRY(walk(api, 0, rows));
  if (all.rows != rows)
    return fail(Code::kDataLoss, "the list has " + std::to_string(all.rows) + " backups, not " +
                                     std::to_string(rows));
  const auto newest = TRY(call(api, {}));
  const int64_t sgc_id = newest.backups(0).server_game_config_id();
  const auto counted = TRY(walk(api, sgc_id, rows));
  const auto of_sgc = TRY(walk(api, sgc_id, counted.rows));
  json pages;
  pages["all, first page"] = TRY(measure(api, 0, "", rounds));
  pages["all, from the middle"] = TRY(measure(api, 0, all.middle, rounds));
  pages["all, near the end"] = TRY(measure(api, 0, all.last, rounds));
  pages["of an SGC, first page"] = TRY(measure(api, sgc_id, "", rounds));
  pages["of an SGC, from the middle"] = TRY(measure(api, sgc_id, of_sgc.middle, rounds));
  return json{{"rows", rows}, {"rows_of_sgc", of_sgc.rows}, {"pages", pages}};
}

}  // namespace manman::bench
