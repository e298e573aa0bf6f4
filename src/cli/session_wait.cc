#include "cli/session_wait.h"

#include <algorithm>
#include <array>
#include <functional>

#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress_view.h"
#include "cli/wait.h"

namespace manman::cli {
namespace {

bool ended(const v1::Session& session) {
  constexpr std::array<std::string_view, 3> kEnded{"stopped", "crashed", "completed"};
  return std::ranges::find(kEnded, session.status()) != kEnded.end();
}

// The session once `reached` holds for it, its progress shown until then.
Result<v1::Session> follow(Context& context, int64_t session_id,
                           const std::function<bool(const v1::Session&)>& reached) {
  const std::string name = "session " + std::to_string(session_id);
  Client* client = TRY(context.client());
  InterruptGuard guard;
  ProgressView view(context.globals, name);
  v1::GetSessionRequest request;
  request.set_session_id(session_id);
  v1::Session session;
  const auto waited = wait_until([&]() -> Result<bool> {
    session = TRY(client->call(request))
    .session();
    const auto done = static_cast<uint64_t>(std::max<int64_t>(0, session.progress_bytes()));
    const auto total = static_cast<uint64_t>(std::max<int64_t>(0, session.total_bytes()));
    view.update(done, total, session.status());
    return reached(session);
  });
  if (waited) return session;
  view.wipe();
  if (waited.error().code == Code::kCancelled)
    return std::unexpected(
        Error(waited.error())
            .in(name + " goes on")
            .with_hint("'manman session get " + std::to_string(session_id) + "' shows how it is"));
  return std::unexpected(waited.error().in(name));
}

// Success prints the session; a failure is its error alone, so that a script finds nothing on
// standard output.
Result<int> finish(Context& context, const v1::Session& session, bool good,
                   const std::string& problem) {
  if (good) {
    TRY(print_item(context.globals, session, "session_id"));
    return kOk;
  }
  std::string message = "session " + std::to_string(session.session_id()) + " " + problem;
  if (!session.error_message().empty()) message += ": " + session.error_message();
  return fail(Code::kAborted, message);
}

}  // namespace

Result<int> wait_for_running(Context& context, int64_t session_id) {
  const v1::Session session = TRY(follow(context, session_id, [](const v1::Session& now) {
    return now.status() == "running" || ended(now);
  }));
  return finish(context, session, session.status() == "running",
                "ended (" + session.status() + ", exit code " +
                    std::to_string(session.exit_code()) + ") before it was seen running");
}

Result<int> wait_for_end(Context& context, int64_t session_id) {
  const v1::Session session = TRY(follow(context, session_id, ended));
  return finish(context, session, true, "");
}

Result<int> wait_for_undo(Context& context, int64_t session_id) {
  const v1::Session session = TRY(follow(context, session_id, [](const v1::Session& now) {
    return now.replaced_data() != "undoing";
  }));
  return finish(context, session, session.replaced_data() == "undone",
                "did not get its replaced data back");
}

}  // namespace manman::cli
