#include "cli/listing.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>

#include "cli/json_text.h"
#include "cli/output.h"

namespace manman::cli {
namespace {

constexpr int kPageSize = 100;  // the service's most

std::vector<const Message*> items_of(const Message& response) {
  const auto* descriptor = response.GetDescriptor();
  std::vector<const Message*> items;
  for (int i = 0; i < descriptor->field_count(); i++) {
    const auto* field = descriptor->field(i);
    if (!field->is_repeated()) continue;
    const auto* reflection = response.GetReflection();
    for (int at = 0; at < reflection->FieldSize(response, field); at++)
      items.push_back(&reflection->GetRepeatedMessage(response, field, at));
  }
  return items;
}

std::string next_token_of(const Message& response) {
  const auto* field = response.GetDescriptor()->FindFieldByName("next_page_token");
  return response.GetReflection()->GetString(response, field);
}

// Writes the pages of one list, one after the other.
class ListWriter {
 public:
  ListWriter(const Globals& globals, const ListShape& shape) : globals_(globals), shape_(shape) {}

  Result<void> page(const std::vector<const Message*>& items) {
    const bool first = !std::exchange(begun_, true);
    if (globals_.json()) return json_page(items, first);
    if (globals_.quiet) return ids(items);
    std::vector<std::string> titles;
    for (const Column& column : shape_.columns) titles.push_back(column.title);
    std::vector<std::vector<std::string>> rows;
    for (const Message* item : items) {
      auto& row = rows.emplace_back();
      for (const Column& column : shape_.columns)
        row.push_back(column.cell ? column.cell(*item) : field_text(*item, column.field));
    }
    return print(table(titles, rows, first));
  }

  Result<void> end(const std::string& next_token) {
    if (globals_.json()) return print("],\"next_page_token\":" + json_string(next_token) + "}\n");
    if (!next_token.empty())
      print_note(globals_, "there are more: --limit 0 shows all, --page-token " + next_token +
                               " goes on from here");
    return {};
  }

 private:
  Result<void> json_page(const std::vector<const Message*>& items, bool first) {
    std::string text = first ? "{\"items\":[" : "";
    for (const Message* item : items) {
      text += std::exchange(any_, true) ? ",\n" : "\n";
      text += json_text(*item);
    }
    return print(text);
  }

  Result<void> ids(const std::vector<const Message*>& items) {
    std::string text;
    for (const Message* item : items) text += field_text(*item, shape_.id_field) + "\n";
    return print(text);
  }

  const Globals& globals_;
  const ListShape& shape_;
  bool begun_ = false;
  bool any_ = false;
};

}  // namespace

void add_list_options(Command& command, ListOptions& options) {
  command.add("--limit", options.limit, "Show at most so many, the newest; 0: all")
      .range(0, INT32_MAX)
      .value("N");
  command.add("--page-token", options.page_token, "Go on where an earlier list ended")
      .value("TOKEN");
}

Result<int> run_list(const Globals& globals, const ListOptions& options, const ListShape& shape,
                     const FetchPage& fetch) {
  ListWriter writer(globals, shape);
  std::string token = options.page_token;
  int shown = 0;
  for (;;) {
    const bool bounded = options.limit > 0 && !shape.keep;
    const int size = bounded ? std::min(kPageSize, options.limit - shown) : kPageSize;
    const std::unique_ptr<Message> response = TRY(fetch(size, token));
    auto items = items_of(*response);
    shown += static_cast<int>(items.size());
    if (shape.keep) std::erase_if(items, [&](const Message* item) { return !shape.keep(*item); });
    TRY(writer.page(items));
    const std::string next = next_token_of(*response);
    if (!next.empty() && next == token)
      return fail(Code::kInternal, "the service's list does not end: its page token repeats");
    token = next;
    if (token.empty() || (bounded && shown >= options.limit)) break;
  }
  TRY(writer.end(token));
  return kOk;
}

}  // namespace manman::cli
