#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "store/folder/folder_upload.h"

// The files in {root}/.uploads. Each is named "{bucket/key, percent-encoded}~{32 random hex
// digits}", so that the uploads of one key are found again after a crash; a key too long for that
// is cut and its SHA-256 put in between.
namespace manman {

// A new name for an upload of this key.
Result<std::string> new_upload_name(std::string_view bucket, std::string_view key);

// Calls visit for the uploads of keys that start with prefix until it returns false, in no certain
// order. A key too long for a name is told as far as it is in it.
Result<void> list_folder_uploads(const FolderStoreDirs& dirs, std::string_view prefix,
                                 const std::function<bool(const PendingUpload&)>& visit);

// Removes the files of all uploads of this key.
Result<void> abort_folder_uploads(const FolderStoreDirs& dirs, std::string_view key);
// Removes those of keys that start with prefix and that were last written to longer ago than
// this; how many. Keys too long for a name are found only by the part of them that is in it.
Result<int> sweep_folder_uploads(const FolderStoreDirs& dirs, std::string_view prefix,
                                 std::chrono::seconds older_than);

}  // namespace manman
