#include "api/fields.h"
#include "api/rpc/answer.h"
#include "api/rpc/service.h"
#include "api/rpc/to_proto.h"

namespace manman::api {

grpc::Status Service::ListProfiles(grpc::ServerContext*, const v1::ListProfilesRequest*,
                                   v1::ListProfilesResponse* response) {
  return answer("ListProfiles", [&](const Context& context) -> Result<void> {
    for (const auto& [name, profile] : context.config.profiles.all())
      to_proto(profile, response->add_profiles());
    return {};
  });
}

grpc::Status Service::GetProfile(grpc::ServerContext*, const v1::GetProfileRequest* request,
                                 v1::GetProfileResponse* response) {
  return answer("GetProfile", [&](const Context& context) -> Result<void> {
    if (request->name().empty()) return bad_field("name", "must not be empty");
    auto found = context.config.profiles.find(request->name());
    if (!found) return fail(Code::kNotFound, found.error().message);
    to_proto(**found, response->mutable_profile());
    return {};
  });
}

}  // namespace manman::api
