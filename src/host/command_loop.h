#pragma once

#include <memory>

#include "bus/bus.h"
#include "domain/messages.h"
#include "host/context.h"

namespace manman::host {

// Takes commands from the bus. A job stands in the journal before its message is acknowledged, and
// one that is there already is not done again: it is acknowledged, and a last report that is known
// goes out once more. Kills and input for a game bypass the lanes.
class CommandLoop {
 public:
  explicit CommandLoop(Context& context) : context_(context) {}

  // Consumes until the subscription goes.
  Result<std::unique_ptr<Subscription>> subscribe(Bus& bus);

 private:
  Handled handle(const Message& message);
  Result<void> take(const Message& message);
  Result<void> take_backup(const std::string& body);
  Result<void> take_cancel(const std::string& body);
  void refuse_cancelled(const BackupCommand& command);
  Result<void> take_drill(const std::string& body);
  Result<void> take_start(const std::string& body);
  Result<bool> is_another_session(const Record& record, const StartSessionCommand& command);
  void refuse_session(const StartSessionCommand& command);
  Result<void> take_session(const std::string& body);
  Result<void> send_input(const std::string& body);
  Result<void> take_job(Record record);

  Context& context_;
};

}  // namespace manman::host
