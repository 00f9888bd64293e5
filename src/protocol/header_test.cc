#include "protocol/header.h"

#include <gtest/gtest.h>

#include "protocol/k12_heartbeat.h"
#include "protocol/k18_api_versions.h"
#include "protocol/k47_offset_delete.h"

namespace adbrook::protocol {
namespace {

Buffer without_size(const Frame& frame) {
  Buffer bytes = frame.joined();
  bytes.erase(bytes.begin(), bytes.begin() + kSizePrefix);
  return bytes;
}

TEST(Header, a_request_says_who_asks_what) {
  const HeartbeatRequest request{.group_id = "g", .generation_id = 3, .member_id = "m"};
  for (const std::int16_t version : {0, 3, 4}) {
    const Buffer frame = without_size(request_frame(request, version, 17, "client"));
    const auto header = read_request_header(frame);
    ASSERT_TRUE(header) << header.error().message;
    EXPECT_EQ(header->api, &kHeartbeat);
    EXPECT_EQ(header->api_version, version);
    EXPECT_EQ(header->correlation_id, 17);
    EXPECT_EQ(header->client_id, "client");
    const auto read = decode<HeartbeatRequest>(header->body, version);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->generation_id, 3);
  }
}

TEST(Header, a_client_may_have_no_name_or_an_empty_one) {
  for (const std::optional<std::string_view> name :
       {std::optional<std::string_view>{}, std::optional<std::string_view>{""}}) {
    const Buffer frame = without_size(request_frame(HeartbeatRequest{}, 4, 1, name));
    EXPECT_EQ(read_request_header(frame)->client_id, name);
  }
}

TEST(Header, an_answer_is_read_by_what_was_asked) {
  const HeartbeatResponse response{.error_code = ErrorCode::rebalance_in_progress};
  for (const std::int16_t version : {0, 3, 4}) {
    const Buffer frame = without_size(response_frame(response, version, 23));
    const auto header = read_response_header(frame, kHeartbeat, version);
    ASSERT_TRUE(header) << header.error().message;
    EXPECT_EQ(header->correlation_id, 23);
    EXPECT_EQ(decode<HeartbeatResponse>(header->body, version)->error_code,
              ErrorCode::rebalance_in_progress);
  }
}

TEST(Header, an_api_that_never_became_flexible_has_the_short_header) {
  const Buffer frame = without_size(request_frame(OffsetDeleteRequest{.group_id = "g"}, 0, 1, "c"));
  const auto header = read_request_header(frame);
  ASSERT_TRUE(header);
  EXPECT_EQ(decode<OffsetDeleteRequest>(header->body, 0)->group_id, "g");
}

TEST(Header, an_unknown_version_of_api_versions_is_still_readable) {
  Frame frame = begin_request(kApiVersions, 99, 5, "future");
  append(frame.own(), as_bytes("whatever comes in that version"));
  const Buffer bytes = without_size(frame);
  const auto header = read_request_header(bytes);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->api, &kApiVersions);
  EXPECT_EQ(header->api_version, 99);
  EXPECT_FALSE(header->api->speaks(99));
  EXPECT_EQ(header->correlation_id, 5);
}

TEST(Header, an_unknown_key_has_no_api) {
  Frame frame = begin_request(Api{.key = 1000, .name = "?"}, 0, 5, "c");
  const Buffer bytes = without_size(frame);
  const auto header = read_request_header(bytes);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->api, nullptr);
  EXPECT_EQ(header->api_key, 1000);
}

TEST(Header, what_is_not_kafka_is_refused_or_unknown) {
  // A size prefix would have been taken off these; what is left is no header.
  const auto http = read_request_header(as_bytes(" /topics HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_TRUE(!http || http->api == nullptr);
  const auto tls = read_request_header(as_bytes(std::string_view("\x01\x00\x01\xfc\x03\x03", 6)));
  EXPECT_FALSE(tls);
}

TEST(Header, a_cut_at_any_byte_is_an_error) {
  const Buffer whole = without_size(begin_request(kHeartbeat, 4, 1, "client"));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Buffer cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(read_request_header(cut)) << size;
  }
  EXPECT_TRUE(read_request_header(whole));
}

TEST(Header, tags_of_a_header_are_skipped) {
  Buffer frame = without_size(begin_request(kHeartbeat, 4, 1, "c"));
  frame.back() = std::byte{1};  // one tag: 7 with two bytes
  for (const char byte : {'\7', '\2', 'a', 'b', 'B'}) frame.push_back(static_cast<std::byte>(byte));
  const auto header = read_request_header(frame);
  ASSERT_TRUE(header);
  EXPECT_EQ(as_text(header->body), "B");
}

TEST(Header, a_frame_says_its_size_without_the_prefix) {
  const Buffer bytes = response_frame(HeartbeatResponse{}, 0, 1).joined();
  EXPECT_EQ(load_be<std::int32_t>(bytes.data()), static_cast<std::int32_t>(bytes.size() - 4));
}

}  // namespace
}  // namespace adbrook::protocol
