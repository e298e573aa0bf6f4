#include "cli/id_verbs.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "cli/output.h"

namespace manman::cli {

void set_id(Message& request, const std::string& field, int64_t id) {
  request.GetReflection()->SetInt64(&request, request.GetDescriptor()->FindFieldByName(field), id);
}

void add_get_verb(Command& group, Context& context, const Noun& noun, const CallById& call) {
  Command command = group.command("get", "Show one " + noun.name,
                                  {group.words() + " get 1", group.words() + " get 1 -o json"});
  auto id = std::make_shared<int64_t>();
  command.add_id(noun.name, *id, "Its id").required();
  command.on_run(context, [&context, id, noun, call]() -> Result<int> {
    const auto response = TRY(call(*TRY(context.client()), *id));
    // The response holds the item as its only field.
    const Message& item =
        response->GetReflection()->GetMessage(*response, response->GetDescriptor()->field(0));
    TRY(print_item(context.globals, item, noun.id_field));
    return kOk;
  });
}

void add_delete_verb(Command& group, Context& context, const Noun& noun,
                     const std::string& description, const CallById& call) {
  Command command = group.command("delete", description, {group.words() + " delete 2"});
  auto id = std::make_shared<int64_t>();
  command.add_id(noun.name, *id, "Its id").required();
  command.on_run(context, [&context, id, noun, call]() -> Result<int> {
    TRY(call(*TRY(context.client()), *id));
    TRY(print_deleted(context.globals, noun.name, noun.id_field, *id));
    return kOk;
  });
}

}  // namespace manman::cli
