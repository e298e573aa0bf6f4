#pragma once

#include <amqp.h>

#include "base/error.h"
#include "bus/rabbitmq/endpoint.h"

namespace manman::rabbitmq {

// A negative status of the library.
Error status_error(int status);
// connection.close or channel.close: what the broker had to say.
Error close_error(const amqp_method_t& method);
// Why a broker did not let us in: the part of the settings that is wrong.
Error login_error(const Endpoint& endpoint, const amqp_rpc_reply_t& reply);

}  // namespace manman::rabbitmq
