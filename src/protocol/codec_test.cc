#include "protocol/codec.h"

#include <gtest/gtest.h>

#include "protocol/errors_in.h"
#include "protocol/k00_produce.h"
#include "protocol/k01_fetch.h"
#include "protocol/k03_metadata.h"
#include "protocol/k09_offset_fetch.h"
#include "protocol/k10_find_coordinator.h"
#include "protocol/k18_api_versions.h"
#include "protocol/k19_create_topics.h"
#include "protocol/wire_reader.h"

namespace adbrook::protocol {
namespace {

Buffer bytes_of(std::initializer_list<int> values) {
  Buffer bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

template <Message M>
Buffer encoded(const M& message, std::int16_t version) {
  Frame frame;
  encode(frame, message, version);
  return frame.joined();
}

template <Message M>
std::string refusal(ByteView body, std::int16_t version) {
  const auto message = decode<M>(body, version);
  EXPECT_FALSE(message);
  return message ? "" : message.error().message;
}

TEST(WireReader, a_mistake_sticks_and_everything_behind_it_is_zero) {
  const Buffer bytes = bytes_of({0, 1, 2, 3, 4, 5});
  WireReader in(bytes);
  EXPECT_EQ(in.integer<std::int16_t>(), 1);
  EXPECT_EQ(in.integer<std::int64_t>(), 0);
  EXPECT_TRUE(in.failed());
  EXPECT_EQ(in.failed_at(), 2u);
  EXPECT_EQ(in.integer<std::int8_t>(), 0);
  EXPECT_TRUE(in.take(1).empty());
  in.fail("something else");
  EXPECT_STREQ(in.why(), "the message ends early");
}

TEST(WireReader, a_varint_has_32_bits_at_most) {
  const auto read = [](std::initializer_list<int> values) -> std::optional<std::uint32_t> {
    const Buffer bytes = bytes_of(values);
    WireReader in(bytes);
    const std::uint32_t value = in.uvarint();
    if (in.failed()) return std::nullopt;
    return value;
  };
  EXPECT_EQ(read({0}), 0u);
  EXPECT_EQ(read({0x7F}), 127u);
  EXPECT_EQ(read({0x80, 0x01}), 128u);
  EXPECT_EQ(read({0xFF, 0xFF, 0xFF, 0xFF, 0x0F}), 0xFFFFFFFFu);
  EXPECT_EQ(read({0xFF, 0xFF, 0xFF, 0xFF, 0x1F}), std::nullopt);
  EXPECT_EQ(read({0x80, 0x80, 0x80, 0x80, 0x80, 0x01}), std::nullopt);
  EXPECT_EQ(read({0x80}), std::nullopt);
}

TEST(Codec, the_errors_in_an_answer_are_found_wherever_they_stand) {
  ProduceResponse answer;
  answer.responses.resize(2);
  answer.responses[1].partition_responses.resize(3);
  EXPECT_TRUE(errors_in(answer).empty());
  answer.responses[1].partition_responses[0].error_code = ErrorCode::corrupt_message;
  answer.responses[1].partition_responses[2].error_code = ErrorCode::invalid_record;
  EXPECT_EQ(errors_in(answer),
            (std::vector{ErrorCode::corrupt_message, ErrorCode::invalid_record}));
  ApiVersionsResponse versions{.error_code = ErrorCode::unsupported_version};
  EXPECT_EQ(errors_in(versions), std::vector{ErrorCode::unsupported_version});
}

TEST(Codec, a_refusal_names_the_version_the_field_and_the_byte) {
  // Metadata 4: one topic whose name says it has five bytes.
  EXPECT_EQ(
      refusal<MetadataRequest>(bytes_of({0, 0, 0, 1, 0, 5, 'a'}), 4),
      "Metadata: version 4, field name, byte 6: the message ends early; the sender is broken or "
      "does not speak this version");
}

TEST(Codec, a_version_that_is_not_spoken_is_refused) {
  EXPECT_EQ(decode<ProduceRequest>({}, 2).error().kind, ErrorKind::unsupported);
  EXPECT_EQ(decode<ProduceRequest>({}, 14).error().kind, ErrorKind::unsupported);
}

TEST(Codec, an_array_cannot_count_more_elements_than_bytes_are_left) {
  EXPECT_NE(refusal<MetadataRequest>(bytes_of({0x7F, 0xFF, 0xFF, 0xFF, 0, 1, 'a'}), 4)
                .find("more elements than bytes"),
            std::string::npos);
  EXPECT_FALSE(decode<MetadataRequest>(bytes_of({0xFF, 0xFF, 0xFF, 0xFF, 0x0F}), 9));
}

TEST(Codec, a_negative_length_other_than_null_is_refused) {
  EXPECT_NE(refusal<MetadataRequest>(bytes_of({0xFF, 0xFF, 0xFF, 0xFE, 1}), 4).find("negative"),
            std::string::npos);
  EXPECT_NE(refusal<MetadataRequest>(bytes_of({0, 0, 0, 1, 0x80, 0, 1}), 4).find("negative"),
            std::string::npos);
}

TEST(Codec, many_tiny_elements_cannot_take_much_more_memory_than_their_frame) {
  // Two bytes a topic on the wire, 40 in memory.
  constexpr std::uint32_t kTopics = 2'000'000;
  static_assert(kTopics * sizeof(MetadataRequest::Topic) > kDecodedArraysMax);
  Frame frame;
  frame.own() = bytes_of({0x81, 0x89, 0x7A});  // 2,000,000 + 1 as a varint
  frame.own().resize(3 + 2 * kTopics, std::byte{0});
  for (std::size_t i = 3; i < frame.own().size(); i += 2) frame.own()[i] = std::byte{1};
  EXPECT_NE(refusal<MetadataRequest>(frame.joined(), 9).find("more elements than are accepted"),
            std::string::npos);
}

TEST(Codec, unknown_tags_are_skipped) {
  // ApiVersions 3: "a", "b", then tag 0 with one byte and tag 200 with two.
  const Buffer body = bytes_of({2, 'a', 2, 'b', 2, 0, 1, 'x', 0xC8, 0x01, 2, 'y', 'z'});
  const auto request = decode<ApiVersionsRequest>(body, 3);
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->client_software_name, "a");
  EXPECT_EQ(request->client_software_version, "b");
}

TEST(Codec, tags_ascend_and_have_the_size_they_say) {
  EXPECT_NE(refusal<ApiVersionsRequest>(bytes_of({1, 1, 2, 5, 0, 5, 0}), 3).find("ascend"),
            std::string::npos);
  EXPECT_NE(refusal<ApiVersionsRequest>(bytes_of({1, 1, 1, 5, 9, 0}), 3).find("longer"),
            std::string::npos);
  // Tag 1 of the response is an int64 and says nine bytes.
  EXPECT_NE(refusal<ApiVersionsResponse>(
                bytes_of({0, 0, 1, 0, 0, 0, 0, 1, 1, 9, 0, 0, 0, 0, 0, 0, 0, 5, 0}), 3)
                .find("size it says"),
            std::string::npos);
  EXPECT_FALSE(decode<ApiVersionsRequest>(bytes_of({1, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F}), 3));
}

TEST(Codec, a_tagged_default_is_not_sent) {
  ApiVersionsResponse response;
  const std::size_t without = encoded(response, 3).size();
  response.finalized_features_epoch = 0;
  EXPECT_EQ(encoded(response, 3).size(), without + 1 + 1 + 8);
  EXPECT_EQ(encoded(response, 2).size(), without - 2 + 4);  // no tags, an array count of four bytes
}

TEST(Codec, a_null_that_a_version_does_not_know_is_written_as_empty) {
  MetadataResponse response;
  response.topics.push_back({.error_code = ErrorCode::unknown_topic_id});
  for (const std::int16_t version : {0, 8, 11}) {
    const Buffer body = encoded(response, version);
    const auto read = decode<MetadataResponse>(body, version);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->topics.at(0).name, "");
  }
  const Buffer body = encoded(response, 12);
  EXPECT_EQ(decode<MetadataResponse>(body, 12)->topics.at(0).name, std::nullopt);

  OffsetFetchRequest request{.group_id = "g", .topics = std::nullopt};
  const Buffer oldest = encoded(request, 1);
  const auto read = decode<OffsetFetchRequest>(oldest, 1);
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->topics.has_value());
}

TEST(Codec, a_string_is_cut_to_what_the_protocol_carries) {
  const std::string long_text(40'000, 'x');
  FindCoordinatorResponse response{.error_message = long_text};
  for (const std::int16_t version : {2, 3}) {
    const Buffer body = encoded(response, version);
    EXPECT_EQ(body.size(), encoded_size(response, version));
    EXPECT_EQ(decode<FindCoordinatorResponse>(body, version)->error_message->size(), 32'767u);
  }
  const Buffer too_long = [] {
    Buffer body = bytes_of({0x81, 0x80, 0x02});  // a compact string of 32,768 bytes
    body.resize(body.size() + 32'768 + 20);
    return body;
  }();
  EXPECT_NE(refusal<FindCoordinatorRequest>(too_long, 3).find("longer than 32767"),
            std::string::npos);
}

FetchResponse fetch_response(std::vector<ByteView> pieces) {
  FetchResponse response;
  auto& topic = response.responses.emplace_back();
  topic.topic = "t";
  topic.partitions.emplace_back().records.pieces = std::move(pieces);
  topic.partitions.emplace_back().partition_index = 1;
  return response;
}

TEST(Codec, records_go_out_from_where_they_lie) {
  const Buffer large(5'000, std::byte{7});
  const Buffer larger(9'000, std::byte{8});
  Frame frame;
  encode(frame, fetch_response({large, larger}), 12);
  const auto pieces = frame.pieces();
  ASSERT_EQ(pieces.size(), 4u);
  EXPECT_EQ(pieces[1].data(), large.data());
  EXPECT_EQ(pieces[2].data(), larger.data());
  EXPECT_EQ(frame.size(), encoded_size(fetch_response({large, larger}), 12));

  const Buffer joined = frame.joined();
  const auto read = decode<FetchResponse>(joined, 12);
  ASSERT_TRUE(read) << read.error().message;
  const ByteView records = read->responses.at(0).partitions.at(0).records.bytes();
  EXPECT_EQ(records.size(), 14'000u);
  EXPECT_GE(records.data(), joined.data());
  EXPECT_LE(records.data() + records.size(), joined.data() + joined.size());
  EXPECT_EQ(read->responses[0].partitions.at(1).partition_index, 1);
}

TEST(Codec, small_records_are_copied_into_the_frame) {
  const Buffer small(100, std::byte{7});
  Frame frame;
  encode(frame, fetch_response({small}), 12);
  EXPECT_EQ(frame.pieces().size(), 1u);
}

TEST(Codec, records_that_nobody_set_are_empty_and_not_null) {
  const Buffer body = encoded(fetch_response({}), 11);
  EXPECT_FALSE(decode<FetchResponse>(body, 11)->responses.at(0).partitions.at(0).records.is_null);
}

TEST(Codec, messages_are_shown_with_the_fields_of_their_version) {
  ProduceRequest request{.acks = -1, .timeout_ms = 5};
  auto& topic = request.topic_data.emplace_back();
  topic.name = "clicks\n";
  topic.partition_data.emplace_back().records.is_null = true;
  EXPECT_EQ(to_text(request, 3),
            R"({"transactional_id": null, "acks": -1, "timeout_ms": 5, "topic_data": [{"name": )"
            R"("clicks\x0a", "partition_data": [{"index": 0, "records": null}]}]})");
  CreateTopicsResponse response;
  response.topics.resize(22);
  const std::string text = to_text(response, 2);
  EXPECT_NE(text.find("\"2 more\""), std::string::npos) << text;
  EXPECT_NE(text.find("\"error_code\": \"NONE\""), std::string::npos) << text;
  EXPECT_EQ(text.find("configs"), std::string::npos) << text;
}

TEST(Codec, messages_differ_when_any_field_does) {
  const Buffer bytes(3, std::byte{1});
  const auto original = fetch_response({bytes});
  EXPECT_TRUE(equal(original, original));
  auto other = original;
  other.responses[0].partitions[0].records.is_null = true;
  EXPECT_FALSE(equal(original, other));
  other = original;
  other.responses[0].partitions[1].diverging_epoch.epoch = 4;
  EXPECT_FALSE(equal(original, other));
  other = original;
  other.responses[0].partitions.pop_back();
  EXPECT_FALSE(equal(original, other));
  other = original;
  other.responses[0].partitions[0].aborted_transactions.reset();
  EXPECT_FALSE(equal(original, other));
}

}  // namespace
}  // namespace adbrook::protocol
