#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"

namespace manman {

// One side of a TLS connection: files in PEM. Empty paths: not set.
struct TlsFiles {
  std::filesystem::path certificate;  // the leaf first, then its chain
  std::filesystem::path key;
  std::filesystem::path ca;  // who must have certified the other side

  bool empty() const { return certificate.empty() && key.empty() && ca.empty(); }
};

// What the settings of a TlsFiles are called, for errors.
struct TlsSettings {
  std::string_view certificate;
  std::string_view key;
  std::string_view ca;
};

// The contents of the files.
struct TlsTexts {
  std::string certificate;
  std::string key;
  std::string ca;
};

// Reads and checks the files: certificate and key come together and belong to each other, and each
// is what it should be. Errors name the setting and the file, and are kInvalidArgument, or the
// file's own.
Result<TlsTexts> read_tls(const TlsFiles& files, const TlsSettings& settings);

}  // namespace manman
