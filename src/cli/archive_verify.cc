#include "archive/archive.h"
#include "cli/archive_verbs.h"
#include "cli/interrupt.h"
#include "cli/json_text.h"
#include "cli/output.h"
#include "cli/progress_view.h"
#include "cli/s3_settings.h"
#include "cli/text.h"

namespace manman::cli {
namespace {

struct Options {
  std::string file;
  int threads = 0;
  S3Settings s3;
};

Result<archive::VerifyResult> check(const Globals& globals, const Options& options,
                                    RandomSource& source) {
  Progress progress;
  ProgressWatch watch(globals, "verify", progress);
  return archive::verify(source, options.threads, &progress);
}

Result<int> verify(const Globals& globals, const Options& options) {
  InterruptGuard guard;
  const auto source = TRY(open_archive(options.file, options.s3, Reading::kInOrder));
  auto result = in(options.file, check(globals, options, *source));
  if (!result && result.error().code == Code::kDataLoss && result.error().hint.empty())
    result = std::unexpected(std::move(result).error().with_hint(kSalvageHint));
  if (!result) return archive_outcome(globals, std::unexpected(result.error()));
  if (globals.json()) {
    JsonObject json;
    json.add("file", options.file)
        .add("entries", result->entries)
        .add("frames", result->frames)
        .add("data_size_bytes", result->data_size_bytes)
        .add("indexed", result->indexed)
        .add("sha256", to_hex(result->sha256));
    TRY(print(json.text() + "\n"));
  } else if (!globals.quiet) {
    TRY(print(whole_text(options.file, result->entries, result->data_size_bytes, result->indexed,
                         to_hex(result->sha256))));
  }
  return kOk;
}

}  // namespace

std::string whole_text(const std::string& name, uint64_t entries, uint64_t data_size_bytes,
                       bool indexed, const std::string& sha256) {
  return escape(name) + " is whole: " + std::to_string(entries) + " entries, " +
         format_bytes(data_size_bytes) + (indexed ? "" : " (no index: made by another program)") +
         "\nsha256: " + sha256 + "\n";
}

void add_archive_verify(Command& group, Context& context) {
  Command command = group.command("verify", "Read all of an archive and check it",
                                  {"manman archive verify world.tar.gz && echo good"});
  auto options = std::make_shared<Options>();
  command
      .add("file", options->file,
           "The archive: any .tar.gz, .tar.zst or .tar, a file or s3://BUCKET/KEY")
      .required();
  add_threads(command, options->threads);
  add_s3_settings(command, options->s3);
  command.on_run(context, [&context, options] { return verify(context.globals, *options); });
}

}  // namespace manman::cli
