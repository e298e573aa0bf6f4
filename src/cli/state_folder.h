#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"
#include "base/file.h"

namespace manman::cli {

// The sole right to a folder, held by a lock on {dir}/lock that the kernel drops with the
// process, however that ends. Programs started by it do not inherit the lock.
class FolderLock {
 public:
  // Makes the folder when it is not there. One that another process holds is kFailedPrecondition
  // with its pid.
  static Result<FolderLock> take(const std::filesystem::path& dir);

 private:
  explicit FolderLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

// {state}/endpoints.json: {"grpc":"127.0.0.1:50051","http":"127.0.0.1:8080","pid":123}, durable;
// removed when destroyed, so that it is there only while the service is (or was killed).
class EndpointsFile {
 public:
  static Result<EndpointsFile> write(const std::filesystem::path& state, const std::string& grpc,
                                     const std::string& http);
  EndpointsFile(EndpointsFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  EndpointsFile& operator=(EndpointsFile&&) = delete;
  ~EndpointsFile();

 private:
  explicit EndpointsFile(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace manman::cli
