#include "host/world_reader.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/failpoint.h"
#include "host/hold.h"
#include "host/judge.h"
#include "live/changes.h"
#include "live/listed_files.h"
#include "live/live_files.h"
#include "live/snapshot.h"

namespace manman::host {
namespace {

constexpr const char* kPrefix = "game";
// What a game wrote right before it said that it holds still bears, by the clock that stamps files,
// the time at which it said so.
constexpr std::chrono::milliseconds kSettled{40};
constexpr size_t kMaxNames = 100;

live::Moment later(live::Moment moment, std::chrono::nanoseconds by) {
  const auto nanoseconds = std::chrono::nanoseconds(moment.time.tv_nsec) + by;
  moment.time.tv_sec += nanoseconds / std::chrono::seconds(1);
  moment.time.tv_nsec = (nanoseconds % std::chrono::seconds(1)).count();
  return moment;
}

// The database that a file is, or belongs to.
std::string database_of(const std::string& path) {
  for (const std::string_view suffix : {"-wal", "-shm", "-journal"}) {
    if (path.ends_with(suffix)) return path.substr(0, path.size() - suffix.size());
  }
  return path;
}

class WorldReader {
 public:
  WorldReader(Context& context, Job& job, const BackupCommand& command)
      : context_(context),
        job_(job),
        command_(command),
        handling_(command.launch.handling),
        gsc_(context.gsc(command.launch.environment, command.sgc_id)),
        scratch_(gsc_.snapshot(command.backup_id)),
        snapshot_taker_(gsc_.game(), scratch_, context.config.threads, job.cancelled()) {}

  Result<WorldRead> read(Sink& out);

 private:
  Result<Quiesced> hold_game();
  Result<std::optional<live::Snapshot>> take_snapshot(const Quiesced& quiesced);
  Result<archive::PackResult> pack_in_place(const Quiesced& quiesced, Sink& out);
  Result<archive::PackResult> pack(const std::filesystem::path& dir, archive::FileChoice* files,
                                   Sink& out);
  Result<void> look_for_changes();
  void add_changes(const std::vector<std::string>& paths, uint64_t count);
  void take_databases(const live::LiveEvidence& evidence);
  void resume(Quiesced& quiesced);
  bool game_runs() const { return context_.sessions.running_in(command_.sgc_id).has_value(); }
  void excuse_one_database();
  void warn(std::string text) { warnings_.push_back(std::move(text)); }

  Context& context_;
  Job& job_;
  const BackupCommand& command_;
  const Handling& handling_;
  const GscDir gsc_;
  const std::filesystem::path scratch_;
  live::SnapshotTaker snapshot_taker_;
  live::Moment begun_;
  Reading reading_;
  std::set<std::string> changed_;       // below game/
  uint64_t changed_count_ = 0;          // at least
  bool all_known_ = true;               // every change stands in changed_
  std::vector<std::string> databases_;  // copied through SQLite: the first 100
  std::vector<std::string> warnings_;
};

Result<WorldRead> WorldReader::read(Sink& out) {
  TRY(live::remove_snapshot(scratch_));  // of a try before this one
  Quiesced quiesced = TRY(hold_game());
  begun_ = TRY(live::moment_now(gsc_.root));
  if (reading_.held) begun_ = later(begun_, kSettled);
  auto snapshot = TRY(take_snapshot(quiesced));
  WorldRead read;
  if (snapshot) {
    // While the game still holds; it goes on before anything is made of an error.
    const auto looked = reading_.atomic ? Result<void>() : look_for_changes();
    resume(quiesced);
    TRY(looked);
    TRY(failpoint::pass("backup.resumed"));
    read.packed = TRY(pack(snapshot->path(), nullptr, out));
    if (auto removed = snapshot->remove(); !removed)
      log_warn(job_.about, "{}", removed.error().message);
  } else {
    read.packed = TRY(pack_in_place(quiesced, out));
    TRY(look_for_changes());
    reading_.overran = quiesced.overran();
    resume(quiesced);
  }
  for (std::string& warning : warnings_) read.packed.warnings.push_back(std::move(warning));
  read.packed.warning_count += warnings_.size();
  reading_.game_ran = reading_.game_ran || game_runs();
  if (!reading_.saved_only) reading_.pause = quiesced.pause();
  excuse_one_database();
  for (const std::string& path : changed_) {
    if (reading_.changed.size() == kMaxNames) break;
    reading_.changed.push_back(std::string(kPrefix) + "/" + path);
  }
  reading_.changed_count = changed_count_;
  read.verdict = judge(reading_);
  return read;
}

Result<Quiesced> WorldReader::hold_game() {
  const auto game = context_.sessions.running_in(command_.sgc_id);
  reading_.game_ran = game.has_value();
  if (!game || handling_.quiesce.empty()) return Quiesced();
  reading_.saved_only = handling_.resume.empty();
  const bool lists = std::ranges::any_of(handling_.quiesce, &QuiesceStep::lists_files);
  const auto need =
      reading_.saved_only || lists ? live::SnapshotNeed::kAtomic : live::SnapshotNeed::kHeldStill;
  if (auto prepared = snapshot_taker_.prepare(need); !prepared) {
    if (prepared.error().code == Code::kCancelled) return std::unexpected(prepared.error());
    log_warn(job_.about, "{}", prepared.error().message);
  }
  TRY(failpoint::pass("backup.prepared"));
  TRY(context_.journal->update(job_.key, [](Record& record) { record.quiesced = true; }));
  Quiesced quiesced = TRY(hold_still(context_, job_, *game, command_.launch));
  const bool holds = quiesced.held() || quiesced.overran();
  reading_.held = true;
  reading_.unconfirmed = holds ? quiesced.unconfirmed() : "it ended meanwhile";
  return quiesced;
}

// A game that does not run writes nothing: its data is read as it lies. One that lists files and
// lengths goes on writing to them, and only the list tells what is whole.
Result<std::optional<live::Snapshot>> WorldReader::take_snapshot(const Quiesced& quiesced) {
  if (!reading_.game_ran || !quiesced.file_list().empty()) return std::nullopt;
  const bool still = quiesced.held() && reading_.unconfirmed.empty() && !reading_.saved_only;
  auto snapshot =
      snapshot_taker_.take(still ? live::SnapshotNeed::kHeldStill : live::SnapshotNeed::kAtomic);
  if (!snapshot) {
    if (snapshot.error().code == Code::kCancelled) return std::unexpected(snapshot.error());
    log_warn(job_.about, "no snapshot, the data itself is read: {}", snapshot.error().message);
    TRY(live::remove_snapshot(scratch_));
    return std::nullopt;
  }
  if (!*snapshot) return std::nullopt;
  reading_.atomic = (*snapshot)->kind() == live::SnapshotKind::kSubvolume;
  reading_.snapshot = reading_.atomic ? "snapshot of its Btrfs subvolume" : "snapshot by reflinks";
  reading_.overran = quiesced.overran();
  TRY(failpoint::pass("backup.snapshot_taken"));
  return std::move(*snapshot);
}

Result<archive::PackResult> WorldReader::pack_in_place(const Quiesced& quiesced, Sink& out) {
  std::unique_ptr<live::LiveFiles> files;
  if (reading_.game_ran)
    files = TRY(
        live::LiveFiles::create({.dir = gsc_.game(),
                                 .scratch = scratch_,
                                 .is_live = [&] { return !quiesced.held() || reading_.saved_only; },
                                 .stop = job_.cancelled()}));
  std::optional<live::ListedFiles> listed;
  if (!quiesced.file_list().empty()) {
    reading_.listed = true;
    listed.emplace(TRY(in("the game's list of files", live::parse_file_list(quiesced.file_list()))),
                   handling_.files_root, files.get());
  }
  archive::FileChoice* choice = files.get();
  if (listed) choice = &*listed;
  auto packed = TRY(pack(gsc_.game(), choice, out));
  if (listed) TRY(listed->check_all_met());
  std::vector<std::string> below;
  for (const std::string& path : packed.changed)
    below.push_back(path.substr(std::string_view(kPrefix).size() + 1));
  add_changes(below, packed.changed_count);
  if (files) take_databases(files->evidence());
  return packed;
}

Result<archive::PackResult> WorldReader::pack(const std::filesystem::path& dir,
                                              archive::FileChoice* files, Sink& out) {
  archive::PackOptions options;
  options.compression = command_.compression;
  options.threads = context_.config.threads;
  options.prefix = kPrefix;
  options.background = context_.config.backups_give_way;
  options.leave_out = handling_.leave_out;
  options.files = files;
  options.read_limit = &context_.backup_read_rate;
  options.progress = &job_.progress;
  options.origin = command_.origin;
  return archive::pack(dir, out, options);
}

Result<void> WorldReader::look_for_changes() {
  if (reading_.listed) return {};
  const auto changes =
      TRY(live::changed_since(gsc_.game(), begun_, handling_.leave_out, job_.cancelled()));
  add_changes(changes.paths, changes.count);
  return {};
}

void WorldReader::add_changes(const std::vector<std::string>& paths, uint64_t count) {
  changed_.insert(paths.begin(), paths.end());
  changed_count_ = std::max<uint64_t>({changed_count_, count, changed_.size()});
  all_known_ = all_known_ && count == paths.size();
}

void WorldReader::take_databases(const live::LiveEvidence& evidence) {
  reading_.databases = evidence.database_count;
  add_changes(evidence.unsteady, evidence.unsteady_count);
  databases_ = evidence.databases;
  for (const std::string& path : evidence.unreadable_databases)
    warn(std::string(kPrefix) + "/" + path +
         " begins as a SQLite database does, but is none that SQLite can read: taken as it is");
}

// Where of all files one database alone was written to, its copy is of one moment, at which all
// else stood as it was read.
void WorldReader::excuse_one_database() {
  if (!all_known_) return;
  std::set<std::string> written;
  for (const std::string& path : changed_) {
    if (std::ranges::find(databases_, database_of(path)) != databases_.end())
      written.insert(database_of(path));
  }
  if (written.size() != 1) return;
  std::erase_if(changed_,
                [&](const std::string& path) { return database_of(path) == *written.begin(); });
  changed_count_ = changed_.size();
  reading_.one_database_written = true;
}

void WorldReader::resume(Quiesced& quiesced) {
  const auto resumed = quiesced.resume();
  if (resumed) return;
  log_error(job_.about, "the game did not take its resume commands: {}", resumed.error().message);
  warn("the game did not take its resume commands and may not save: " + resumed.error().message);
}

}  // namespace

Result<WorldRead> read_world(Context& context, Job& job, const BackupCommand& command, Sink& out) {
  return WorldReader(context, job, command).read(out);
}

}  // namespace manman::host
