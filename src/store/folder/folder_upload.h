#pragma once

#include <sys/stat.h>

#include <memory>
#include <string>

#include "store/folder/beneath.h"
#include "store/store.h"

namespace manman {

// The open folders of a store; shared by the store and its uploads.
struct FolderStoreDirs {
  std::string root_name;    // for messages: "/backups"
  std::string bucket_name;  // "/backups/manman"
  std::string bucket_id;    // "manman"
  UniqueFd bucket;
  UniqueFd uploads;
};

// What the store says of an object whose file has this status.
ObjectInfo describe(const struct stat& status, std::string_view key);
// The same of an open file; one that is not a regular file is no object, kNotFound.
Result<ObjectInfo> describe(int fd, std::string_view key, std::string_view what);

// A write's error, with the free space of the file system when that was the reason.
Error write_error(int fd, Error error);

// A new file in {root}/.uploads, and the Upload that writes it.
Result<std::unique_ptr<Upload>> start_folder_upload(std::shared_ptr<const FolderStoreDirs> dirs,
                                                    std::string_view key);

}  // namespace manman
