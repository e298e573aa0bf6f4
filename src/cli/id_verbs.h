#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/message_format.h"

// The verbs `get ID` and `delete ID`, which are the same for all that has an id.
namespace manman::cli {

struct Noun {
  std::string name;      // "game"
  std::string id_field;  // "game_id", in its message and in the requests
};

using CallById = std::function<Result<std::unique_ptr<Message>>(Client&, int64_t id)>;

void add_get_verb(Command& group, Context& context, const Noun& noun, const CallById& call);
void add_delete_verb(Command& group, Context& context, const Noun& noun,
                     const std::string& description, const CallById& call);

void set_id(Message& request, const std::string& field, int64_t id);

template <typename Request>
CallById call_by_id(const std::string& field) {
  return [field](Client& client, int64_t id) -> Result<std::unique_ptr<Message>> {
    Request request;
    set_id(request, field, id);
    auto response = TRY(client.call(request));
    return std::make_unique<decltype(response)>(std::move(response));
  };
}

template <typename Request>
void add_get(Command& group, Context& context, const Noun& noun) {
  add_get_verb(group, context, noun, call_by_id<Request>(noun.id_field));
}

template <typename Request>
void add_delete(Command& group, Context& context, const Noun& noun,
                const std::string& description) {
  add_delete_verb(group, context, noun, description, call_by_id<Request>(noun.id_field));
}

}  // namespace manman::cli
