#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "db/repositories.h"
#include "domain/messages.h"
#include "domain/profile.h"

// Commands to hosts, put into the outbox by the transaction that decides on them.
namespace manman::api {

// An SGC with all that it refers to, and how its host runs it.
struct Deployment {
  ServerGameConfig sgc;
  Server server;
  GameLaunch launch;
  Compression compression;  // of its backups, unless asked otherwise
  BackupPolicy policy;      // of the backup; policy_id 0 for none
  // Why it is not known how it is handled: kFailedPrecondition naming the profile that this API
  // does not have. Such an SGC is neither started, stopped nor backed up; it can be killed.
  Result<void> handled;
};
// policy_id: what a policy of the SGC says of its backups stands over the rest; 0: none does.
Result<Deployment> deployment_of(db::Transaction& tx, const Profiles& profiles, int64_t sgc_id,
                                 int64_t policy_id = 0);

// The newest live session of the SGC; its session_id is 0 when there is none.
Result<Session> live_session(db::Transaction& tx, int64_t sgc_id);

// deployment: with the policy of the backup. Unless a person asked for it, the host is told what
// the last backup of a policy that skips unchanged data looked like.
Result<void> order_backup(db::Transaction& tx, const Deployment& deployment, const Backup& backup,
                          int64_t now_ms);
// Ends whatever the host does for the backup.
Result<void> order_cancel(db::Transaction& tx, const Backup& backup, int64_t now_ms);
// restored: the backup that the session restores; backup_id 0 for none. lease: after which a silent
// host has lost the session.
Result<void> order_start(db::Transaction& tx, const Deployment& deployment, const Session& session,
                         const Backup& restored, int64_t now_ms, std::chrono::milliseconds lease);
// deployment: of the backup; the drill says which host does it.
Result<void> order_drill(db::Transaction& tx, const Deployment& deployment, const Drill& drill,
                         const Backup& backup, int64_t now_ms);
Result<void> order_session(db::Transaction& tx, const Deployment& deployment,
                           SessionCommand::Kind kind, int64_t session_id, int64_t now_ms);

// Whether what an outbox row orders is still to be done. It is not when the backup has gone on to
// another attempt or an end, when the drill or the session has ended, or when an undo is no longer
// asked for.
Result<bool> still_wanted(db::Transaction& tx, const db::outbox::Row& row);
// How long it may wait for its host once it is sent; 0: for ever. A start, or a drill, is given up
// when its lease ends, and must not be carried out long after that, when the host comes back.
Result<std::chrono::milliseconds> expires_in(db::Transaction& tx, const db::outbox::Row& row,
                                             int64_t now_ms, std::chrono::milliseconds lease);

}  // namespace manman::api
