#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "api/context.h"
#include "base/error.h"
#include "db/repositories.h"
#include "store/store.h"

// The store held against the rows of backups. Objects and rows are walked side by side, both in the
// order of their keys, so that memory does not grow with either; no transaction lasts longer than a
// page of rows.
namespace manman::api {

enum class FindingKind {
  kObjectWithoutRow,
  kRowWithoutObject,  // completed
  kWrongSize,
  kLeftover,       // of a backup that failed, was cancelled or lost, or is being deleted
  kStaleUpload,    // that no backup is making
  kUnknownObject,  // below backups/, and no key of ours; no problem, and never touched
};
std::string_view to_text(FindingKind kind);  // "object-without-row" …

struct Finding {
  FindingKind kind = FindingKind::kUnknownObject;
  std::string key;
  int64_t backup_id = 0;  // by the row, else by the key; 0: neither says
  int64_t sgc_id = 0;
  db::backups::Placed row;  // its backup_id is 0 when there is none
  ObjectInfo object;        // its etag is "" when there is none
  int64_t upload_begun_at = 0;
  std::string advice;
  // Set by whoever mends it.
  std::string outcome;
  std::string detail;
};

struct AuditCounts {
  int64_t objects = 0;
  int64_t rows = 0;
  int64_t rows_elsewhere = 0;
  int64_t uploads = 0;
  int64_t problems = 0;
  int64_t unknown_objects = 0;
};

struct AuditWish {
  std::chrono::seconds uploads_older_than{86400};
  // Each finding, once. An error ends the audit.
  std::function<Result<void>(Finding&)> found;
  // Twice a second; an error ends the audit.
  std::function<Result<void>(const AuditCounts&)> progress = [](const auto&) {
    return Result<void>();
  };
};

// Runs one audit from beginning to end. A store that does not list in order is kFailedPrecondition.
Result<AuditCounts> audit(const Context& context, const AuditWish& wish);

// Looks once more at what a finding tells of an object or row; false when it is no finding any
// more. Fills in row and object as they are now.
Result<bool> still_so(const Context& context, Finding& finding);

}  // namespace manman::api
