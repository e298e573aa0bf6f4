#include "cli/context.h"

#include "cli/address.h"

namespace manman::cli {

Result<Client*> Context::client() {
  if (!client_) {
    TRY(check_address(globals.api, "--api", false));
    client_ = TRY(Client::create(globals.api, globals.api_tls,
                                 std::chrono::seconds(globals.timeout_seconds)));
  }
  return client_.get();
}

}  // namespace manman::cli
