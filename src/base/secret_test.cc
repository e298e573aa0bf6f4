#include "base/secret.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace manman {
namespace {

class Secret : public testing::Test {
 protected:
  Secret() {
    char name[] = "/tmp/manman-secret-XXXXXX";
    dir_ = ::mkdtemp(name);
  }
  ~Secret() override { std::filesystem::remove_all(dir_); }
  void write(const std::string& name, const std::string& text, mode_t mode = 0600) {
    std::ofstream(dir_ / name) << text;
    ASSERT_EQ(::chmod((dir_ / name).c_str(), mode), 0);
  }
  Error error_of(const std::string& name) {
    auto secret = read_secret(dir_, name);
    EXPECT_FALSE(secret) << name;
    return secret ? Error{} : secret.error();
  }
  std::filesystem::path dir_;
};

TEST_F(Secret, IsTheFileWithoutTheNewlineAtItsEnd) {
  for (const char* text : {"pass word", "pass word\n", "pass word\r\n"}) {
    write("rcon", text);
    EXPECT_EQ(read_secret(dir_, "rcon").value(), "pass word");
  }
  write("rcon", std::string(4096, 'x'), 0400);
  EXPECT_EQ(read_secret(dir_, "rcon")->size(), 4096U);
}

TEST_F(Secret, OthersMustNotReadIt) {
  for (const mode_t mode : {0640, 0604, 0610, 0666}) {
    write("rcon", "pass", mode);
    const Error error = error_of("rcon");
    EXPECT_EQ(error.code, Code::kFailedPrecondition);
    EXPECT_EQ(error.hint, "chmod 600 " + (dir_ / "rcon").string());
    EXPECT_EQ(error.text().find("pass"), std::string::npos);
  }
}

TEST_F(Secret, WhatIsNoSecretIsRefused) {
  EXPECT_EQ(error_of("none").code, Code::kNotFound);
  EXPECT_NE(error_of("none").hint.find("chmod 600"), std::string::npos);
  for (const char* name : {"", ".", "..", "../rcon", "a/b", "/etc/passwd", ".hidden", "a b"})
    EXPECT_EQ(error_of(name).code, Code::kInvalidArgument) << name;
  write("big", std::string(4097, 'x'));
  write("empty", "\n");
  write("lines", "a\nb");
  write("real", "pass");
  std::filesystem::create_symlink("real", dir_ / "link");
  std::filesystem::create_directory(dir_ / "folder");
  ASSERT_EQ(::mkfifo((dir_ / "fifo").c_str(), 0600), 0);
  for (const char* name : {"big", "empty", "lines", "link", "folder", "fifo"})
    EXPECT_EQ(error_of(name).code, Code::kFailedPrecondition) << name;
}

}  // namespace
}  // namespace manman
