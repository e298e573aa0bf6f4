#pragma once

#include <string>

#include "domain/messages.h"
#include "host/context.h"

namespace manman::host {

// A flow's way out. First the last report on the job is written to the journal (so that it is
// known whatever happens next), then it is handed to the bus until that has it, then the record
// goes. `remember`: the same command, should it come again, is answered with this report.
void conclude(Context& context, const JobKey& key, const Message& report, bool remember = true);

// Its two halves. A journal that can't be written is logged: the report goes out all the same, and
// a crash before that runs the job again.
void record_outcome(Context& context, const JobKey& key, const Message& report, bool remember);
void deliver_outcome(Context& context, const JobKey& key, const Message& report);

// A job that was taken up again and again may be what ends the host each time (by an archive that
// no one foresaw, say): kAborted, so that it fails and the host lives.
Result<void> check_worth_a_try(Context& context, const JobKey& key);

Message message_of(const BackupReport& report);
Message message_of(const SessionReport& report);
Message message_of(const DrillReport& report);

// Runs f and turns what it throws (no memory, no thread) into an error, so that a job ends with a
// report instead of the process.
template <typename F>
auto guarded(F&& f) -> decltype(f()) {
  try {
    return f();
  } catch (const std::exception& error) {
    return fail(Code::kInternal, std::string("unexpected: ") + error.what());
  }
}

}  // namespace manman::host
