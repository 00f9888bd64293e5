// Bytes that others wrote: Apache Kafka's classes in every version, clients and a mock broker over
// sockets, and a few by hand where the values matter.
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "protocol/header.h"
#include "protocol/k00_produce.h"
#include "protocol/k01_fetch.h"
#include "protocol/k03_metadata.h"
#include "protocol/k11_join_group.h"
#include "protocol/k18_api_versions.h"
#include "protocol/k68_consumer_group_heartbeat.h"
#include "protocol/messages.h"

namespace adbrook::protocol {
namespace {

Buffer from_hex(std::string_view hex) {
  Buffer bytes;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (std::size_t i = 0; i + 1 < hex.size();) {
    if (hex[i] == ' ') {
      ++i;
      continue;
    }
    bytes.push_back(static_cast<std::byte>(digit(hex[i]) * 16 + digit(hex[i + 1])));
    i += 2;
  }
  return bytes;
}

struct Golden {
  std::string direction;
  std::int16_t key = 0;
  std::int16_t version = 0;
  Buffer bytes;

  std::string name() const {
    return direction + " " + std::to_string(key) + " version " + std::to_string(version);
  }
  const ApiEntry& entry() const {
    for (const ApiEntry& entry : all_apis())
      if (entry.api->key == key) return entry;
    ADD_FAILURE() << "no API " << key;
    return all_apis().front();
  }
  const MessageType& type() const {
    return direction == "request" ? entry().request : entry().response;
  }
};

std::vector<Golden> read_golden(const std::string& file) {
  std::vector<Golden> all;
  std::ifstream in(std::string(ADBROOK_SOURCE_DIR) + "/test/conformance/" + file);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    Golden golden;
    std::string hex;
    words >> golden.direction >> golden.key >> golden.version >> hex;
    golden.bytes = from_hex(hex);
    all.push_back(std::move(golden));
  }
  return all;
}

// Reads `body` and writes it behind `to`.
void copy_body(const Golden& golden, ByteView body, Frame& to) {
  const MessageType& type = golden.type();
  const Style style = style_of(*golden.entry().api, golden.version);
  const ErasedMessage message = type.make();
  const auto read = decode(*type.shape, style, body, message.get());
  ASSERT_TRUE(read) << golden.name() << ": " << read.error().message;
  encode(to, *type.shape, style, message.get());
}

TEST(Golden, bodies_of_apache_kafka_are_read_and_written_byte_for_byte) {
  std::set<std::string> versions;
  for (const Golden& golden : read_golden("kafka_bodies.txt")) {
    Frame frame;
    copy_body(golden, golden.bytes, frame);
    EXPECT_EQ(frame.joined(), golden.bytes) << golden.name();
    versions.insert(golden.name());
  }
  std::size_t spoken = 0;
  for (const ApiEntry& entry : all_apis())
    spoken += 2 * static_cast<std::size_t>(entry.api->last - entry.api->first + 1);
  EXPECT_EQ(versions.size(), spoken) << "a version has no bytes of Kafka's";
}

TEST(Golden, requests_of_clients_are_read_and_written_byte_for_byte) {
  std::size_t count = 0;
  for (const Golden& golden : read_golden("kafka_frames.txt")) {
    if (golden.direction != "request") continue;
    const auto header = read_request_header(golden.bytes);
    ASSERT_TRUE(header) << golden.name();
    EXPECT_EQ(header->api_key, golden.key);
    EXPECT_EQ(header->api_version, golden.version);
    Frame frame =
        begin_request(*header->api, golden.version, header->correlation_id, header->client_id);
    copy_body(golden, header->body, frame);
    finish_frame(frame);
    const Buffer joined = frame.joined();
    EXPECT_EQ(as_text(joined).substr(kSizePrefix), as_text(golden.bytes)) << golden.name();
    EXPECT_EQ(load_be<std::uint32_t>(joined.data()), golden.bytes.size());
    ++count;
  }
  EXPECT_GT(count, 25u);
}

TEST(Golden, answers_of_another_broker_are_read_and_written_byte_for_byte) {
  std::size_t count = 0;
  for (const Golden& golden : read_golden("kafka_frames.txt")) {
    if (golden.direction != "response") continue;
    const Api& api = *golden.entry().api;
    const auto header = read_response_header(golden.bytes, api, golden.version);
    ASSERT_TRUE(header) << golden.name();
    Frame frame = begin_response(api, golden.version, header->correlation_id);
    copy_body(golden, header->body, frame);
    finish_frame(frame);
    EXPECT_EQ(as_text(frame.joined()).substr(kSizePrefix), as_text(golden.bytes)) << golden.name();
    ++count;
  }
  EXPECT_GT(count, 25u);
}

TEST(Golden, a_flexible_produce_request_by_hand) {
  const Buffer frame = from_hex(
      "0000 0009 0000002a 0003 617070 00"  // key, version, correlation, "app", no tags
      "00 ffff 00007530"                   // no transaction, acks all, 30 s
      "02 02 74"                           // one topic, "t"
      "02 00000003 04 010203"              // one partition, 3, three bytes of records
      "00 00 00");                         // no tags in partition, topic, request
  const auto header = read_request_header(frame);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->api, &kProduce);
  EXPECT_EQ(header->correlation_id, 42);
  EXPECT_EQ(header->client_id, "app");
  const auto request = decode<ProduceRequest>(header->body, header->api_version);
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->transactional_id, std::nullopt);
  EXPECT_EQ(request->acks, -1);
  EXPECT_EQ(request->timeout_ms, 30'000);
  ASSERT_EQ(request->topic_data.size(), 1u);
  EXPECT_EQ(request->topic_data[0].name, "t");
  const auto& partition = request->topic_data[0].partition_data.at(0);
  EXPECT_EQ(partition.index, 3);
  EXPECT_EQ(as_text(partition.records.bytes()), "\1\2\3");
}

TEST(Golden, a_join_of_version_0_has_no_rebalance_timeout) {
  const Buffer body = from_hex(
      "0001 67 00001770 0000 0008 636f6e73756d6572"  // group "g", 6 s, no member, "consumer"
      "00000001 0005 72616e6765 00000002 abcd");     // one protocol, "range", two bytes
  const auto request = decode<JoinGroupRequest>(body, 0);
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->session_timeout_ms, 6'000);
  EXPECT_EQ(request->rebalance_timeout_ms, -1);
  EXPECT_EQ(request->protocol_type, "consumer");
  EXPECT_EQ(request->protocols.at(0).name, "range");
  EXPECT_EQ(request->protocols[0].metadata.size(), 2u);
}

TEST(Golden, metadata_for_all_topics_is_empty_in_version_0_and_null_later) {
  const auto oldest = decode<MetadataRequest>(from_hex("00000000"), 0);
  ASSERT_TRUE(oldest);
  EXPECT_TRUE(oldest->topics.has_value() && oldest->topics->empty());
  EXPECT_FALSE(decode<MetadataRequest>(from_hex("ffffffff"), 0));
  const auto later = decode<MetadataRequest>(from_hex("ffffffff"), 1);
  ASSERT_TRUE(later);
  EXPECT_FALSE(later->topics.has_value());
  EXPECT_TRUE(later->allow_auto_topic_creation);
}

TEST(Golden, api_versions_is_answered_with_the_short_header_also_when_flexible) {
  ApiVersionsResponse response;
  response.api_keys.push_back({.api_key = 18, .min_version = 0, .max_version = 4});
  const auto frame = response_frame(response, 3, 7);
  EXPECT_EQ(frame.joined(), from_hex("00000013 00000007 0000 02 0012 0000 0004 00 00000000 00"));
  response.finalized_features_epoch = 5;
  response.finalized_features = {
      {.name = "transaction.version", .max_version_level = 2, .min_version_level = 1}};
  const auto tagged = response_frame(response, 4, 7);
  EXPECT_EQ(tagged.joined(),
            from_hex("00000039 00000007 0000 02 0012 0000 0004 00 00000000"
                     "02 01 08 0000000000000005"
                     "02 1a 02 14 7472616e73616374696f6e2e76657273696f6e 0002 0001 00"));
}

TEST(Golden, a_struct_that_may_be_null_has_a_byte_in_front) {
  ConsumerGroupHeartbeatResponse response;
  const auto none = response_frame(response, 0, 1);
  EXPECT_EQ(none.joined(),
            from_hex("00000017 00000001 00 00000000 0000 00 00 00000000 00000000 ff 00"));
  response.assignment.emplace();
  const auto some = response_frame(response, 0, 1);
  EXPECT_EQ(some.joined(),
            from_hex("00000019 00000001 00 00000000 0000 00 00 00000000 00000000 01 01 00 00"));
}

}  // namespace
}  // namespace adbrook::protocol
