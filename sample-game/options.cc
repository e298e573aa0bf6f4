#include "sample-game/options.h"

#include <charconv>
#include <string_view>

namespace sample_game {
namespace {

using manman::Code;
using manman::fail;
using manman::Result;

Result<int> number(std::string_view option, std::string_view text, int least, int most) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size() && value >= least && value <= most)
    return value;
  return fail(Code::kInvalidArgument, std::string(option) + ": \"" + std::string(text) +
                                          "\" is no number from " + std::to_string(least) + " to " +
                                          std::to_string(most));
}

Result<void> apply(Options& options, std::string_view name, std::string_view value) {
  if (name == "--regions") {
    options.size.regions = TRY(number(name, value, 1, 10000));
  } else if (name == "--region-kib") {
    options.size.region_kib = TRY(number(name, value, 4, 262144));
  } else if (name == "--tick-ms") {
    options.tick = std::chrono::milliseconds(TRY(number(name, value, 1, 3600000)));
  } else if (name == "--world" && !value.empty()) {
    options.world = value;
  } else if (name == "--check" && !value.empty()) {
    options.check = value;
  } else {
    return fail(Code::kInvalidArgument, "unknown option " + std::string(name));
  }
  return {};
}

}  // namespace

const char* const kUsage =
    "usage: sample-game [--regions N=4] [--region-kib N=1024] [--tick-ms N=50] [--world "
    "DIR=world]\n"
    "       sample-game --check DIR\n";

Result<Options> parse_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i++) {
    std::string_view name = argv[i];
    if (name == "--help" || name == "-h") {
      options.help = true;
      return options;
    }
    const size_t equals = name.find('=');
    if (equals != std::string_view::npos) {
      TRY(apply(options, name.substr(0, equals), name.substr(equals + 1)));
      continue;
    }
    if (i + 1 == argc) return fail(Code::kInvalidArgument, std::string(name) + " needs a value");
    TRY(apply(options, name, argv[++i]));
  }
  return options;
}

}  // namespace sample_game
