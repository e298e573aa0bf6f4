#pragma once

#include <utility>

#include "examine/examine.h"

namespace manman::examine {

// What is found about one file, into the report of all.
class Findings {
 public:
  static constexpr size_t kMaxListed = 100;

  Findings(Report& report, std::string path) : report_(report), path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  Report& report() { return report_; }

  void problem(std::string place, std::string what) {
    if (report_.problem_count++ < kMaxListed)
      report_.problems.push_back({path_, std::move(place), std::move(what)});
  }
  void unexamined(std::string place, std::string what) {
    if (report_.unexamined_count++ < kMaxListed)
      report_.unexamined.push_back({path_, std::move(place), std::move(what)});
  }
  // The outcome of a check: kDataLoss is a problem, kOutOfRange could not be examined; any other
  // error is the caller's.
  Result<void> take(std::string place, Result<void> checked) {
    if (checked) return {};
    if (checked.error().code == Code::kDataLoss) {
      problem(std::move(place), std::move(checked).error().message);
    } else if (checked.error().code == Code::kOutOfRange) {
      unexamined(std::move(place), std::move(checked).error().message);
    } else {
      return checked;
    }
    return {};
  }

 private:
  Report& report_;
  std::string path_;
};

}  // namespace manman::examine
