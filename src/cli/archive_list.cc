#include "archive/archive.h"
#include "cli/archive_verbs.h"
#include "cli/cli.h"
#include "cli/entry_printer.h"
#include "cli/s3_settings.h"

namespace manman::cli {
namespace {

Result<void> list(const Globals& globals, RandomSource& source) {
  ItemPrinter printer(globals);
  Result<void> printed;
  const auto listed = archive::list(source, [&](const archive::Entry& entry) {
    printed = printer.add(entry);
    return printed.has_value();
  });
  TRY(printed);
  if (listed) return printer.finish();
  TRY(printer.flush());
  return listed;
}

}  // namespace

void add_archive_list(Command& group, Context& context) {
  Command command = group.command(
      "list", "List what an archive holds",
      {"manman archive list world.tar.gz", "manman archive list world.tar.gz -q | grep region"});
  struct Options {
    std::string file;
    S3Settings s3;
  };
  auto options = std::make_shared<Options>();
  command
      .add("file", options->file,
           "The archive: any .tar.gz, .tar.zst or .tar, a file or s3://BUCKET/KEY")
      .required();
  add_s3_settings(command, options->s3);
  command.on_run(context, [&context, options]() -> Result<int> {
    const auto source = TRY(open_archive(options->file, options->s3, Reading::kHereAndThere));
    const auto listed = in(options->file, list(context.globals, *source));
    if (!listed) return archive_outcome(context.globals, std::unexpected(listed.error()));
    return kOk;
  });
}

}  // namespace manman::cli
