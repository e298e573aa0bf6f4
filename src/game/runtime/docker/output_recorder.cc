#include "game/runtime/docker/output_recorder.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/retry.h"
#include "game/runtime/docker/demux.h"

namespace manman::docker {
namespace {

constexpr std::chrono::milliseconds kWaitAfterError{1000};

}  // namespace

Result<std::unique_ptr<OutputRecorder>> OutputRecorder::start(Engine& engine,
                                                              std::string container_id,
                                                              SessionDir files, About about) {
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) return fail_errno("make an eventfd", errno);
  std::unique_ptr<OutputRecorder> recorder(new OutputRecorder(
      engine, std::move(container_id), std::move(files), about, std::move(wake)));
  try {
    recorder->thread_ = std::jthread([self = recorder.get()] { self->run(); });
  } catch (const std::system_error& error) {
    return fail(Code::kResourceExhausted,
                std::string("no thread to record the game's output: ") + error.what());
  }
  return recorder;
}

OutputRecorder::~OutputRecorder() {
  stopping_ = true;
  const uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

bool OutputRecorder::wait_ended(std::chrono::milliseconds timeout) {
  auto progress = progress_.lock();
  return progress.wait_for(timeout, [&] { return progress->ended; });
}

bool OutputRecorder::wait_complete(std::chrono::milliseconds timeout) {
  auto progress = progress_.lock();
  return progress.wait_for(timeout, [&] { return progress->complete; });
}

void OutputRecorder::run() {
  while (!stopping_) {
    const auto complete = record_to_end();
    if (complete && *complete) {
      *progress_.lock() = {.ended = true, .complete = true};
      return progress_.notify_all();
    }
    if (!complete) {
      note(complete.error());
      (void)runs();  // its end counts, whether its output can be written or not
    }
    sleep_unless(kWaitAfterError, [this] { return stopping_.load(); });
  }
}

// Reads what an ended container put out once more: an end of the stream alone does not say that
// all of it was there.
Result<bool> OutputRecorder::record_to_end() {
  OutputLog output = TRY(OutputLog::open(files_));
  for (;;) {
    const bool follow = TRY(runs());
    const bool there = TRY(read_once(output, follow));
    if (stopping_) return false;
    if (!there || !follow) return true;
    if (TRY(runs())) return false;  // an early end: a moment's pause
  }
}

Result<bool> OutputRecorder::runs() {
  const auto state = TRY(engine_.inspect(container_id_));
  if (state && state->running) return true;
  progress_.lock()->ended = true;
  progress_.notify_all();
  return false;
}

// False when the container is gone.
Result<bool> OutputRecorder::read_once(OutputLog& output, bool follow) {
  TRY(output.begin());
  Demux demux;
  const auto add = [&](const LogEntry& entry) { return output.add(entry); };
  return engine_.read_log({
    container_id_, TRY(output.since())
    , follow,
        [&](std::string_view bytes) -> Result<void> {
          noted_.clear();
          return demux.feed(bytes, add);
        },
        [this, follow] { return goes_on(follow); }, wake_.get()
  });
}

// An engine may forget to end the stream of a container that has ended.
bool OutputRecorder::goes_on(bool follow) {
  if (stopping_) return false;
  if (!follow) return true;
  const auto still = runs();
  return !still || *still;
}

void OutputRecorder::note(const Error& error) {
  if (error.message == noted_) return;
  noted_ = error.message;
  log_warn(about_, "recording the game's output: {}; trying on", error.message);
}

}  // namespace manman::docker
