#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/message_format.h"

// Every `… list`: goes through the pages of the service and writes each as it comes, so that a
// long list needs no more memory than a short one.
namespace manman::cli {

struct ListOptions {
  int limit = 50;  // 0: all
  std::string page_token;
};
void add_list_options(Command& command, ListOptions& options);

// How the items of a list look.
struct ListShape {
  std::string id_field;
  std::vector<Column> columns;
  // Only items that it wants are shown, looked for in all pages; none: every item.
  std::function<bool(const Message&)> keep = nullptr;
};

// One page: a response with one repeated field of messages and a next_page_token.
using FetchPage =
    std::function<Result<std::unique_ptr<Message>>(int page_size, const std::string& page_token)>;

Result<int> run_list(const Globals& globals, const ListOptions& options, const ListShape& shape,
                     const FetchPage& fetch);

// The list that `request` asks for, its page fields set here.
template <typename Request>
Result<int> list_items(Context& context, Request request, const ListOptions& options,
                       const ListShape& shape) {
  Client* client = TRY(context.client());
  return run_list(context.globals, options, shape,
                  [&](int size, const std::string& token) -> Result<std::unique_ptr<Message>> {
                    request.set_page_size(size);
                    request.set_page_token(token);
                    auto response = TRY(client->call(request));
                    return std::make_unique<decltype(response)>(std::move(response));
                  });
}

}  // namespace manman::cli
