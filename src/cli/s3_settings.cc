#include "cli/s3_settings.h"

#include "base/file.h"

namespace manman::cli {
namespace {

constexpr std::string_view kScheme = "s3://";

// An object as a source that keeps its store.
class ObjectSource final : public RandomSource {
 public:
  ObjectSource(std::unique_ptr<Store> store, std::unique_ptr<RandomSource> source)
      : store_(std::move(store)), source_(std::move(source)) {}

  uint64_t size() const override { return source_->size(); }
  Result<void> read_at(uint64_t offset, MutableBytes buffer) override {
    return source_->read_at(offset, buffer);
  }

 private:
  std::unique_ptr<Store> store_;
  std::unique_ptr<RandomSource> source_;
};

}  // namespace

void add_s3_settings(Command& command, S3Settings& settings) {
  command.add("--s3-endpoint", settings.endpoint, "S3 server; without one, AWS in the region")
      .variable("S3_ENDPOINT")
      .value("URL");
  command.add("--s3-region", settings.region, "S3 region").variable("S3_REGION").value("NAME");
  command.add("--s3-access-key", settings.access_key, "S3 access key")
      .variable("S3_ACCESS_KEY")
      .value("KEY");
  command
      .add("--s3-secret-key", settings.secret_key,
           "S3 secret key; others can see it on a command line, better set the variable")
      .variable("S3_SECRET_KEY")
      .value("KEY");
  command.add("--s3-session-token", settings.session_token, "S3 session token of temporary keys")
      .variable("S3_SESSION_TOKEN")
      .value("TOKEN");
  command.add("--s3-ca-file", settings.ca_file, "Certificates to trust (PEM) for S3 over https")
      .variable("S3_CA_FILE")
      .value("FILE");
  command.add_flag("--s3-virtual-host", settings.virtual_host,
                   "Put the bucket into the host's name, not into the path");
}

bool is_s3_url(std::string_view text) {
  return text.starts_with(kScheme);
}

Result<S3Object> open_s3_url(std::string_view url, const S3Settings& settings) {
  const std::string_view path = url.substr(kScheme.size());
  const size_t slash = path.find('/');
  const std::string_view key = slash == path.npos ? std::string_view() : path.substr(slash + 1);
  TRY(in(std::string(url) + " must be s3://BUCKET/KEY", check_key(key)));
  auto store =
      TRY(open_s3_bucket(std::string(path.substr(0, slash)), settings, std::chrono::seconds(5)));
  return S3Object{std::move(store), std::string(key)};
}

Result<std::unique_ptr<RandomSource>> open_archive(const std::string& place,
                                                   const S3Settings& settings, Reading reading) {
  if (!is_s3_url(place)) return TRY(FileSource::open(place));
  auto [store, key] = TRY(open_s3_url(place, settings));
  auto source = TRY(reading == Reading::kInOrder ? open_object_in_order(*store, key)
                                                 : open_object(*store, key));
  return std::make_unique<ObjectSource>(std::move(store), std::move(source));
}

}  // namespace manman::cli
