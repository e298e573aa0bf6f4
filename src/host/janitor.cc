#include "host/janitor.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <functional>
#include <string>
#include <utility>

#include "base/failpoint.h"
#include "base/file.h"
#include "base/time.h"
#include "game/runtime/output_file.h"
#include "host/dispatch.h"
#include "host/drill_flow.h"
#include "host/drill_game.h"
#include "host/outcome.h"
#include "live/snapshot.h"

namespace manman::host {
namespace fs = std::filesystem;
namespace {

About about_session(const GscDir& gsc, int64_t session_id) {
  return {.session_id = session_id, .sgc_id = gsc.sgc_id};
}

void remove_logged(const GscDir& gsc, int64_t session_id, const fs::path& path) {
  if (auto removed = remove_tree(path); !removed)
    log_error(about_session(gsc, session_id), "{}", removed.error().message);
}

// No backup of the SGC is at work while its lane sweeps.
void remove_snapshot(const GscDir& gsc, int64_t backup_id) {
  if (auto removed = live::remove_snapshot(gsc.snapshot(backup_id)); !removed)
    log_error({.backup_id = backup_id, .sgc_id = gsc.sgc_id}, "{}", removed.error().message);
}

void unlink_logged(const GscDir& gsc, int64_t session_id, const fs::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    log_error(about_session(gsc, session_id), "remove {}: {}", path.string(),
              errno_error("unlink", errno).message);
}

void sweep(Context& context, const GscDir& gsc) {
  const auto names = folder_names(gsc.root);
  if (!names) return log_error({.sgc_id = gsc.sgc_id}, "{}", names.error().message);
  for (const std::string& name : *names) {
    if (const auto id = parse_numbered(name, ".trash-")) remove_trash(gsc, *id);
    if (const auto id = parse_numbered(name, ".snapshot-")) remove_snapshot(gsc, *id);
    const auto id = parse_numbered(name, "restore-");
    if (!id) continue;
    const auto record = context.journal->find({JobKind::kSession, *id});
    if (record && record->phase == Phase::kSwapping) continue;
    log_info(about_session(gsc, *id), "removes the staging folder that a crash left");
    remove_logged(gsc, *id, gsc.staging(*id));
  }
}

Result<void> sweep_drill(Context& context, const std::string& name) {
  if (const auto id = parse_numbered(name, "drill-")) TRY(end_drill_game(context, *id));
  return remove_tree(drills_dir(context) / name);
}

// Of drills that a crash cut off; those that go on begin anew, in this lane.
void sweep_drills(Context& context) {
  const auto names = folder_names(drills_dir(context));
  if (!names && names.error().code == Code::kNotFound) return;  // there was never one
  if (!names)
    return log_error({.server_id = context.config.server_id}, "{}", names.error().message);
  for (const std::string& name : *names) {
    if (auto swept = sweep_drill(context, name); !swept)
      log_error({.server_id = context.config.server_id}, "{}: {}", name, swept.error().message);
  }
}

// When the clock of a replaced folder started; nothing when it has none, or none that makes sense.
std::optional<int64_t> replaced_since_ms(const GscDir& gsc, int64_t session_id) {
  const auto text = read_file(gsc.replaced_since(session_id), 100);
  if (!text) return std::nullopt;
  int64_t since_ms = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), since_ms);
  if (error != std::errc() || since_ms <= 0) return std::nullopt;
  return since_ms;
}

// A restore that is not over may still need the folder.
bool in_use(Context& context, int64_t session_id) {
  const auto session = context.journal->find({JobKind::kSession, session_id});
  if (session && (session->phase == Phase::kReceived || session->phase == Phase::kSwapping))
    return true;
  return context.journal->find({JobKind::kUndo, session_id}).has_value();
}

bool is_due(Context& context, const GscDir& gsc, int64_t session_id) {
  if (in_use(context, session_id)) return false;
  const auto since_ms = replaced_since_ms(gsc, session_id);
  if (!since_ms) {
    note_replaced(gsc, session_id);
    return false;
  }
  const std::chrono::milliseconds keep = context.config.keep_replaced;
  return system_clock().now_ms() - *since_ms >= keep.count();
}

void post_expiry(Context& context, const FoundGsc& found, int64_t session_id) {
  SessionCommand command;
  command.kind = SessionCommand::Kind::kUndoRestore;  // the same fields; nothing is sent
  command.session_id = session_id;
  command.sgc_id = found.gsc.sgc_id;
  command.launch.environment = found.environment;
  Record record;
  record.key = {JobKind::kExpire, session_id};
  record.sgc_id = found.gsc.sgc_id;
  record.command = command.to_json();
  record.remember = false;
  const auto added = context.journal->add(record);
  if (added) return schedule(context, record);
  if (added.error().code != Code::kAlreadyExists)
    log_error(about_session(found.gsc, session_id), "{}", added.error().message);
}

void expire_in(Context& context, const FoundGsc& found) {
  const auto names = folder_names(found.gsc.root);
  if (!names) return log_error({.sgc_id = found.gsc.sgc_id}, "{}", names.error().message);
  for (const std::string& name : *names) {
    const auto id = parse_numbered(name, "replaced-");
    if (id && is_due(context, found.gsc, *id)) post_expiry(context, found, *id);
  }
}

// Whatever the journal has not brought to its end counts as well.
std::set<int64_t> live_sessions(Context& context) {
  std::set<int64_t> live = context.sessions.running();
  for (const Record& record : context.journal->unfinished()) {
    if (record.key.kind == JobKind::kSession) live.insert(record.key.id);
    if (record.key.kind == JobKind::kDrill) live.insert(-record.key.id);
  }
  return live;
}

bool needed(Context& context, int64_t session_id) {
  return context.sessions.find(session_id) ||
         context.journal->find({JobKind::kSession, session_id}) ||
         context.journal->find({JobKind::kStop, session_id});
}

// Since when nothing has changed in it: the end of its session, or of a start that failed.
bool is_older(const fs::path& dir, std::chrono::hours age) {
  struct stat info{};
  if (::lstat(dir.c_str(), &info) != 0) return false;
  return system_clock().now_s() - info.st_mtim.tv_sec > std::chrono::seconds(age).count();
}

std::vector<int64_t> old_sessions(Context& context, const GscDir& gsc) {
  std::vector<int64_t> ended;
  const auto names = folder_names(gsc.root);
  if (!names) {
    log_error({.sgc_id = gsc.sgc_id}, "{}", names.error().message);
    return ended;
  }
  for (const std::string& name : *names) {
    const auto id = parse_numbered(name, "session-");
    if (id && !needed(context, *id)) ended.push_back(*id);
  }
  std::ranges::sort(ended, std::greater());
  std::vector<int64_t> old;
  for (size_t i = 0; i < ended.size(); i++) {
    const fs::path dir = gsc.root / ("session-" + std::to_string(ended[i]));
    if (i >= static_cast<size_t>(context.config.keep_sessions) ||
        is_older(dir, context.config.keep_sessions_for))
      old.push_back(ended[i]);
  }
  return old;
}

std::vector<GameInstance> games_at_work(Context& context) {
  std::vector<GameInstance> games;
  for (const int64_t session_id : context.sessions.running()) {
    if (const auto game = context.sessions.find(session_id)) games.push_back(*game);
  }
  for (const auto& job : context.jobs.all()) {
    if (job->key.kind == JobKind::kDrill)
      games.push_back(drill_game(context, job->key.id, job->about.sgc_id));
  }
  return games;
}

// No engine, no orphans; a session that needs it says so.
bool is_absence(const Error& error) {
  return error.code == Code::kUnavailable || error.code == Code::kPermissionDenied;
}

}  // namespace

void sweep_leftovers(Context& context) {
  context.lanes.post(kDrillLane, [&context] { sweep_drills(context); });
  const auto found = find_gsc_dirs(context.config.data_dir);
  if (!found) return log_error({}, "{}", found.error().message);
  for (const FoundGsc& each : *found)
    context.lanes.post(each.gsc.sgc_id, [&context, gsc = each.gsc] { sweep(context, gsc); });
}

void expire_replaced(Context& context) {
  const auto found = find_gsc_dirs(context.config.data_dir);
  if (!found) return log_error({}, "{}", found.error().message);
  for (const FoundGsc& each : *found) expire_in(context, each);
}

void run_expire(Context& context, Job& job, const SessionCommand& command) {
  const GscDir gsc = context.gsc(command.launch.environment, command.sgc_id);
  log_info(job.about, "removes {}, kept since its restore", gsc.replaced(job.key.id).string());
  const bool in_trash = move_replaced_to_trash(gsc, job.key.id);
  const auto still_there = folder_exists(gsc.replaced(job.key.id));
  if (!still_there || *still_there) {  // logged; the next pass tries again
    if (auto finished = context.journal->finish(job.key); !finished)
      log_error(job.about, "{}", finished.error().message);
    return;
  }
  SessionReport report;
  report.session_id = command.session_id;
  report.sgc_id = command.sgc_id;
  report.server_id = context.config.server_id;
  report.replaced_data = "removed";
  conclude(context, job.key, message_of(report), false);
  if (in_trash) remove_trash(gsc, job.key.id);
}

void reap_orphans(Context& context) {
  constexpr int64_t kNoSgc = 0;  // a lane for itself: the engine of containers may be slow
  if (context.reaping.exchange(true)) return;
  context.lanes.post(kNoSgc, [&context] {
    if (!context.stopping) {
      const auto reaped = guarded([&] {
        return context.runtime.reap_orphans(live_sessions(context), context.config.orphan_grace);
      });
      if (!reaped && !is_absence(reaped.error()))
        log_warn({}, "look for orphaned containers: {}", reaped.error().message);
    }
    context.reaping = false;
  });
}

void forget_old_sessions(Context& context) {
  const auto found = find_gsc_dirs(context.config.data_dir);
  if (!found) return log_error({}, "{}", found.error().message);
  for (const FoundGsc& each : *found) {
    const auto old = old_sessions(context, each.gsc);
    if (old.empty()) continue;
    context.lanes.post(each.gsc.sgc_id, [&context, gsc = each.gsc, old] {
      for (const int64_t session_id : old) {
        if (context.stopping || needed(context, session_id)) continue;
        if (auto forgotten = context.runtime.forget(gsc.instance(session_id)); !forgotten)
          log_warn(about_session(gsc, session_id), "remove what is kept of the session: {}",
                   forgotten.error().message);
        if (!failpoint::pass("host.session_forgotten")) return;
      }
    });
  }
}

void limit_outputs(Context& context) {
  for (const GameInstance& game : games_at_work(context)) {
    if (!context.output_can_be_limited) return;
    const fs::path output =
        game.gsc_dir / ("session-" + std::to_string(game.session_id)) / "output.log";
    const auto limited = limit_output(output, context.config.max_output_bytes);
    if (!limited && limited.error().code == Code::kUnimplemented)
      context.output_can_be_limited = false;  // told once
    if (!limited && limited.error().code != Code::kNotFound)
      log_warn({.session_id = game.session_id, .sgc_id = game.sgc_id}, "{}",
               limited.error().message);
  }
}

void note_replaced(const GscDir& gsc, int64_t session_id) {
  const std::string now = std::to_string(system_clock().now_ms()) + "\n";
  if (auto written = write_file_durably(gsc.replaced_since(session_id), now); !written)
    log_warn(about_session(gsc, session_id), "{}", written.error().message);
}

bool move_replaced_to_trash(const GscDir& gsc, int64_t session_id) {
  unlink_logged(gsc, session_id, gsc.replaced_since(session_id));
  remove_trash(gsc, session_id);
  const fs::path replaced = gsc.replaced(session_id);
  if (::rename(replaced.c_str(), gsc.trash(session_id).c_str()) == 0) return true;
  if (errno != ENOENT)
    log_error(about_session(gsc, session_id), "{}",
              errno_error("rename " + replaced.string(), errno).message);
  return false;
}

void remove_trash(const GscDir& gsc, int64_t session_id) {
  remove_logged(gsc, session_id, gsc.trash(session_id));
}

}  // namespace manman::host
