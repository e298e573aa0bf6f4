#pragma once

#include <string>

#include "archive/archive.h"
#include "base/error.h"
#include "cli/context.h"
#include "cli/json_text.h"

// What an archive holds, on standard output.
namespace manman::cli {

// As `ls -l` has it: "-rw-r--r--         1234 2027-01-15T08:00:00Z game/level.dat".
std::string entry_line(const archive::Entry& entry);
JsonObject entry_json(const archive::Entry& entry);

// Prints items as they come, so that a long list needs no more memory than a short one: lines of
// text, or the items of one JSON list. With JSON, finish() closes the list.
class ItemPrinter {
 public:
  explicit ItemPrinter(const Globals& globals) : globals_(globals) {}

  // Text is made only where it is printed.
  template <typename Json, typename Line>
  Result<void> add(Json&& json, Line&& line) {
    return globals_.json() ? take((first_ ? "{\"items\":[\n" : ",\n") + json().text())
                           : take(line() + "\n");
  }
  Result<void> add(const archive::Entry& entry);
  Result<void> finish();
  // What was given so far, where the list can't be finished.
  Result<void> flush();

 private:
  Result<void> take(const std::string& text);

  const Globals& globals_;
  std::string pending_;
  bool first_ = true;
};

}  // namespace manman::cli
