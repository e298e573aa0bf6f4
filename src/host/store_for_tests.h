#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "base/sync.h"
#include "store/store.h"

namespace manman::host {

// Stands before the real store: some puts fail, and uploads can be held.
class UnreliableStore final : public Store {
 public:
  explicit UnreliableStore(Store& real) : real_(real) {}

  Result<std::unique_ptr<Upload>> put(std::string_view key, uint64_t bound) override {
    puts++;
    if (failing_puts.fetch_sub(1) > 0)
      return fail(retryable ? Code::kUnavailable : Code::kPermissionDenied, "the store is away");
    auto upload = TRY(real_.put(key, bound));
    return std::make_unique<HeldUpload>(*this, std::move(upload));
  }
  Result<void> abort_uploads(std::string_view key) override { return real_.abort_uploads(key); }
  Result<int> sweep_uploads(std::string_view prefix, std::chrono::seconds older_than) override {
    return real_.sweep_uploads(prefix, older_than);
  }
  Result<void> list_uploads(std::string_view prefix,
                            const std::function<bool(const PendingUpload&)>& visit) override {
    return real_.list_uploads(prefix, visit);
  }
  Result<void> get(std::string_view key, uint64_t offset, MutableBytes buffer) override {
    return real_.get(key, offset, buffer);
  }
  Result<ObjectInfo> head(std::string_view key) override {
    auto info = real_.head(key);
    if (info && lying_heads.fetch_sub(1) > 0) info->size_bytes--;
    return info;
  }
  Result<void> list(std::string_view prefix,
                    const std::function<bool(const ObjectInfo&)>& visit) override {
    return real_.list(prefix, visit);
  }
  Result<void> remove(std::string_view key) override {
    if (failing_removes > 0) {
      failing_removes--;
      return fail(Code::kUnavailable, "the store is away");
    }
    return real_.remove(key);
  }
  bool distant() const override { return real_.distant(); }
  std::string bucket() const override { return real_.bucket(); }

  void hold(bool on) {
    *held.lock() = on;
    held.notify_all();
  }

  std::atomic<int> failing_puts{0};
  std::atomic<int> failing_removes{0};
  std::atomic<int> lying_heads{0};
  std::atomic<int> puts{0};
  std::atomic<bool> retryable{true};
  std::atomic<int> write_ms{0};  // how slow it is
  Sync<bool> held;
  std::atomic<int> waiting{0};

 private:
  class HeldUpload final : public Upload {
   public:
    HeldUpload(UnreliableStore& store, std::unique_ptr<Upload> real)
        : store_(store), real_(std::move(real)) {}
    void cancel_when(std::function<bool()> cancelled) override {
      cancelled_ = std::move(cancelled);
    }
    Result<void> write(ConstBytes bytes) override {
      {
        auto on_hold = store_.held.lock();
        store_.waiting++;
        while (*on_hold && !cancelled_())
          on_hold.wait_for(std::chrono::milliseconds(5), [&] { return !*on_hold; });
        store_.waiting--;
      }
      if (cancelled_()) return fail(Code::kCancelled, "cancelled");
      std::this_thread::sleep_for(std::chrono::milliseconds(store_.write_ms));
      return real_->write(bytes);
    }
    Result<ObjectInfo> commit() override { return real_->commit(); }

   private:
    UnreliableStore& store_;
    std::unique_ptr<Upload> real_;
    std::function<bool()> cancelled_ = [] { return false; };
  };

  Store& real_;
};

}  // namespace manman::host
