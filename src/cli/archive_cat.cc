#include "archive/archive.h"
#include "cli/archive_verbs.h"
#include "cli/output.h"
#include "cli/s3_settings.h"

namespace manman::cli {

void add_archive_cat(Command& group, Context& context) {
  Command command = group.command("cat", "Write one file of an archive to standard output",
                                  {"manman archive cat world.tar.gz game/server.properties"});
  struct Options {
    std::string file;
    std::string path;
    S3Settings s3;
  };
  auto options = std::make_shared<Options>();
  command
      .add("file", options->file,
           "The archive: any .tar.gz, .tar.zst or .tar, a file or s3://BUCKET/KEY")
      .required();
  command.add("path", options->path, "The file's path in it, as 'archive list' shows it")
      .required();
  add_s3_settings(command, options->s3);
  command.on_run(context, [options]() -> Result<int> {
    const auto source = TRY(open_archive(options->file, options->s3, Reading::kHereAndThere));
    OutputSink out;
    TRY(in(options->file, archive::cat(*source, options->path, out)));
    return kOk;
  });
}

}  // namespace manman::cli
