#pragma once

#include <chrono>

#include "base/file.h"
#include "bus/rabbitmq/endpoint.h"
#include "bus/rabbitmq/waker.h"

namespace manman::rabbitmq {

// A connected, non-blocking TCP socket to the first address of the host that answers. kUnavailable
// says why there is none; kCancelled after Waker::cut().
Result<UniqueFd> connect_tcp(const Endpoint& endpoint, std::chrono::milliseconds timeout,
                             Waker& waker);

}  // namespace manman::rabbitmq
