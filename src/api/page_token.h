#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "db/repositories.h"

namespace manman::api {

// Where the next page of a list starts, opaque to clients: base64url of a version, the list's name
// and the last id of the page before.
std::string page_token(std::string_view list, int64_t last_id);

// The page that a request asks for. size 0 is 50, more than 100 is 100. A negative size, or a
// token that page_token() has not made for this list, is kInvalidArgument.
Result<db::Page> page_from(std::string_view list, int32_t size, std::string_view token);

// The same page with one row more, whose presence shows that another page follows.
inline db::Page with_lookahead(db::Page page) {
  page.size++;
  return page;
}

// Drops the row that was only looked at; the token of the next page, or "" for the last one.
template <typename Rows, typename Id>
std::string next_page_token(std::string_view list, const db::Page& page, Rows& rows, Id id_of) {
  if (rows.size() <= static_cast<size_t>(page.size)) return "";
  rows.resize(static_cast<size_t>(page.size));
  return page_token(list, id_of(rows.back()));
}

}  // namespace manman::api
