// embed_profiles OUT.cc PROFILE.json…: checks the profiles as the program does, and writes them as
// source code. A bad one is a line on standard error and exit code 1, and no OUT.cc.

#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "base/file.h"
#include "domain/profile.h"

namespace {

constexpr const char* kBegin = R"(#include "api/profiles.h"

namespace manman::api {
namespace {

constexpr EmbeddedProfile kProfiles[] = {
)";
constexpr const char* kEnd = R"(};

}  // namespace

std::span<const EmbeddedProfile> embedded_profiles() { return kProfiles; }

}  // namespace manman::api
)";
constexpr const char* kQuote = "~profile~";

manman::Result<std::string> entry_of(const std::filesystem::path& file) {
  const auto text = TRY(manman::read_file(file));
  TRY(manman::Profile::parse(file, text));
  if (text.find(std::string(")") + kQuote) != std::string::npos)
    return manman::fail(manman::Code::kInvalidArgument,
                        file.string() + ": holds what ends a text in the source: " + kQuote);
  return "    {\"" + file.filename().string() + "\", R\"" + kQuote + "(" + text + ")" + kQuote +
         "\"},\n";
}

}  // namespace

int main(int argc, char** argv) {
  std::string source = kBegin;
  for (int i = 2; i < argc; i++) {
    const auto entry = entry_of(argv[i]);
    if (!entry) {
      std::cerr << "embed_profiles: " << entry.error().text() << "\n";
      return 1;
    }
    source += *entry;
  }
  if (argc < 3) {
    std::cerr << "usage: embed_profiles OUT.cc PROFILE.json...\n";
    return 2;
  }
  std::ofstream out(argv[1]);
  out << source << kEnd << std::flush;
  return out ? 0 : 1;
}
