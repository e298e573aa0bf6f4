#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "db/database.h"
#include "domain/backup.h"
#include "domain/catalog.h"
#include "domain/drill.h"
#include "domain/policy.h"
#include "domain/session.h"

// The tables. Every function works inside the caller's transaction. A row that is not there is
// kNotFound ("no backup 5"); a name that is taken is kAlreadyExists; a row that others refer to
// can't be removed: kFailedPrecondition naming what refers to it.
namespace manman::db {

// Newest first, by key: rows with an id below before_id (0: from the newest), at most `size`.
struct Page {
  int size = 50;
  int64_t before_id = 0;
};

namespace servers {
// The server of this name and environment, made when there is none; the first of all is default.
Result<Server> ensure(Transaction& tx, const std::string& name, const std::string& environment,
                      int64_t now_s);
Result<std::optional<Server>> find(Transaction& tx, const std::string& name,
                                   const std::string& environment);
// One that is known from elsewhere and was not heard of here: offline, by its own id where that is
// free, else by a new one.
Result<Server> adopt(Transaction& tx, const Server& server);
Result<Server> get(Transaction& tx, int64_t server_id);
Result<std::vector<Server>> list(Transaction& tx, const Page& page);
Result<void> seen(Transaction& tx, int64_t server_id, int64_t now_s);  // and online
// The same of many; how many of them there are.
Result<int> seen(Transaction& tx, const std::vector<int64_t>& server_ids, int64_t now_s);
// Those of these that were offline are online from now on; which.
Result<std::vector<int64_t>> mark_online(Transaction& tx, const std::vector<int64_t>& server_ids,
                                         int64_t now_s);
// Marks servers not seen since before_s offline; which.
Result<std::vector<int64_t>> mark_offline(Transaction& tx, int64_t before_s);
Result<void> set_limits(Transaction& tx, int64_t server_id, const BackupLimits& limits);
Result<void> remove(Transaction& tx, int64_t server_id);
}  // namespace servers

namespace games {
Result<Game> create(Transaction& tx, const Game& game);  // game_id is given by the database
Result<std::optional<Game>> find(Transaction& tx, const std::string& name);
// By its own id where that is free, else by a new one.
Result<Game> adopt(Transaction& tx, const Game& game);
Result<Game> get(Transaction& tx, int64_t game_id);
Result<std::vector<Game>> list(Transaction& tx, const Page& page);
Result<void> remove(Transaction& tx, int64_t game_id);
}  // namespace games

namespace game_configs {
Result<GameConfig> create(Transaction& tx, const GameConfig& config);
Result<std::optional<GameConfig>> find(Transaction& tx, int64_t game_id, const std::string& name);
// By its own id where that is free, else by a new one.
Result<GameConfig> adopt(Transaction& tx, const GameConfig& config);
Result<GameConfig> get(Transaction& tx, int64_t config_id);
// game_id 0: of all games.
Result<std::vector<GameConfig>> list(Transaction& tx, int64_t game_id, const Page& page);
Result<void> remove(Transaction& tx, int64_t config_id);
}  // namespace game_configs

namespace server_game_configs {
Result<ServerGameConfig> create(Transaction& tx, const ServerGameConfig& config);
// By its own id where that is free, else by a new one.
Result<ServerGameConfig> adopt(Transaction& tx, const ServerGameConfig& config);
Result<ServerGameConfig> get(Transaction& tx, int64_t sgc_id);
// The whole row, by sgc_id.
Result<void> update(Transaction& tx, const ServerGameConfig& config);
// server_id 0: of all servers.
Result<std::vector<ServerGameConfig>> list(Transaction& tx, int64_t server_id, const Page& page);
// Its ended sessions and its policies go with it; with a live session or a backup it is
// kFailedPrecondition.
Result<void> remove(Transaction& tx, int64_t sgc_id);
}  // namespace server_game_configs

namespace sessions {
struct Filter {
  int64_t sgc_id = 0;
  int64_t server_id = 0;
  std::vector<SessionStatus> statuses;  // any when empty
  int64_t started_after = 0;            // exclusive, Unix seconds; 0 not set
  int64_t started_before = 0;           // exclusive
  bool live_only = false;
};
Result<Session> create(Transaction& tx, const Session& session);
// No new session gets an id up to this one from now on.
Result<void> pass_ids(Transaction& tx, int64_t last);
Result<Session> get(Transaction& tx, int64_t session_id);
// The same, and nobody else changes the row until the transaction ends, whatever its isolation.
Result<Session> hold(Transaction& tx, int64_t session_id);
Result<std::vector<Session>> list(Transaction& tx, const Filter& filter, const Page& page);
// The whole row, by session_id.
Result<void> update(Transaction& tx, const Session& session);
// Pending, starting and stopping ones whose lease has ended.
Result<std::vector<Session>> expired(Transaction& tx, int64_t now_ms, int limit);
// Those of an SGC whose restore is being undone.
Result<std::vector<Session>> undoing(Transaction& tx, int64_t sgc_id);
// Live sessions that restore from this backup and do not run yet.
Result<std::vector<Session>> restoring_from(Transaction& tx, int64_t backup_id);
// Those whose restore begins once this backup is completed.
Result<std::vector<Session>> waiting_for(Transaction& tx, int64_t backup_id);
}  // namespace sessions

namespace backups {
struct Filter {
  int64_t sgc_id = 0;
  int64_t session_id = 0;
  int64_t policy_id = 0;  // that made it
};
// backup_id is given by the database, and s3_url is then made from it:
// s3://{bucket}/{backup_key()}. Another active backup of the SGC (pending or
// running; there is a unique index) is kFailedPrecondition.
Result<Backup> create(Transaction& tx, const Backup& backup, const std::string& bucket);
Result<Backup> get(Transaction& tx, int64_t backup_id);
// The same, and nobody else changes the row until the transaction ends, whatever its isolation.
Result<Backup> hold(Transaction& tx, int64_t backup_id);
Result<std::vector<Backup>> list(Transaction& tx, const Filter& filter, const Page& page);
// The pending or running backup of an SGC; none is an empty optional.
Result<std::optional<Backup>> active(Transaction& tx, int64_t sgc_id);
Result<void> update(Transaction& tx, const Backup& backup);
Result<std::vector<Backup>> expired(Transaction& tx, int64_t now_ms, int limit);
// Completed ones, not damaged as far as is known, of which this look is due, and that no verifier
// has claimed; those first that were looked at longest ago.
Result<std::vector<Backup>> to_verify(Transaction& tx, VerifiedHow due, int64_t now_ms, int limit);
// Completed ones of a policy that nobody has looked at after before_s, and that no verifier has
// claimed, in the same order. policy_id 0: of all that no policy has a rule of its own for.
Result<std::vector<Backup>> to_verify_again(Transaction& tx, int64_t policy_id, int64_t before_s,
                                            int64_t now_ms, int limit);
// The newest completed one of a policy of which no damage is known.
Result<std::optional<Backup>> to_drill(Transaction& tx, int64_t policy_id);
// The newest of an SGC whose last verification that read all of it was good; none is an empty
// optional.
Result<std::optional<Backup>> restorable(Transaction& tx, int64_t sgc_id);
Result<std::vector<Backup>> deleting(Transaction& tx, int limit);
// The newest of an SGC that can be counted on to restore.
Result<std::optional<Backup>> last_good(Transaction& tx, int64_t sgc_id);
// The newest completed one of a policy that has a fingerprint.
Result<std::optional<Backup>> last_fingerprinted(Transaction& tx, int64_t policy_id);
// What of a row the store is held against.
struct Placed {
  int64_t backup_id = 0;
  int64_t sgc_id = 0;
  std::string s3_url;
  int64_t size_bytes = 0;
  BackupStatus status = BackupStatus::kPending;
  int attempt = 0;
  std::string mark;
  bool operator==(const Placed&) const = default;
};
struct PlacedAfter {
  std::string s3_url;  // "": from the first
  int64_t backup_id = 0;
};
// Those whose URL is from `from` on and below `until`, in the order of its bytes, behind `after`.
Result<std::vector<Placed>> placed(Transaction& tx, const std::string& from,
                                   const std::string& until, const PlacedAfter& after, int limit);
Result<int64_t> count_outside(Transaction& tx, const std::string& from, const std::string& until);
// Those of one URL: seldom more than one.
inline constexpr int kMaxPlacedAt = 100;
Result<std::vector<Placed>> placed_at(Transaction& tx, const std::string& s3_url);
// Whether there is any backup.
Result<bool> any(Transaction& tx);
// Whether the SGC has a backup that was adopted, whose URL is from `from` on and below `until`.
Result<bool> any_adopted(Transaction& tx, int64_t sgc_id, const std::string& from,
                         const std::string& until);
// Gives the adopted backups of one SGC to another; how many.
Result<int> move_adopted(Transaction& tx, int64_t from_sgc_id, int64_t to_sgc_id);
// A row that is made again, by its own id where that is free, else by a new one; that id.
Result<int64_t> adopt(Transaction& tx, const Backup& backup);
// Sessions restored from it, and runs of policies, forget it; its drills go with it.
Result<void> remove(Transaction& tx, int64_t backup_id);

// Of which SGCs a sum is taken: of one, or of all on a server.
struct Scope {
  int64_t sgc_id = 0;
  int64_t server_id = 0;
};
// How many are pending or running.
Result<int64_t> active_of(Transaction& tx, const Scope& scope);
// The sizes of the stored ones together, in bytes.
Result<int64_t> stored_bytes_of(Transaction& tx, const Scope& scope);
}  // namespace backups

namespace drills {
struct Filter {
  int64_t backup_id = 0;
  int64_t sgc_id = 0;  // of the backup
};
// drill_id is given by the database. Another active drill of the backup (there is a unique index)
// is kFailedPrecondition.
Result<Drill> create(Transaction& tx, const Drill& drill);
Result<Drill> get(Transaction& tx, int64_t drill_id);
// The same, and nobody else changes the row until the transaction ends, whatever its isolation.
Result<Drill> hold(Transaction& tx, int64_t drill_id);
Result<std::vector<Drill>> list(Transaction& tx, const Filter& filter, const Page& page);
// The pending or running drill of a backup; none is an empty optional.
Result<std::optional<Drill>> active(Transaction& tx, int64_t backup_id);
// The whole row, by drill_id.
Result<void> update(Transaction& tx, const Drill& drill);
// Active ones whose lease has ended.
Result<std::vector<Drill>> expired(Transaction& tx, int64_t now_ms, int limit);
}  // namespace drills

namespace policies {
// policy_id is given by the database. A name that the SGC has already is kAlreadyExists; more than
// kMaxOfSgc policies of an SGC are kFailedPrecondition.
inline constexpr int kMaxOfSgc = 100;
Result<BackupPolicy> create(Transaction& tx, const BackupPolicy& policy);
Result<BackupPolicy> get(Transaction& tx, int64_t policy_id);
// The same, and nobody else changes the row until the transaction ends, whatever its isolation.
Result<BackupPolicy> hold(Transaction& tx, int64_t policy_id);
// sgc_id 0: of all SGCs.
Result<std::vector<BackupPolicy>> list(Transaction& tx, int64_t sgc_id, const Page& page);
Result<std::vector<BackupPolicy>> of_sgc(Transaction& tx, int64_t sgc_id);
// The whole row, by policy_id.
Result<void> update(Transaction& tx, const BackupPolicy& policy);
// Those whose next_due_at has come, the longest due first.
Result<std::vector<int64_t>> due(Transaction& tx, int64_t now_s, int limit);
// One of those that have a rule of their own for reading backups again, and a backup for which it
// is time, as to_verify_again() has it.
Result<std::optional<BackupPolicy>> verifying(Transaction& tx, int64_t now_ms);
// Those that are not paused and have had no drill for as long as they say. One that was given up
// counts for given_up_s seconds only. policy_id 0: of all.
Result<std::vector<BackupPolicy>> drilling(Transaction& tx, int64_t now_s, int64_t given_up_s,
                                           int limit, int64_t policy_id = 0);
// Its runs go with it, its backups stay and forget it.
Result<void> remove(Transaction& tx, int64_t policy_id);
}  // namespace policies

namespace policy_runs {
// run_id is given by the database. Nothing when its occasion has a run already.
Result<std::optional<PolicyRun>> create(Transaction& tx, const PolicyRun& run);
Result<PolicyRun> get(Transaction& tx, int64_t run_id);
Result<std::vector<PolicyRun>> list(Transaction& tx, int64_t policy_id, const Page& page);
// The whole row, by run_id.
Result<void> update(Transaction& tx, const PolicyRun& run);
// Those that wait and are to be looked at again by now.
Result<std::vector<PolicyRun>> waiting(Transaction& tx, int64_t now_s, int limit);
Result<std::vector<PolicyRun>> waiting_of(Transaction& tx, int64_t policy_id);
// The run of missed times that was recorded after another run.
Result<std::optional<PolicyRun>> missed_after(Transaction& tx, int64_t policy_id, int64_t run_id);
Result<std::optional<PolicyRun>> of_backup(Transaction& tx, int64_t backup_id);
// Removes all of a policy but the newest `keep` and those that wait.
Result<void> prune(Transaction& tx, int64_t policy_id, int keep);
}  // namespace policy_runs

// SGCs whose policies are to be looked through for backups that may go.
namespace retention_queue {
struct Entry {
  int64_t sgc_id = 0;
  int64_t version = 0;
};
// There is a reason to; one that waits already is looked through once for both.
Result<void> add(Transaction& tx, int64_t sgc_id, int64_t now_s);
// The longest due first.
Result<std::vector<Entry>> due(Transaction& tx, int64_t now_s, int limit);
// It has been looked through; nothing when there is another reason since.
Result<void> done(Transaction& tx, const Entry& entry);
Result<void> put_off(Transaction& tx, const Entry& entry, int64_t until_s);
}  // namespace retention_queue

// How much there is of what is under way; cheap, however many rows there are.
namespace statistics {
// By status; unverified are completed ones of which a look is due before they are counted on.
Result<std::map<std::string, int64_t>> unfinished_backups(Transaction& tx);
Result<std::map<std::string, int64_t>> servers(Transaction& tx);
Result<std::map<std::string, int64_t>> live_sessions(Transaction& tx);
struct Outbox {
  int64_t waiting = 0;
  int64_t oldest_ms = 0;  // when that was put in; 0: none
};
Result<Outbox> outbox(Transaction& tx);
struct LastGood {
  int64_t sgc_id = 0;
  int64_t server_id = 0;
  int64_t started_at = 0;  // of its newest completed backup; 0: it has none
};
// Of all SGCs.
Result<std::vector<LastGood>> last_good_backups(Transaction& tx);
}  // namespace statistics

// Commands that a transaction decided on, on their way to the bus. Those for one host are a lane:
// they go out in their order, by one sender at a time. Senders that share a database claim a lane
// first; a claim that its sender does not renew ends by itself.
namespace outbox {
struct Row {
  int64_t outbox_id = 0;
  std::string routing_key;
  std::string body;
};
Result<void> add(Transaction& tx, const std::string& routing_key, const std::string& body,
                 int64_t now_ms);
// "command.host.3" of "command.host.3.session.start".
std::string lane_of(const std::string& routing_key);
// The lanes that have unsent rows, but for those that are claimed by another.
Result<std::vector<std::string>> lanes(Transaction& tx, const std::string& claimant,
                                       int64_t now_ms);
// Claims those of the lanes that no other has until then; says which.
Result<std::vector<std::string>> claim(Transaction& tx, const std::vector<std::string>& lanes,
                                       const std::string& claimant, int64_t now_ms,
                                       int64_t until_ms);
Result<void> release(Transaction& tx, const std::vector<std::string>& lanes,
                     const std::string& claimant);
// The claims that the claimant still has last until then.
Result<void> renew(Transaction& tx, const std::string& claimant, int64_t now_ms, int64_t until_ms);
// The oldest unsent rows of a lane, in order.
Result<std::vector<Row>> oldest(Transaction& tx, const std::string& lane, int limit);
// Sent rows are of no more use and are removed.
Result<void> sent(Transaction& tx, const std::vector<int64_t>& outbox_ids);
}  // namespace outbox

}  // namespace manman::db
