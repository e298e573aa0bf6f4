#include "db/postgresql/sql_state.h"

namespace manman::db {
namespace {

Failure because(Code code, const std::string& why) {
  return {.error = {code, why, code == Code::kUnavailable}};
}

Failure conflict(Code code, const std::string& why) {
  return {.error = {code, why, true}, .conflict = true};
}

Failure because_of_class(const std::string& state, const std::string& said) {
  const std::string kind = state.substr(0, 2);
  if (kind == "22") return because(Code::kInvalidArgument, said);  // a value that can't be stored
  if (kind == "23") return because(Code::kFailedPrecondition, said);  // a constraint
  if (kind == "53") return because(Code::kUnavailable, said);         // too few resources
  if (kind == "57") return because(Code::kUnavailable, said);         // an operator's doing
  return because(Code::kInternal, said + (state.empty() ? "" : " (SQLSTATE " + state + ")"));
}

}  // namespace

Failure explain_state(const std::string& state, const std::string& said) {
  if (state == "40001" || state == "40P01") {  // serialization failure, deadlock
    return conflict(Code::kUnavailable, "too many others change the same rows: " + said);
  }
  // The repositories look for a name that is taken before they write; if one comes up all the
  // same, another transaction was quicker.
  if (state == "23505") return conflict(Code::kAborted, said);
  if (state == "55P03") return because(Code::kUnavailable, "others keep it locked: " + said);
  if (state == "57014") return because(Code::kUnavailable, "it takes too long: " + said);
  if (state == "53100") return because(Code::kResourceExhausted, "its disk is full: " + said);
  if (state == "53200") return because(Code::kResourceExhausted, said);  // out of memory
  if (state == "42501") return because(Code::kPermissionDenied, said);
  if (state == "25006") {
    Failure failure = because(Code::kFailedPrecondition, "it can't be written: " + said);
    failure.error.hint =
        "PG_DATABASE_URL must name the primary server; with several hosts, "
        "target_session_attrs=read-write finds it";
    return failure;
  }
  if (state.starts_with("XX00") && state != "XX000") return because(Code::kDataLoss, said);
  return because_of_class(state, said);
}

}  // namespace manman::db
