#pragma once

#include <string>

#include "base/error.h"
#include "domain/catalog.h"
#include "domain/profile.h"
#include "manman/v1/manman.pb.h"

// The handling of a game between messages, rows and profiles.
namespace manman::api {

// What a message says of a handling, as a layer for merged_handling(); "" when it says nothing. One
// of more than 32 KiB is kInvalidArgument.
Result<std::string> layer_from(const v1::Handling& said);
// The other way. A layer that says nothing is a message that is set and empty.
void layer_to_proto(const std::string& layer, v1::Handling* message);
void to_proto(const Handling& handling, v1::Handling* message);

// Changes what is said: `clear` names fields that are said no longer ("quiesce" and "resume" are
// one, "all" is every one), then what `news` says takes the place of what was said.
Result<void> change_handling(const google::protobuf::RepeatedPtrField<std::string>& clear,
                             const v1::Handling& news, v1::Handling& said);

// How an SGC of this config is handled, and one that says nothing itself: the profile, over it what
// the config says, over that what the SGC says, over that the layer of a policy; complete and
// checked. A profile that is not known
// is kInvalidArgument.
Result<Handling> effective_handling(const Profiles& profiles, const GameConfig& config,
                                    const ServerGameConfig& sgc = {},
                                    const std::string& of_policy = {});

}  // namespace manman::api
