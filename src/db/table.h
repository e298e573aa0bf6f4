#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "db/columns.h"
#include "db/repositories.h"
#include "db/soci.h"
#include "db/soci_transaction.h"

// Rows to and from SQL. A table is described by a struct that looks like this:
//   struct GameRow {
//     static constexpr std::string_view kTable = "games";
//     static constexpr std::string_view kId = "game_id";
//     static constexpr std::string_view kThing = "game";  // in messages: "no game 5"
//     int64_t id = 0;
//     std::string name;
//     void visit(auto&& column) { column("name", name); }  // all columns but the id
//   };
// Its members are int64_t, int, std::string and OptionalId. Values travel as parameters, never
// within the SQL.
namespace manman::db {

// The conditions of a SELECT, with their parameters, and what follows them.
class Where {
 public:
  using Value = std::variant<int64_t, std::string>;

  Where& when(std::string_view condition) {
    text_ += (text_.empty() ? "WHERE " : " AND ") + std::string(condition);
    return *this;
  }
  // condition names the parameter: when("sgc_id = :sgc", "sgc", 5).
  Where& when(std::string_view condition, std::string name, Value value) {
    values_.emplace_back(std::move(name), std::move(value));
    return when(condition);
  }
  Where& page(std::string_view id, const Page& page) {
    const int64_t before =
        page.before_id > 0 ? page.before_id : std::numeric_limits<int64_t>::max();
    when(std::string(id) + " < :before_id", "before_id", before);
    return order(std::string(id) + " DESC", page.size);
  }
  // Nobody else changes the rows until the transaction ends.
  Where& held(const Transaction& tx) {
    end_ = engine_of(tx).hold_rows();
    return *this;
  }
  Where& order(std::string_view columns, int limit) {
    text_ += " ORDER BY " + std::string(columns) + " LIMIT :row_limit";
    values_.emplace_back("row_limit", int64_t{limit < 0 ? 0 : limit});
    return *this;
  }

  std::string text() const { return text_ + end_; }
  // The statement refers to the values from here on.
  void bind(soci::statement& statement) {
    for (auto& [name, value] : values_) {
      std::visit([&](auto& held) { statement.exchange(soci::use(held, name)); }, value);
    }
  }

 private:
  std::string text_;
  std::string end_;
  std::vector<std::pair<std::string, Value>> values_;
};

namespace detail {

template <typename T>
void bind_into(soci::statement& statement, T& slot) {
  if constexpr (std::is_same_v<T, OptionalId>) {
    statement.exchange(soci::into(slot.value, slot.indicator));
  } else {
    statement.exchange(soci::into(slot));
  }
}

template <typename T>
void bind_use(soci::statement& statement, T& slot, const std::string& name) {
  if constexpr (std::is_same_v<T, OptionalId>) {
    statement.exchange(soci::use(slot.value, slot.indicator, name));
  } else {
    statement.exchange(soci::use(slot, name));
  }
}

// "a, b", ":a, :b" or "a = :a, b = :b".
enum class Shape { kNames, kParameters, kAssignments };

template <typename Row>
std::string column_list(Row& row, Shape shape) {
  std::string text;
  row.visit([&](std::string_view name, auto&) {
    if (!text.empty()) text += ", ";
    if (shape != Shape::kParameters) text += name;
    if (shape == Shape::kAssignments) text += " = ";
    if (shape != Shape::kNames) text += ":" + std::string(name);
  });
  return text;
}

template <typename Row>
Result<void> check_texts(Row& row) {
  Result<void> checked;
  row.visit([&](std::string_view name, auto& slot) {
    if constexpr (std::is_same_v<std::decay_t<decltype(slot)>, std::string>) {
      const std::string column = std::string(Row::kTable) + "." + std::string(name);
      if (checked) checked = check_text(column, slot);
    }
  });
  return checked;
}

inline void run(soci::statement& statement, const std::string& sql, bool with_data) {
  statement.alloc();
  // One message to the server and one back; a repeatable one is prepared and removed apart.
  statement.prepare(sql, soci::details::st_one_time_query);
  statement.define_and_bind();
  statement.execute(with_data);
}

}  // namespace detail

template <typename Row>
Result<std::vector<Row>> select(Transaction& tx, Where where) {
  return query(tx, [&](soci::session& sql) -> Result<std::vector<Row>> {
    Row row;
    std::vector<Row> rows;
    soci::statement statement(sql);
    statement.exchange(soci::into(row.id));
    row.visit([&](std::string_view, auto& slot) { detail::bind_into(statement, slot); });
    where.bind(statement);
    detail::run(statement,
                "SELECT " + std::string(Row::kId) + ", " +
                    detail::column_list(row, detail::Shape::kNames) + " FROM " +
                    std::string(Row::kTable) + " " + where.text(),
                false);
    while (statement.fetch()) rows.push_back(row);
    return rows;
  });
}

// Their ids alone.
template <typename Row>
Result<std::vector<int64_t>> select_ids(Transaction& tx, Where where) {
  return query(tx, [&](soci::session& sql) -> Result<std::vector<int64_t>> {
    int64_t id = 0;
    std::vector<int64_t> ids;
    soci::statement statement(sql);
    statement.exchange(soci::into(id));
    where.bind(statement);
    detail::run(statement,
                "SELECT " + std::string(Row::kId) + " FROM " + std::string(Row::kTable) + " " +
                    where.text(),
                false);
    while (statement.fetch()) ids.push_back(id);
    return ids;
  });
}

// "1, 2, 3"; numbers need no parameters.
inline std::string id_list(const std::vector<int64_t>& ids) {
  std::string text;
  for (const int64_t id : ids) text += (text.empty() ? "" : ", ") + std::to_string(id);
  return text;
}

template <typename Row>
Error not_found(int64_t id) {
  return Error{Code::kNotFound, "no " + std::string(Row::kThing) + " " + std::to_string(id)};
}

template <typename Row>
Where by_id(int64_t id) {
  return Where().when(std::string(Row::kId) + " = :id", "id", id);
}

template <typename Row>
Result<Row> select_one(Transaction& tx, int64_t id, Where where) {
  auto rows = TRY(select<Row>(tx, std::move(where)));
  if (rows.empty()) return std::unexpected(not_found<Row>(id));
  return std::move(rows.front());
}

template <typename Row>
Result<Row> select_one(Transaction& tx, int64_t id) {
  return select_one<Row>(tx, id, by_id<Row>(id));
}

// The id of any row of this table that the conditions name.
template <typename Row>
Result<std::optional<int64_t>> find_id(Transaction& tx, Where where) {
  return query(tx, [&](soci::session& sql) -> Result<std::optional<int64_t>> {
    int64_t id = 0;
    soci::statement statement(sql);
    statement.exchange(soci::into(id));
    where.bind(statement);
    detail::run(statement,
                "SELECT " + std::string(Row::kId) + " FROM " + std::string(Row::kTable) + " " +
                    where.text() + " LIMIT 1",
                true);
    return statement.got_data() ? std::optional(id) : std::nullopt;
  });
}

template <typename Row>
Result<void> require(Transaction& tx, int64_t id) {
  const auto found =
      TRY(find_id<Row>(tx, Where().when(std::string(Row::kId) + " = :id", "id", id)));
  if (!found) return std::unexpected(not_found<Row>(id));
  return {};
}

// Stores a new row and says which id the database gave it.
template <typename Row>
Result<int64_t> insert(Transaction& tx, Row row) {
  TRY(detail::check_texts(row));
  return query(tx, [&](soci::session& sql) -> Result<int64_t> {
    int64_t id = 0;
    soci::statement statement(sql);
    row.visit([&](std::string_view name, auto& slot) {
      detail::bind_use(statement, slot, std::string(name));
    });
    statement.exchange(soci::into(id));
    detail::run(statement,
                "INSERT INTO " + std::string(Row::kTable) + " (" +
                    detail::column_list(row, detail::Shape::kNames) + ") VALUES (" +
                    detail::column_list(row, detail::Shape::kParameters) + ") RETURNING " +
                    std::string(Row::kId),
                true);
    return id;
  });
}

// An id for a row that is yet to be stored.
template <typename Row>
Result<int64_t> next_id(Transaction& tx) {
  return query(tx, [&](soci::session& sql) -> Result<int64_t> {
    return engine_of(tx).next_id(sql, std::string(Row::kTable), std::string(Row::kId));
  });
}

// Stores a new row by its own id; false when there is one already of which the unique index over
// `target` allows no second. Looks at nothing else, so that it is in conflict with nobody else.
template <typename Row>
Result<bool> insert_unless(Transaction& tx, Row row, const std::string& target) {
  TRY(detail::check_texts(row));
  return query(tx, [&](soci::session& sql) -> Result<bool> {
    soci::statement statement(sql);
    statement.exchange(soci::use(row.id, "row_id"));
    row.visit([&](std::string_view name, auto& slot) {
      detail::bind_use(statement, slot, std::string(name));
    });
    detail::run(statement,
                "INSERT INTO " + std::string(Row::kTable) + " (" + std::string(Row::kId) + ", " +
                    detail::column_list(row, detail::Shape::kNames) + ") VALUES (:row_id, " +
                    detail::column_list(row, detail::Shape::kParameters) + ") ON CONFLICT " +
                    target + " DO NOTHING",
                true);
    return statement.get_affected_rows() > 0;
  });
}

// No new row gets an id up to this one from now on.
template <typename Row>
Result<void> pass_ids(Transaction& tx, int64_t last) {
  return query(tx, [&](soci::session& sql) -> Result<void> {
    engine_of(tx).pass_ids(sql, std::string(Row::kTable), std::string(Row::kId), last);
    return {};
  });
}

// Stores a row by its own id where that is free, else, or when it is 0, by a new one; says which.
template <typename Row>
Result<int64_t> adopt_row(Transaction& tx, Row row) {
  const bool free = row.id > 0 && TRY(insert_unless(tx, row, "(" + std::string(Row::kId) + ")"));
  if (!free) return insert(tx, std::move(row));
  TRY(pass_ids<Row>(tx, row.id));
  return row.id;
}

// Writes all columns of the row with this id.
template <typename Row>
Result<void> update(Transaction& tx, Row row) {
  TRY(detail::check_texts(row));
  return query(tx, [&](soci::session& sql) -> Result<void> {
    soci::statement statement(sql);
    row.visit([&](std::string_view name, auto& slot) {
      detail::bind_use(statement, slot, std::string(name));
    });
    statement.exchange(soci::use(row.id, "row_id"));
    detail::run(statement,
                "UPDATE " + std::string(Row::kTable) + " SET " +
                    detail::column_list(row, detail::Shape::kAssignments) + " WHERE " +
                    std::string(Row::kId) + " = :row_id",
                true);
    if (statement.get_affected_rows() == 0) return std::unexpected(not_found<Row>(row.id));
    return {};
  });
}

// Those that there are.
template <typename Row>
Result<void> erase_all(Transaction& tx, const std::vector<int64_t>& ids) {
  if (ids.empty()) return {};
  return query(tx, [&](soci::session& sql) -> Result<void> {
    sql << "DELETE FROM " + std::string(Row::kTable) + " WHERE " + std::string(Row::kId) + " IN (" +
               id_list(ids) + ")";
    return {};
  });
}

template <typename Row>
Result<void> erase_one(Transaction& tx, int64_t id) {
  return query(tx, [&](soci::session& sql) -> Result<void> {
    soci::statement statement(sql);
    statement.exchange(soci::use(id, "row_id"));
    detail::run(statement,
                "DELETE FROM " + std::string(Row::kTable) + " WHERE " + std::string(Row::kId) +
                    " = :row_id",
                true);
    if (statement.get_affected_rows() == 0) return std::unexpected(not_found<Row>(id));
    return {};
  });
}

// Refuses, with kFailedPrecondition, to remove a row that a Referrer's `column` refers to.
template <typename Row, typename Referrer>
Result<void> forbid_reference(Transaction& tx, int64_t id, std::string_view column) {
  const auto found =
      TRY(find_id<Referrer>(tx, Where().when(std::string(column) + " = :id", "id", id)));
  if (!found) return {};
  return fail(Code::kFailedPrecondition, std::string(Row::kThing) + " " + std::to_string(id) +
                                             " can't be removed: " + std::string(Referrer::kThing) +
                                             " " + std::to_string(*found) + " refers to it");
}

// Rows as the domain's values, made by to_domain(const Row&); one that can't be read names itself.
template <typename Row, typename F>
auto read_one(Transaction& tx, int64_t id, F&& to_domain) -> std::invoke_result_t<F, const Row&> {
  const Row row = TRY(select_one<Row>(tx, id));
  return in(std::string(Row::kThing) + " " + std::to_string(id), to_domain(row));
}

// The same of a row that nobody else changes until the transaction ends.
template <typename Row, typename F>
auto hold_one(Transaction& tx, int64_t id, F&& to_domain) -> std::invoke_result_t<F, const Row&> {
  const Row row = TRY(select_one<Row>(tx, id, by_id<Row>(id).held(tx)));
  return in(std::string(Row::kThing) + " " + std::to_string(id), to_domain(row));
}

template <typename Row, typename F>
auto read_all(Transaction& tx, Where where, F&& to_domain)
    -> Result<std::vector<typename std::invoke_result_t<F, const Row&>::value_type>> {
  std::vector<typename std::invoke_result_t<F, const Row&>::value_type> values;
  for (const Row& row : TRY(select<Row>(tx, std::move(where)))) {
    values.push_back(
        TRY(in(std::string(Row::kThing) + " " + std::to_string(row.id), to_domain(row))));
  }
  return values;
}

}  // namespace manman::db
