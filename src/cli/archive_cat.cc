#include "archive/archive.h"
#include "base/file.h"
#include "cli/archive_verbs.h"
#include "cli/output.h"

namespace manman::cli {

void add_archive_cat(Command& group, Context& context) {
  Command command = group.command("cat", "Write one file of an archive to standard output",
                                  {"manman archive cat world.tar.gz game/server.properties"});
  struct Options {
    std::string file;
    std::string path;
  };
  auto options = std::make_shared<Options>();
  command.add("file", options->file, "The archive: any .tar.gz").required();
  command.add("path", options->path, "The file's path in it, as 'archive list' shows it")
      .required();
  command.on_run(context, [options]() -> Result<int> {
    const auto source = TRY(FileSource::open(options->file));
    OutputSink out;
    TRY(in(options->file, archive::cat(*source, options->path, out)));
    return kOk;
  });
}

}  // namespace manman::cli
