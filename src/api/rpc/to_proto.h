#pragma once

#include "domain/backup.h"
#include "domain/catalog.h"
#include "domain/drill.h"
#include "domain/event.h"
#include "domain/profile.h"
#include "domain/session.h"
#include "domain/webhook.h"
#include "manman/v1/manman.pb.h"

// Rows as messages of the contract.
namespace manman::api {

void to_proto(const Backup& row, v1::Backup* message);
void to_proto(const Drill& row, v1::Drill* message);
void to_proto(const Session& row, v1::Session* message);
void to_proto(const BackupLimits& limits, v1::BackupLimits* message);
void to_proto(const Server& row, v1::Server* message);
void to_proto(const Game& row, v1::Game* message);
void to_proto(const Profile& profile, v1::Profile* message);
// With its effective handling, when its profile is known.
void to_proto(const Profiles& profiles, const GameConfig& row, v1::GameConfig* message);
// Without the effective handling, which takes its game config too.
void to_proto(const ServerGameConfig& row, v1::ServerGameConfig* message);

void to_proto(const Event& row, v1::Event* message);
// Without its secret.
void to_proto(const Webhook& row, v1::Webhook* message);

template <typename Row, typename Messages>
void all_to_proto(const std::vector<Row>& rows, Messages* messages) {
  for (const Row& row : rows) to_proto(row, messages->Add());
}

}  // namespace manman::api
