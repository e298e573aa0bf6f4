#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/sync.h"

namespace manman::archive {

// One producer thread makes jobs in order, several worker threads do them, and the owner's thread
// takes them out in the same order. At most `window` jobs exist at a time, so memory is bounded.
// The first error of anyone stops everyone; the destructor stops and joins all.
template <typename Job>
class OrderedPipeline {
 public:
  // Makes jobs with make() and hands them over with push(), until it returns.
  using Produce = std::function<Result<void>(OrderedPipeline&)>;
  using Work = std::function<Result<void>(Job&)>;

  // make_worker is called in each worker's thread, so that a worker has state of its own.
  OrderedPipeline(int workers, size_t window, Produce produce, std::function<Work()> make_worker)
      : window_(window) {
    try {
      threads_.emplace_back(
          [this, produce = std::move(produce)] { finish_producing(produce(*this)); });
      for (int i = 0; i < workers; i++)
        threads_.emplace_back([this, make_worker] { work(make_worker()); });
    } catch (const std::system_error& error) {
      // Fewer workers do as well; without any the owner gets the error from pop().
      if (threads_.size() < 2)
        stop(Error{Code::kResourceExhausted, std::string("can't start a thread: ") + error.what()});
    }
  }

  OrderedPipeline(const OrderedPipeline&) = delete;
  OrderedPipeline& operator=(const OrderedPipeline&) = delete;
  ~OrderedPipeline() {
    state_.lock()->stopped = true;
    state_.notify_all();
    threads_.clear();  // joins
  }

  // For the producer: a job to fill, new or recycled, as soon as the window has room.
  Result<std::unique_ptr<Job>> make() {
    auto state = state_.lock();
    state.wait([&] { return state->stopped || state->alive < window_; });
    if (state->stopped) return stop_error(*state);
    state->alive++;
    if (state->spare.empty()) return std::make_unique<Job>();
    std::unique_ptr<Job> job = std::move(state->spare.back());
    state->spare.pop_back();
    return job;
  }

  // For the producer.
  Result<void> push(std::unique_ptr<Job> job) {
    {
      auto state = state_.lock();
      if (state->stopped) return stop_error(*state);
      state->slots.push_back(Slot{std::move(job), false});
    }
    state_.notify_all();
    return {};
  }

  // For the producer: returns once all jobs that were handed over are done.
  Result<void> drain() {
    auto state = state_.lock();
    state.wait([&] { return state->stopped || std::ranges::all_of(state->slots, &Slot::done); });
    if (state->stopped) return stop_error(*state);
    return {};
  }

  // For the owner: the next job in order once it is done; null after the last.
  Result<std::unique_ptr<Job>> pop() {
    std::unique_ptr<Job> job;
    {
      auto state = state_.lock();
      state.wait([&] {
        return state->stopped || (state->slots.empty() ? state->produced : state->slots[0].done);
      });
      if (state->stopped) return stop_error(*state);
      if (state->slots.empty()) return job;
      job = std::move(state->slots.front().job);
      state->slots.pop_front();
      state->claimed--;
    }
    return job;
  }

  // For the owner: gives a job from pop() back, which makes room in the window.
  void recycle(std::unique_ptr<Job> job) {
    {
      auto state = state_.lock();
      state->spare.push_back(std::move(job));
      state->alive--;
    }
    state_.notify_all();
  }

 private:
  struct Slot {
    std::unique_ptr<Job> job;
    bool done = false;
  };
  struct State {
    std::deque<Slot> slots;  // in order: done or claimed ones first
    size_t claimed = 0;
    size_t alive = 0;
    std::vector<std::unique_ptr<Job>> spare;
    bool produced = false;
    bool stopped = false;
    std::optional<Error> error;
  };

  static std::unexpected<Error> stop_error(const State& state) {
    return std::unexpected(state.error.value_or(Error{Code::kCancelled, "stopped"}));
  }

  void stop(Error error) {
    {
      auto state = state_.lock();
      state->stopped = true;
      if (!state->error) state->error = std::move(error);
    }
    state_.notify_all();
  }

  void finish_producing(Result<void> result) {
    if (!result) return stop(std::move(result).error());
    state_.lock()->produced = true;
    state_.notify_all();
  }

  Job* claim() {
    auto state = state_.lock();
    state.wait(
        [&] { return state->stopped || state->claimed < state->slots.size() || state->produced; });
    if (state->stopped || state->claimed >= state->slots.size()) return nullptr;
    return state->slots[state->claimed++].job.get();
  }

  void work(const Work& do_job) {
    while (Job* job = claim()) {
      if (auto result = do_job(*job); !result) return stop(std::move(result).error());
      {
        auto state = state_.lock();
        const auto slot = std::ranges::find_if(
            state->slots, [&](const Slot& one) { return one.job.get() == job; });
        if (slot != state->slots.end()) slot->done = true;
      }
      state_.notify_all();
    }
  }

  const size_t window_;
  Sync<State> state_;
  std::vector<std::jthread> threads_;
};

}  // namespace manman::archive
