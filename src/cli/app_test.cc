#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/app.h"
#include "cli/output.h"

namespace manman::cli {
namespace {
namespace fs = std::filesystem;

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
  nlohmann::json error() const { return nlohmann::json::parse(err).at("error"); }
};

// The whole command line, as main() calls it.
Outcome manman(std::vector<std::string> words, Programs programs = {}) {
  words.insert(words.begin(), "manman");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  Outcome outcome;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  outcome.code = run(static_cast<int>(words.size()), argv.data(), programs);
  outcome.out = testing::internal::GetCapturedStdout();
  outcome.err = testing::internal::GetCapturedStderr();
  return outcome;
}

void each_command(CLI::App& app, const std::string& words,
                  const std::function<void(const std::string&, CLI::App&)>& visit) {
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    const std::string name = words + " " + command->get_name();
    if (command->get_subcommands([](CLI::App*) { return true; }).empty())
      visit(name, *command);
    else
      each_command(*command, name, visit);
  }
}

TEST(CommandLine, EveryCommandHasHelpWithAnExample) {
  Context context;
  const Programs programs;
  const auto app = make_app(context, programs);
  int commands = 0;
  each_command(*app, "manman", [&](const std::string& words, CLI::App& command) {
    commands++;
    const std::string help = command.help();
    const size_t examples = help.find("Examples:");
    ASSERT_NE(examples, std::string::npos) << words;
    if (!command.get_group().empty()) {
      EXPECT_NE(help.find(words, examples), std::string::npos) << help;
    }
    EXPECT_FALSE(command.get_description().empty()) << words;
  });
  EXPECT_GT(commands, 30);
}

TEST(CommandLine, HelpIsNoError) {
  const auto outcome = manman({"backup", "create", "--help"});
  EXPECT_EQ(outcome.code, kOk);
  EXPECT_NE(outcome.out.find("--session"), std::string::npos);
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(manman({"--version"}).out, manman({"version", "-q"}).out.substr(7));
}

TEST(CommandLine, WrongWordsAreUsageErrors) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {},
           {"backup"},
           {"no-such"},
           {"backup", "get"},
           {"backup", "get", "x"},
           {"backup", "get", "0"},
           {"backup", "get", "-1"},
           {"backup", "get", "010"},
           {"backup", "get", "99999999999999999999"},
           {"backup", "get", "1", "2"},
           {"backup", "create"},
           {"backup", "create", "--sgc", "1", "--session", "1"},
           {"backup", "list", "--limit", "-1"},
           {"deploy", "--config", "1", "--port", "x"},
           {"config", "create", "--name", "x"},
           {"config", "create", "--game", "1", "--name", "x", "--env", "novalue"},
           {"backup", "list", "--api", "nonsense"},
           {"backup", "list", "-o", "yaml"},
           {"serve", "--log-level", "loud"}}) {
    const auto outcome = manman(words);
    std::string line;
    for (const auto& word : words) line += " " + word;
    EXPECT_EQ(outcome.code, kUsage) << line << "\n" << outcome.err;
    EXPECT_TRUE(outcome.err.starts_with("error: ")) << line << "\n" << outcome.err;
    EXPECT_EQ(outcome.out, "") << line;
  }
}

TEST(CommandLine, JsonErrorsAlsoForUsage) {
  const auto outcome = manman({"backup", "get", "x", "-o", "json"});
  EXPECT_EQ(outcome.code, kUsage);
  EXPECT_EQ(outcome.error().at("code"), "INVALID_ARGUMENT");
  EXPECT_NE(outcome.error().at("hint").get<std::string>().find("manman backup get --help"),
            std::string::npos);
}

TEST(CommandLine, NoServiceIsUnreachable) {
  // A port that was free a moment ago; nothing can listen on 1 without being asked to.
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"backup", "list"}, {"session", "start", "1", "--wait"}, {"deploy", "--config", "1"}}) {
    auto all = words;
    all.insert(all.end(), {"--api", "127.0.0.1:1", "-o", "json"});
    const auto outcome = manman(all);
    EXPECT_EQ(outcome.code, kUnreachable) << outcome.err;
    EXPECT_EQ(outcome.error().at("code"), "UNAVAILABLE");
    EXPECT_NE(outcome.error().at("message").get<std::string>().find("127.0.0.1:1"),
              std::string::npos);
    EXPECT_NE(outcome.error().at("hint").get<std::string>().find("manman serve"),
              std::string::npos);
  }
}

TEST(CommandLine, GlobalOptionsStandAnywhere) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"-o", "json", "version"}, {"version", "-o", "json"}})
    EXPECT_TRUE(nlohmann::json::parse(manman(words).out).contains("version"));
}

TEST(CommandLine, WordsOfTheUserAreNotTakenForCommands) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"session", "input", "7", "stop"},
           {"session", "input", "7", "backup", "list"},
           {"session", "input", "7", "--", "--help"},
           {"game", "create", "list"},
           {"config", "create", "--game", "1", "--name", "get", "--", "serve", "-o", "x"}}) {
    auto all = words;
    all.insert(all.begin(), {"--api", "127.0.0.1:1"});
    const auto outcome = manman(all);
    EXPECT_EQ(outcome.code, kUnreachable) << words[0] << " " << words.back() << outcome.err;
  }
}

TEST(CommandLine, ServeGetsItsOptions) {
  ServiceOptions got;
  Programs programs;
  programs.serve = [&](const ServiceOptions& options) {
    got = options;
    return 7;
  };
  const auto outcome = manman({"serve", "--state", "/tmp/x", "--http", "127.0.0.1:0",
                               "--lease-seconds", "9", "--store", "/srv/store"},
                              programs);
  EXPECT_EQ(outcome.code, 7);
  EXPECT_EQ(got.state, "/tmp/x");
  EXPECT_EQ(got.http, "127.0.0.1:0");
  EXPECT_EQ(got.lease_seconds, 9);
  EXPECT_EQ(got.store, "/srv/store");
  EXPECT_EQ(got.db, "sqlite:/tmp/x/manman.db");
  EXPECT_EQ(manman({"serve", "--store", "https://x"}, programs).code, kUsage);
}

TEST(CommandLine, EnvironmentIsWeakerThanFlags) {
  ::setenv("S3_BUCKET", "from-env", 1);
  ::setenv("API_ADDRESS", "127.0.0.1:7", 1);
  ServiceOptions got;
  Programs programs;
  programs.serve = [&](const ServiceOptions& options) {
    got = options;
    return 0;
  };
  manman({"serve"}, programs);
  EXPECT_EQ(got.bucket, "from-env");
  EXPECT_EQ(got.grpc, "127.0.0.1:7");
  manman({"serve", "--bucket", "flag", "--grpc", "127.0.0.1:8"}, programs);
  EXPECT_EQ(got.bucket, "flag");
  EXPECT_EQ(got.grpc, "127.0.0.1:8");
  ::unsetenv("S3_BUCKET");
  ::unsetenv("API_ADDRESS");
}

TEST(ExitCode, OfEveryCode) {
  EXPECT_EQ(exit_code(Code::kInvalidArgument), 2);
  EXPECT_EQ(exit_code(Code::kNotFound), 3);
  EXPECT_EQ(exit_code(Code::kFailedPrecondition), 4);
  EXPECT_EQ(exit_code(Code::kAlreadyExists), 4);
  EXPECT_EQ(exit_code(Code::kUnavailable), 5);
  for (const Code code : {Code::kInternal, Code::kAborted, Code::kDataLoss, Code::kCancelled,
                          Code::kResourceExhausted, Code::kPermissionDenied, Code::kUnknown})
    EXPECT_EQ(exit_code(code), 1);
}

// `manman archive …` on real files.
class Archives : public testing::Test {
 protected:
  Archives() {
    char name[] = "/tmp/manman-cli-XXXXXX";
    dir_ = ::mkdtemp(name);
    fs::create_directories(dir_ / "world/region");
    std::ofstream(dir_ / "world/region/r.0.0.mca") << std::string(3'000'000, 'x') << "end";
    std::ofstream(dir_ / "world/level.dat") << "level";
  }
  ~Archives() override { fs::remove_all(dir_); }

  std::string path(const std::string& name) const { return (dir_ / name).string(); }
  std::string text(const std::string& name) const {
    std::ifstream file(dir_ / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  Outcome create() { return manman({"archive", "create", path("world"), path("a.tar.gz")}); }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(dir_)) all.push_back(entry.path().filename());
    std::ranges::sort(all);
    return all;
  }

  fs::path dir_;
};

TEST_F(Archives, ThereAndBack) {
  auto outcome = create();
  ASSERT_EQ(outcome.code, kOk) << outcome.err;
  outcome = manman({"archive", "extract", path("a.tar.gz"), path("new"), "--strip", "game"});
  ASSERT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_EQ(text("new/region/r.0.0.mca"), text("world/region/r.0.0.mca"));
  EXPECT_EQ(text("new/level.dat"), "level");
  EXPECT_EQ(fs::last_write_time(dir_ / "new"), fs::last_write_time(dir_ / "world"));
  EXPECT_EQ(names(), (std::vector<std::string>{"a.tar.gz", "new", "world"}));
}

TEST_F(Archives, ListVerifyCat) {
  create();
  const auto listed =
      nlohmann::json::parse(manman({"archive", "list", path("a.tar.gz"), "-o", "json"}).out);
  EXPECT_EQ(listed.at("next_page_token"), "");
  std::set<std::string> paths;
  for (const auto& item : listed.at("items")) paths.insert(item.at("path"));
  EXPECT_TRUE(paths.contains("game/region/r.0.0.mca"));
  EXPECT_EQ(manman({"archive", "cat", path("a.tar.gz"), "game/level.dat"}).out, "level");
  EXPECT_EQ(manman({"archive", "cat", path("a.tar.gz"), "game/none"}).code, kNotFound);
  EXPECT_EQ(manman({"archive", "verify", path("a.tar.gz")}).code, kOk);
  EXPECT_EQ(manman({"archive", "verify", path("none.tar.gz")}).code, kNotFound);
}

TEST_F(Archives, AFileThatIsThereStays) {
  std::ofstream(dir_ / "a.tar.gz") << "mine";
  EXPECT_EQ(create().code, kRefused);
  EXPECT_EQ(text("a.tar.gz"), "mine");
  EXPECT_EQ(manman({"archive", "create", path("world"), path("a.tar.gz"), "--force"}).code, kOk);
  EXPECT_EQ(manman({"archive", "verify", path("a.tar.gz")}).code, kOk);
}

TEST_F(Archives, AnArchiveWithinItsFolderIsRefused) {
  fs::create_directory_symlink(dir_ / "world", dir_ / "link");
  for (const char* inside : {"world/a.tar.gz", "world/region/a.tar.gz", "link/a.tar.gz"}) {
    const auto outcome = manman({"archive", "create", path("world"), path(inside)});
    EXPECT_EQ(outcome.code, kUsage) << inside;
    EXPECT_FALSE(fs::exists(dir_ / inside));
  }
  EXPECT_EQ(manman({"archive", "create", path("none"), path("a.tar.gz")}).code, kNotFound);
}

TEST_F(Archives, AFolderInUseIsLeftAlone) {
  create();
  fs::create_directory(dir_ / "full");
  std::ofstream(dir_ / "full/mine") << "mine";
  EXPECT_EQ(manman({"archive", "extract", path("a.tar.gz"), path("full")}).code, kRefused);
  EXPECT_EQ(std::distance(fs::directory_iterator(dir_ / "full"), {}), 1);
  EXPECT_EQ(manman({"archive", "extract", path("a.tar.gz"), path("full"), "--force"}).code, kOk);
  EXPECT_EQ(text("full/mine"), "mine");
  EXPECT_EQ(text("full/game/level.dat"), "level");
}

TEST_F(Archives, AnEmptyFolderKeepsItsPlace) {
  create();
  fs::create_directory(dir_ / "empty");
  const auto inode = [&] {
    struct stat info{};
    ::stat(path("empty").c_str(), &info);
    return info.st_ino;
  };
  const auto before = inode();
  const auto outcome =
      manman({"archive", "extract", path("a.tar.gz"), path("empty"), "game/level.dat"});
  ASSERT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_EQ(inode(), before);
  EXPECT_EQ(text("empty/game/level.dat"), "level");
  EXPECT_EQ(std::distance(fs::directory_iterator(dir_ / "empty"), {}), 1);
}

TEST_F(Archives, ADamagedArchiveLeavesNothing) {
  create();
  fs::resize_file(dir_ / "a.tar.gz", fs::file_size(dir_ / "a.tar.gz") / 2);
  fs::create_directory(dir_ / "empty");
  const auto time = fs::last_write_time(dir_ / "empty");
  const auto before = names();
  for (const char* target : {"new", "empty"}) {
    const auto outcome = manman({"archive", "extract", path("a.tar.gz"), path(target)});
    EXPECT_EQ(outcome.code, kFailed) << outcome.err;
    EXPECT_NE(outcome.err.find("a.tar.gz"), std::string::npos);
  }
  EXPECT_EQ(names(), before);
  EXPECT_TRUE(fs::is_empty(dir_ / "empty"));
  EXPECT_EQ(fs::last_write_time(dir_ / "empty"), time);
  EXPECT_EQ(manman({"archive", "verify", path("a.tar.gz")}).code, kFailed);
}

}  // namespace
}  // namespace manman::cli
