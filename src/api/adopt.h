#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "api/audit.h"
#include "api/context.h"
#include "archive/archive.h"
#include "domain/object_url.h"
#include "domain/origin.h"

// Rows made again from archives that have none, so that a lost database can be rebuilt from its
// bucket: the backup, and the server, game, config and SGC that its archive names. What there is
// already by these names is used. All of one archive is one transaction, and what has its row is
// passed over; so it may be run again, killed, and run by several at once.
namespace manman::api {

struct AdoptWish {
  bool full = false;  // read all of each archive
  // Archives of what was SGC `first` belong to the SGC `second` here.
  std::map<int64_t, int64_t> sgcs;
};

class Adopter {
 public:
  // The context must outlive it.
  Adopter(const Context& context, AdoptWish wish) : context_(context), wish_(std::move(wish)) {}

  // Before the first: checks the wish, and moves what was adopted without knowing its SGC to the
  // one that is named now.
  Result<void> prepare();

  // Those with an origin go first: they tell what the SGCs of the others are.
  enum class Of { kWithOrigin, kAny };
  // Sets the finding's outcome: "adopted", or "left" with the reason; "" when it was not looked at
  // (no origin, or no finding any more). An error is the store's or database's, and ends the run.
  Result<void> adopt(Finding& finding, Of which);

 private:
  struct Content;
  Result<Content> read(const Finding& finding, bool full) const;
  Result<std::string> make_rows(db::Transaction& tx, const Finding& finding, const BackupKey& key,
                                const Content& content) const;
  Result<int64_t> sgc_for(db::Transaction& tx, const BackupKey& key, const Content& content,
                          std::string& note) const;

  const Context& context_;
  const AdoptWish wish_;
};

}  // namespace manman::api
