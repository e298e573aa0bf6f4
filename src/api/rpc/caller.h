#pragma once

#include <grpcpp/server_context.h>

#include <string>

namespace manman::api {

// Who makes a call, for the log of events: the name in a client's certificate, or what the client
// says of itself in the metadata "manman-actor" (which proves nothing), and from where it comes.
std::string caller_of(const grpc::ServerContext& call);

}  // namespace manman::api
