#include "store/s3/s3_upload.h"

#include <algorithm>
#include <optional>

#include "base/log.h"
#include "store/s3/multipart.h"
#include "store/s3/objects.h"
#include "store/s3/part_uploads.h"

namespace manman::s3 {
namespace {

constexpr uint64_t kPartStep = 1U << 20;

// Of the parts of an object of this size and an eighth more.
size_t part_bytes_for(uint64_t size_upper_bound, size_t least) {
  const uint64_t needed = (size_upper_bound + size_upper_bound / 8) / kMaxParts + 1;
  const uint64_t rounded = (needed + kPartStep - 1) / kPartStep * kPartStep;
  return std::max<uint64_t>(least, rounded);
}

class S3Upload final : public Upload {
 public:
  S3Upload(std::shared_ptr<Client> client, std::string key, size_t part_bytes)
      : client_(std::move(client)),
        key_(std::move(key)),
        part_bytes_(part_bytes),
        filling_(part_bytes) {}

  ~S3Upload() override {
    if (!parts_ || committed_) return;
    const Multipart upload = parts_->upload();
    parts_.reset();  // a part that arrives after the abort would stay
    const auto aborted = abort_multipart(*client_, key_, upload.id);
    if (!aborted) log_error({}, "{}", aborted.error().message);
  }

  void cancel_when(std::function<bool()> cancelled) override { cancelled_ = std::move(cancelled); }

  Result<void> write(ConstBytes bytes) override {
    if (spoilt_)
      return fail(Code::kFailedPrecondition,
                  client_->name_of(key_) + ": written to after an error");
    spoilt_ = true;  // unless all goes well
    while (!bytes.empty()) {
      if (filling_.full()) TRY(pass_on());
      const size_t taken = filling_.append(bytes);
      bytes = bytes.subspan(taken);
      size_ += taken;
    }
    spoilt_ = false;
    return {};
  }

  Result<ObjectInfo> commit() override {
    if (spoilt_)
      return fail(Code::kFailedPrecondition, client_->name_of(key_) + ": committed after an error");
    spoilt_ = true;  // one commit, whatever becomes of it
    if (!parts_) return put_object(*client_, key_, filling_.bytes(), cancelled_);
    const auto etags = TRY(parts_->finish(std::move(filling_)));
    auto stored = TRY(complete_multipart(*client_, parts_->upload(), etags, size_, cancelled_));
    committed_ = true;
    return stored;
  }

 private:
  Result<void> pass_on() {
    if (!parts_) TRY(begin_parts());
    filling_ = TRY(parts_->exchange(std::move(filling_)));
    return {};
  }

  Result<void> begin_parts() {
    const S3Config& config = client_->config();
    const auto upload = TRY(create_multipart(*client_, key_, cancelled_));
    const auto affordable =
        static_cast<int>(std::min<size_t>(config.max_upload_memory_bytes / part_bytes_, 1000));
    const int buffers = std::clamp(affordable, 2, config.parallel_parts + 1);
    parts_.emplace(*client_, upload, part_bytes_, buffers - 1, buffers, cancelled_);
    return {};
  }

  const std::shared_ptr<Client> client_;
  const std::string key_;
  const size_t part_bytes_;
  PartBuffer filling_;
  std::function<bool()> cancelled_;
  std::optional<PartUploads> parts_;  // once the first part is full
  uint64_t size_ = 0;
  bool spoilt_ = false;
  bool committed_ = false;
};

}  // namespace

Result<std::unique_ptr<Upload>> start_upload(std::shared_ptr<Client> client, std::string key,
                                             uint64_t size_upper_bound) {
  if (size_upper_bound > kMaxObjectBytes)
    return fail(Code::kResourceExhausted, client->name_of(key) + " may become larger than 5 TiB, " +
                                              "the most that S3 takes");
  const size_t part_bytes = part_bytes_for(size_upper_bound, client->config().part_bytes);
  return std::make_unique<S3Upload>(std::move(client), std::move(key), part_bytes);
}

}  // namespace manman::s3
