#include "bus/rabbitmq/event.h"

#include <gtest/gtest.h>

namespace manman::rabbitmq {
namespace {

amqp_frame_t method_frame(amqp_method_number_t id, void* decoded) {
  amqp_frame_t frame{};
  frame.frame_type = AMQP_FRAME_METHOD;
  frame.payload.method = {.id = id, .decoded = decoded};
  return frame;
}

amqp_frame_t deliver_frame() {
  static amqp_basic_deliver_t deliver{};
  deliver.delivery_tag = 7;
  deliver.redelivered = 1;
  deliver.routing_key = to_amqp("a.b");
  return method_frame(AMQP_BASIC_DELIVER_METHOD, &deliver);
}

amqp_frame_t header_frame(uint64_t body_bytes, amqp_basic_properties_t& properties) {
  amqp_frame_t frame{};
  frame.frame_type = AMQP_FRAME_HEADER;
  frame.payload.properties.body_size = body_bytes;
  frame.payload.properties.decoded = &properties;
  return frame;
}

amqp_frame_t body_frame(std::string_view text) {
  amqp_frame_t frame{};
  frame.frame_type = AMQP_FRAME_BODY;
  frame.payload.body_fragment = to_amqp(text);
  return frame;
}

class EventReaderTest : public testing::Test {
 protected:
  // Nothing, as the event is not complete.
  void part(const amqp_frame_t& frame) {
    const auto event = reader_.read(frame);
    ASSERT_TRUE(event) << event.error().message;
    EXPECT_FALSE(*event);
  }
  Event whole(const amqp_frame_t& frame) { return reader_.read(frame).value().value(); }

  amqp_basic_properties_t properties_{};
  EventReader reader_{10};
};

TEST_F(EventReaderTest, PutsADeliveryTogether) {
  part(deliver_frame());
  part(header_frame(5, properties_));
  part(body_frame("ab"));
  const auto delivered = std::get<Delivered>(whole(body_frame("cde")));
  EXPECT_EQ(delivered.tag, 7U);
  EXPECT_EQ(delivered.message.routing_key, "a.b");
  EXPECT_EQ(delivered.message.body, "abcde");
  EXPECT_TRUE(delivered.message.redelivered);
  EXPECT_EQ(delivered.body_bytes, 5U);
}

TEST_F(EventReaderTest, AnEmptyBodyHasNoFrame) {
  part(deliver_frame());
  EXPECT_EQ(std::get<Delivered>(whole(header_frame(0, properties_))).message.body, "");
}

TEST_F(EventReaderTest, KeepsNoMoreThanTheLimitOfABody) {
  part(deliver_frame());
  part(header_frame(25, properties_));
  part(body_frame("0123456"));
  part(body_frame("7890123456"));
  const auto delivered = std::get<Delivered>(whole(body_frame("78901234")));
  EXPECT_EQ(delivered.message.body, "0123456789");
  EXPECT_EQ(delivered.body_bytes, 25U);
}

TEST_F(EventReaderTest, AReturnedMessageIsKnownByItsId) {
  amqp_basic_return_t returned{};
  part(method_frame(AMQP_BASIC_RETURN_METHOD, &returned));
  properties_._flags = AMQP_BASIC_MESSAGE_ID_FLAG;
  properties_.message_id = to_amqp("42");
  part(header_frame(2, properties_));
  EXPECT_EQ(std::get<Returned>(whole(body_frame("ab"))).tag, 42U);
}

TEST_F(EventReaderTest, FramesOutOfOrderAreAnError) {
  EXPECT_FALSE(reader_.read(body_frame("a")));
  EXPECT_FALSE(reader_.read(header_frame(1, properties_)));
  part(deliver_frame());
  EXPECT_FALSE(reader_.read(deliver_frame()));
  part(header_frame(1, properties_));
  EXPECT_FALSE(reader_.read(header_frame(1, properties_)));
  EXPECT_FALSE(reader_.read(body_frame("more than one")));
}

TEST_F(EventReaderTest, AConsumerThatTheBrokerEndsIsAnError) {
  amqp_basic_cancel_t cancel{};
  const auto event = reader_.read(method_frame(AMQP_BASIC_CANCEL_METHOD, &cancel));
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().code, Code::kUnavailable);
}

}  // namespace
}  // namespace manman::rabbitmq
