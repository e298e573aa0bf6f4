#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/compression.h"
#include "base/error.h"

namespace manman {

// Where a backup's archive is: s3://{bucket}/{key}.
struct ObjectUrl {
  std::string bucket;
  std::string key;

  std::string text() const { return "s3://" + bucket + "/" + key; }
  static Result<ObjectUrl> parse(std::string_view url);
};

// backups/{sgc_id}/{backup_id}.tar.gz, .tar.zst or .tar
std::string backup_key(int64_t sgc_id, int64_t backup_id, ArchiveFormat format);

// The parts of a key that backup_key() has made; nothing for any other.
struct BackupKey {
  int64_t sgc_id = 0;
  int64_t backup_id = 0;
  ArchiveFormat format = ArchiveFormat::kGzip;
};
std::optional<BackupKey> backup_key_from(std::string_view key);

// What all keys of backups begin with.
inline constexpr std::string_view kBackupPrefix = "backups/";

}  // namespace manman
