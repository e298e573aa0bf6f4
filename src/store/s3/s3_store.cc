#include "store/s3/s3_store.h"

#include "store/s3/multipart.h"
#include "store/s3/objects.h"
#include "store/s3/s3_upload.h"

namespace manman {
namespace s3 {
namespace {

class S3Store final : public Store {
 public:
  explicit S3Store(std::shared_ptr<Client> client) : client_(std::move(client)) {}

  Result<std::unique_ptr<Upload>> put(std::string_view key, uint64_t size_upper_bound) override {
    TRY(check_key(key));
    return start_upload(client_, std::string(key), size_upper_bound);
  }

  // S3 lists by prefix, so that other keys come along.
  Result<void> abort_uploads(std::string_view key) override {
    TRY(check_key(key));
    TRY(abort_those(key, [&](const PendingUpload& upload) { return upload.key == key; }));
    return {};
  }

  Result<int> sweep_uploads(std::string_view prefix, std::chrono::seconds older_than) override {
    return abort_those(prefix, [&](const PendingUpload& upload) {
      return upload.begun_at != 0 && upload.age_s > older_than.count();
    });
  }

  Result<void> list_uploads(std::string_view prefix,
                            const std::function<bool(const PendingUpload&)>& visit) override {
    return s3::list_uploads(*client_, prefix, visit);
  }

  Result<void> get(std::string_view key, uint64_t offset, MutableBytes buffer) override {
    TRY(check_key(key));
    return get_range(*client_, std::string(key), offset, buffer);
  }

  Result<ObjectInfo> head(std::string_view key) override {
    TRY(check_key(key));
    return TRY(head_object(*client_, std::string(key)))
    .info;
  }

  Result<void> list(std::string_view prefix,
                    const std::function<bool(const ObjectInfo&)>& visit) override {
    return list_objects(*client_, prefix, visit);
  }

  Result<void> remove(std::string_view key) override {
    TRY(check_key(key));
    return delete_object(*client_, std::string(key));
  }

  bool distant() const override { return true; }
  std::string bucket() const override { return client_->config().bucket; }

 private:
  // Ends those that `due` picks; how many.
  Result<int> abort_those(std::string_view prefix,
                          const std::function<bool(const PendingUpload&)>& due) {
    int aborted = 0;
    Result<void> outcome;
    TRY(s3::list_uploads(*client_, prefix, [&](const PendingUpload& upload) {
      if (!due(upload)) return true;
      outcome = abort_multipart(*client_, upload.key, upload.id);
      if (outcome) aborted++;
      return outcome.has_value();
    }));
    TRY(std::move(outcome));
    return aborted;
  }

  const std::shared_ptr<Client> client_;
};

}  // namespace
}  // namespace s3

Result<std::unique_ptr<Store>> open_s3_store(const S3Config& config) {
  auto client = std::make_shared<s3::Client>(config, TRY(s3::make_endpoint(config)));
  TRY(s3::check_bucket(*client, config.open_retry_for));
  return std::make_unique<s3::S3Store>(std::move(client));
}

}  // namespace manman
