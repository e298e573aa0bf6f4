#pragma once

#include <filesystem>
#include <memory>

#include "store/store.h"

namespace manman {

// A store in a local folder: {root}/{bucket}/{key}; uploads that are under way stand in
// {root}/.uploads/ and are renamed into place. The root is made when it is not there.
Result<std::unique_ptr<Store>> open_folder_store(const std::filesystem::path& root,
                                                 const std::string& bucket);

}  // namespace manman
