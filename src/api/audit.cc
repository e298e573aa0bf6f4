#include "api/audit.h"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "api/object_owner.h"
#include "domain/object_url.h"

namespace manman::api {
namespace {

using Clock = std::chrono::steady_clock;
using db::backups::Placed;

constexpr int kRowsAtOnce = 500;
constexpr size_t kSuspectsAtOnce = 200;
constexpr std::chrono::milliseconds kProgressInterval{500};
constexpr int kLooks = 5;
constexpr int64_t kYoungUpload = 60;  // seconds

std::string url_of(const Context& context, const std::string& key) {
  return ObjectUrl{context.store.bucket(), key}.text();
}

Result<std::vector<Placed>> rows_at(const Context& context, const std::string& key) {
  return context.database.look(
      [&](db::Transaction& tx) { return db::backups::placed_at(tx, url_of(context, key)); });
}

Result<std::optional<ObjectInfo>> object_at(Store& store, const std::string& key) {
  auto object = store.head(key);
  if (object) return std::optional(*std::move(object));
  if (object.error().code == Code::kInvalidArgument) return std::nullopt;  // no key can be so
  if (object.error().code != Code::kNotFound) return std::unexpected(std::move(object).error());
  // What can't be listed lacks more than this object, its bucket say.
  TRY(store.list(key, [](const ObjectInfo&) { return false; }));
  return std::nullopt;
}

// The rows of one key and its object, of one moment: nobody changed the rows while the object was
// looked at. Nothing when they are changed all the time.
struct Picture {
  std::vector<Placed> rows;
  std::optional<ObjectInfo> object;
};
Result<std::optional<Picture>> picture_of(const Context& context, const std::string& key) {
  for (int look = 0; look < kLooks; look++) {
    Picture picture {
      .rows = TRY(rows_at(context, key))
      , .object = TRY(object_at(context.store, key))
    };
    if (TRY(rows_at(context, key)) == picture.rows) return picture;
  }
  return std::nullopt;
}

// Others change what is so by themselves, soon.
bool is_passing(const Finding& finding) {
  return finding.kind == FindingKind::kLeftover && (finding.row.status == BackupStatus::kDeleting ||
                                                    finding.row.status == BackupStatus::kCancelled);
}

std::string advice_for(const Finding& finding) {
  const std::string id = std::to_string(finding.backup_id);
  switch (finding.kind) {
    case FindingKind::kObjectWithoutRow:
      return "'manman audit --adopt' makes its row again, 'manman audit --clean' removes it";
    case FindingKind::kRowWithoutObject:
      return "put the object back where it was, or 'manman backup delete " + id + "'";
    case FindingKind::kWrongSize:
      return "'manman backup verify " + id +
             "' says what it is; put the object back, or 'manman "
             "backup delete " +
             id + "'";
    case FindingKind::kLeftover:
      if (finding.row.status == BackupStatus::kDeleting)
        return "it goes by itself once the service can remove it; its log says why it can't";
      if (finding.row.status == BackupStatus::kLost)
        return "its host may still say that it is complete; if that is gone for good, 'manman "
               "backup "
               "delete " +
               id + "'";
      return "'manman audit --clean' removes it";
    case FindingKind::kStaleUpload:
      return "'manman audit --clean' ends it";
    case FindingKind::kUnknownObject:
      return "it is none of manman's, and stays";
  }
  return "";
}

// What the rows of one key and its object are to each other; nothing when all is well.
Result<std::optional<Finding>> judge(const Context& context, const std::string& key,
                                     const Picture& picture) {
  Finding finding{.key = key};
  if (picture.object) finding.object = *picture.object;
  const auto parts = backup_key_from(key);
  if (parts) finding.backup_id = parts->backup_id;
  if (parts) finding.sgc_id = parts->sgc_id;
  const auto of_row = [&](const Placed& row, FindingKind kind) {
    finding.kind = kind;
    finding.row = row;
    finding.backup_id = row.backup_id;
    finding.sgc_id = row.sgc_id;
    return finding;
  };
  const auto with = [&](auto&& holds) { return std::ranges::find_if(picture.rows, holds); };
  const auto none = picture.rows.end();
  const auto completed = [](const Placed& row) { return row.status == BackupStatus::kCompleted; };
  if (!picture.object) {
    const auto row = with(completed);
    if (row == none) return std::nullopt;
    return of_row(*row, FindingKind::kRowWithoutObject);
  }
  const auto size = static_cast<int64_t>(picture.object->size_bytes);
  if (with([&](const Placed& row) { return completed(row) && row.size_bytes == size; }) != none)
    return std::nullopt;
  if (const auto row = with(completed); row != none) return of_row(*row, FindingKind::kWrongSize);
  if (with([](const Placed& row) { return is_active(row.status); }) != none) return std::nullopt;
  for (const Placed& row : picture.rows)
    if (TRY(is_owned(context.store, {key, row.mark, row.size_bytes > 0})))
      return of_row(row, FindingKind::kLeftover);
  finding.kind = parts ? FindingKind::kObjectWithoutRow : FindingKind::kUnknownObject;
  return finding;
}

Result<std::optional<Finding>> look_at(const Context& context, const std::string& key) {
  const auto picture = TRY(picture_of(context, key));
  if (!picture) return std::nullopt;
  auto finding = TRY(judge(context, key, *picture));
  if (finding) finding->advice = advice_for(*finding);
  return finding;
}

// The rows of this bucket, a page at a time.
class Rows {
 public:
  explicit Rows(const Context& context)
      : context_(context), begin_("s3://" + context.store.bucket() + "/") {
    end_ = begin_;
    end_.back()++;
  }

  // The next one; null behind the last.
  Result<const Placed*> front() {
    if (at_ == page_.size() && !over_) {
      page_ = TRY(context_.database.look([&](db::Transaction& tx) {
        return db::backups::placed(tx, begin_, end_, after_, kRowsAtOnce);
      }));
      at_ = 0;
      over_ = page_.size() < kRowsAtOnce;
      if (!page_.empty()) after_ = {page_.back().s3_url, page_.back().backup_id};
    }
    return at_ == page_.size() ? nullptr : &page_[at_];
  }
  void pop() { at_++; }
  std::string key_of(const Placed& row) const { return row.s3_url.substr(begin_.size()); }
  Result<int64_t> count_elsewhere() const {
    return context_.database.look(
        [&](db::Transaction& tx) { return db::backups::count_outside(tx, begin_, end_); });
  }

 private:
  const Context& context_;
  std::string begin_;
  std::string end_;  // the first that is not of this bucket
  db::backups::PlacedAfter after_;
  std::vector<Placed> page_;
  size_t at_ = 0;
  bool over_ = false;
};

class Audit {
 public:
  Audit(const Context& context, const AuditWish& wish)
      : context_(context),
        wish_(wish),
        rows_(context),
        patience_(std::max(std::chrono::milliseconds(500), 4 * context.config.job_interval)) {}

  Result<AuditCounts> run() {
    TRY(walk_objects());
    TRY(rows_before(std::nullopt));
    TRY(look_again());
    TRY(walk_uploads());
    counts_.rows_elsewhere = TRY(rows_.count_elsewhere());
    TRY(wish_.progress(counts_));
    return counts_;
  }

 private:
  // What ends a walk of the store, whose visitor can only say that it has seen enough.
  template <typename Visit>
  auto until_error(Result<void>& outcome, Visit visit) {
    return [&outcome, visit](const auto& item) {
      outcome = visit(item);
      return outcome.has_value();
    };
  }

  Result<void> walk_objects() {
    Result<void> outcome;
    TRY(context_.store.list(kBackupPrefix, until_error(outcome, [this](const ObjectInfo& object) {
                              return take(object);
                            })));
    return outcome;
  }

  Result<void> take(const ObjectInfo& object) {
    if (object.key <= last_key_)
      return fail(Code::kFailedPrecondition,
                  "the store does not list its objects in the order of their keys: " + object.key +
                      " after " + last_key_ + "; they can't be held against the rows");
    last_key_ = object.key;
    counts_.objects++;
    TRY(rows_before(object.key));
    bool well = false;
    const Placed* row = TRY(rows_.front());
    while (row != nullptr && rows_.key_of(*row) == object.key) {
      counts_.rows++;
      well = well || (row->status == BackupStatus::kCompleted &&
                      row->size_bytes == static_cast<int64_t>(object.size_bytes));
      rows_.pop();
      row = TRY(rows_.front());
    }
    if (!well) TRY(suspect(object.key));
    return tell_progress();
  }

  // Rows that the walk of the objects has passed: their object was not listed.
  Result<void> rows_before(const std::optional<std::string>& key) {
    for (const Placed* row = TRY(rows_.front()); row != nullptr; row = TRY(rows_.front())) {
      const std::string own = rows_.key_of(*row);
      if (key && own >= *key) return {};
      counts_.rows++;
      if (row->status == BackupStatus::kCompleted) TRY(suspect(own));
      rows_.pop();
      TRY(tell_progress());
    }
    return {};
  }

  Result<void> suspect(const std::string& key) {
    suspects_.push_back({key, Clock::now()});
    return suspects_.size() < kSuspectsAtOnce ? Result<void>() : look_again();
  }

  Result<void> look_again() {
    for (const auto& [key, since] : std::exchange(suspects_, {})) {
      auto finding = TRY(look_at(context_, key));
      if (finding && is_passing(*finding)) {
        std::this_thread::sleep_until(since + patience_);
        finding = TRY(look_at(context_, key));
      }
      if (finding) TRY(tell(*finding));
      TRY(tell_progress());
    }
    return {};
  }

  Result<void> walk_uploads() {
    Result<void> outcome;
    TRY(context_.store.list_uploads(
        kBackupPrefix,
        until_error(outcome, [this](const PendingUpload& upload) { return take(upload); })));
    return outcome;
  }

  Result<void> take(const PendingUpload& upload) {
    counts_.uploads++;
    TRY(tell_progress());
    if (upload.age_s < wish_.uploads_older_than.count()) return {};
    if (TRY(is_being_made(upload.key))) return {};
    if (upload.age_s < kYoungUpload) std::this_thread::sleep_for(patience_);
    bool there = false;
    TRY(context_.store.list_uploads(upload.key, [&](const PendingUpload& other) {
      there = there || other.id == upload.id;
      return !there;
    }));
    if (!there || TRY(is_being_made(upload.key))) return {};
    Finding finding{
        .kind = FindingKind::kStaleUpload, .key = upload.key, .upload_begun_at = upload.begun_at};
    if (const auto parts = backup_key_from(upload.key)) {
      finding.backup_id = parts->backup_id;
      finding.sgc_id = parts->sgc_id;
    }
    finding.advice = advice_for(finding);
    return tell(finding);
  }

  Result<bool> is_being_made(const std::string& key) {
    const auto rows = TRY(rows_at(context_, key));
    return std::ranges::any_of(rows, [](const Placed& row) { return is_active(row.status); });
  }

  Result<void> tell(Finding& finding) {
    (finding.kind == FindingKind::kUnknownObject ? counts_.unknown_objects : counts_.problems)++;
    return wish_.found(finding);
  }

  Result<void> tell_progress() {
    const auto now = Clock::now();
    if (now - told_ < kProgressInterval) return {};
    told_ = now;
    return wish_.progress(counts_);
  }

  struct Suspect {
    std::string key;
    Clock::time_point since;
  };

  const Context& context_;
  const AuditWish& wish_;
  Rows rows_;
  const std::chrono::milliseconds patience_;  // for what others change by themselves
  AuditCounts counts_;
  std::vector<Suspect> suspects_;
  std::string last_key_;
  Clock::time_point told_ = Clock::now();
};

}  // namespace

std::string_view to_text(FindingKind kind) {
  switch (kind) {
    case FindingKind::kObjectWithoutRow:
      return "object-without-row";
    case FindingKind::kRowWithoutObject:
      return "row-without-object";
    case FindingKind::kWrongSize:
      return "wrong-size";
    case FindingKind::kLeftover:
      return "leftover";
    case FindingKind::kStaleUpload:
      return "stale-upload";
    case FindingKind::kUnknownObject:
      return "unknown-object";
  }
  return "";
}

Result<AuditCounts> audit(const Context& context, const AuditWish& wish) {
  return Audit(context, wish).run();
}

Result<bool> still_so(const Context& context, Finding& finding) {
  const auto now = TRY(look_at(context, finding.key));
  if (!now || now->kind != finding.kind) return false;
  finding.row = now->row;
  finding.object = now->object;
  return true;
}

}  // namespace manman::api
