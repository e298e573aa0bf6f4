#include "api/shell_words.h"

#include <optional>

namespace manman::api {
namespace {

class Splitter {
 public:
  explicit Splitter(std::string_view text) : rest_(text) {}

  Result<std::vector<std::string>> split() {
    while (!rest_.empty()) {
      const char c = take();
      if (c == ' ' || c == '\t' || c == '\n') {
        end_word();
      } else if (c == '\'') {
        TRY(single_quoted());
      } else if (c == '"') {
        TRY(double_quoted());
      } else if (c == '\\') {
        TRY(escaped());
      } else {
        word() += c;
      }
    }
    end_word();
    return std::move(words_);
  }

 private:
  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  // The word at work; quotes begin one even when there is nothing between them.
  std::string& word() {
    if (!word_) word_.emplace();
    return *word_;
  }

  void end_word() {
    if (word_) words_.push_back(std::move(*word_));
    word_.reset();
  }

  Result<void> single_quoted() {
    const size_t end = rest_.find('\'');
    if (end == std::string_view::npos) return fail(Code::kInvalidArgument, "a ' is not closed");
    word() += rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return {};
  }

  Result<void> double_quoted() {
    word();
    while (!rest_.empty()) {
      const char c = take();
      if (c == '"') return {};
      constexpr std::string_view kQuotable = "$`\"\\\n";
      if (c == '\\' && !rest_.empty() && kQuotable.find(rest_.front()) != std::string_view::npos)
        TRY(escaped());
      else
        word() += c;
    }
    return fail(Code::kInvalidArgument, "a \" is not closed");
  }

  Result<void> escaped() {
    if (rest_.empty()) return fail(Code::kInvalidArgument, "a \\ ends it");
    const char c = take();
    if (c != '\n') word() += c;  // backslash and newline continue the line
    return {};
  }

  std::string_view rest_;
  std::optional<std::string> word_;
  std::vector<std::string> words_;
};

}  // namespace

Result<std::vector<std::string>> split_shell_words(std::string_view text) {
  return Splitter(text).split();
}

}  // namespace manman::api
