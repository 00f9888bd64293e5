// Produce, Fetch, ListOffsets and DeleteRecords.
#include <gtest/gtest.h>

#include "broker/broker_test_bed.h"
#include "protocol/k00_produce.h"
#include "protocol/k01_fetch.h"
#include "protocol/k02_list_offsets.h"
#include "protocol/k21_delete_records.h"
#include "protocol/k23_offset_for_leader_epoch.h"

namespace adbrook::broker {
namespace records_test {

using namespace protocol;  // NOLINT: tests name many messages

constexpr std::int16_t kNamesLast = 12;  // newer versions name topics by id

class RecordsTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(bed.log.log->create_topic("t", 2, {.message_bytes_max = {100'000}}));
    ASSERT_TRUE(bed.log.log->create_topic("out", 1, {}));
  }
  static ProduceRequest request(ByteView batch, std::string_view topic = "t",
                                std::int32_t partition = 0) {
    ProduceRequest request{.acks = -1};
    request.topic_data.push_back({.name = topic});
    request.topic_data[0].partition_data.push_back({.index = partition, .records = {{batch}}});
    return request;
  }
  ProduceResponse::Partition produce(ByteView batch, std::string_view topic = "t",
                                     std::int32_t partition = 0,
                                     std::int16_t version = kNamesLast) {
    return bed.ask<ProduceResponse>(request(batch, topic, partition), version)
        ->responses.at(0)
        .partition_responses.at(0);
  }
  static FetchRequest fetch_request(std::int64_t from, std::int32_t wait_ms = 0,
                                    std::int32_t partition_max = 1 << 20) {
    FetchRequest request{.max_wait_ms = wait_ms, .min_bytes = 1};
    request.topics.push_back({.topic = "t"});
    request.topics[0].partitions.push_back(
        {.partition = 0, .fetch_offset = from, .partition_max_bytes = partition_max});
    return request;
  }
  // The values of an answer's first partition, one string per record.
  static std::vector<std::string> values(const FetchResponse& response) {
    std::vector<std::string> all;
    const auto& partition = response.responses.at(0).partitions.at(0);
    ByteView rest = partition.records.pieces.empty() ? ByteView{} : partition.records.pieces[0];
    while (!rest.empty()) {
      const auto header = record::read_header(rest);
      auto reader = record::BatchReader::open(rest.first(header->size()), 1_MiB);
      record::RecordView record;
      while (reader->next(record).value_or(false)) all.emplace_back(as_text(*record.value));
      rest = rest.subspan(header->size());
    }
    return all;
  }
  std::int64_t offset_at(std::int64_t time) {
    ListOffsetsRequest request;
    request.topics.push_back({.name = "t"});
    request.topics[0].partitions.push_back({.partition_index = 0, .timestamp = time});
    const auto answer = bed.ask<ListOffsetsResponse>(request);
    EXPECT_EQ(answer->topics.at(0).partitions.at(0).error_code, ErrorCode::none);
    return answer->topics.at(0).partitions.at(0).offset;
  }

  BrokerBed bed;
};

TEST_F(RecordsTest, what_is_produced_is_fetched) {
  EXPECT_EQ(produce(produced_batch({"a", "b"})).base_offset, 0);
  const auto second = produce(produced_batch({"c"}));
  EXPECT_EQ(second.base_offset, 2);
  EXPECT_EQ(second.log_start_offset, 0);
  const auto answer = bed.ask<FetchResponse>(fetch_request(0), kNamesLast);
  EXPECT_EQ(values(answer.message), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(answer->responses[0].partitions[0].high_watermark, 3);
  EXPECT_EQ(answer->session_id, 0);
}

TEST_F(RecordsTest, every_codec_is_taken) {
  using record::Compression;
  for (const Compression codec : {Compression::none, Compression::gzip, Compression::snappy,
                                  Compression::lz4, Compression::zstd})
    EXPECT_EQ(produce(produced_batch({"x", "y"}, {}, codec)).error_code, ErrorCode::none)
        << record::to_string(codec);
  EXPECT_EQ(produce(produced_batch({"x"}, {}, Compression::zstd), "t", 0, 6).error_code,
            ErrorCode::unsupported_compression_type);
  const auto answer = bed.ask<FetchResponse>(fetch_request(0), kNamesLast);
  EXPECT_EQ(values(answer.message).size(), 10u);
}

TEST_F(RecordsTest, each_broken_batch_has_its_code_and_keeps_nothing) {
  Buffer batch = produced_batch({"a"});
  batch.back() ^= std::byte{1};
  EXPECT_EQ(produce(batch).error_code, ErrorCode::corrupt_message);
  EXPECT_EQ(produce(ByteView(batch).first(30)).error_code, ErrorCode::invalid_record);
  EXPECT_EQ(produce({}).error_code, ErrorCode::invalid_record);
  batch = produced_batch({"a"});
  append(batch, produced_batch({"b"}));
  EXPECT_EQ(produce(batch).error_code, ErrorCode::invalid_record) << "two batches";
  batch = produced_batch({"a"});
  batch[16] = std::byte{1};
  EXPECT_EQ(produce(batch).error_code, ErrorCode::invalid_record) << "an old format";
  EXPECT_EQ(produce(produced_batch({std::string(200'000, 'x')})).error_code,
            ErrorCode::message_too_large);
  EXPECT_EQ(produce(produced_batch({"a"}), "absent").error_code,
            ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(produce(produced_batch({"a"}), "t", 9).error_code,
            ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(produce(produced_batch({"a"}), "out").error_code,
            ErrorCode::topic_authorization_failed);
  const auto refused = produce(batch);
  EXPECT_EQ(refused.base_offset, -1);
  EXPECT_EQ(offset_at(-1), 0);
}

TEST_F(RecordsTest, a_compacted_topic_takes_no_record_without_a_key) {
  const log::TopicConfig config{.given = {{"cleanup.policy", "compact"}}};
  ASSERT_TRUE(bed.log.log->create_topic("keyed", 1, config));
  EXPECT_EQ(produce(produced_batch({"a"}), "keyed").error_code, ErrorCode::invalid_record);
  record::BatchBuilder builder;
  builder.add({1000}, as_bytes("key"), as_bytes("a"));
  EXPECT_EQ(produce(builder.finish(), "keyed").base_offset, 0);
}

TEST_F(RecordsTest, errors_that_clients_are_told_are_counted_by_code) {
  Buffer batch = produced_batch({"a"});
  EXPECT_EQ(produce(batch).error_code, ErrorCode::none);
  EXPECT_EQ(bed.log.metrics->text().find("adbrook_kafka_errors_total{"), std::string::npos);
  batch.back() ^= std::byte{1};
  produce(batch);
  produce(batch);
  const std::string text = bed.log.metrics->text();
  EXPECT_NE(text.find("adbrook_kafka_errors_total{code=\"CORRUPT_MESSAGE\"} 2\n"),
            std::string::npos)
      << text;
}

TEST_F(RecordsTest, a_compression_bomb_is_refused_at_the_limit_and_keeps_nothing) {
  const Buffer bomb = produced_batch({std::string(80 << 20, 'x')}, {}, record::Compression::zstd);
  ASSERT_LT(bomb.size(), 100'000u) << "small enough for the topic";
  EXPECT_EQ(produce(bomb).error_code, ErrorCode::invalid_record);
  EXPECT_EQ(offset_at(-1), 0);
}

TEST_F(RecordsTest, a_full_disk_refuses_writers_serves_readers_and_heals) {
  ASSERT_EQ(produce(produced_batch({"before"})).error_code, ErrorCode::none);
  constexpr std::uint64_t kLarge = 1ull << 40;
  bed.log.disk.set_capacity(kLarge);
  bed.log.disk.set_capacity(kLarge - bed.log.disk.free_bytes("data").value() + 20'000);
  std::size_t taken = 1;
  ErrorCode told = ErrorCode::none;
  for (int i = 0; i < 500 && told == ErrorCode::none; ++i) {
    told = produce(produced_batch({std::string(900, 'x')})).error_code;
    taken += told == ErrorCode::none ? 1 : 0;
  }
  EXPECT_EQ(told, ErrorCode::kafka_storage_error);
  const auto fetched = bed.ask<FetchResponse>(fetch_request(0), kNamesLast);
  EXPECT_EQ(values(fetched.message).size(), taken) << "what was acknowledged, and nothing else";
  bed.log.disk.set_capacity(std::nullopt);
  bed.advance(Millis(1'000));
  EXPECT_EQ(produce(produced_batch({"after"})).error_code, ErrorCode::none);
}

TEST_F(RecordsTest, a_refused_partition_takes_no_other_with_it) {
  const Buffer good = produced_batch({"a"});
  ProduceRequest both = request(good);
  both.topic_data[0].partition_data.push_back({.index = 9, .records = {{good}}});
  both.topic_data[0].partition_data.push_back({.index = 1, .records = {{good}}});
  const auto answer = bed.ask<ProduceResponse>(both, kNamesLast);
  const auto& partitions = answer->responses.at(0).partition_responses;
  EXPECT_EQ(partitions.at(0).error_code, ErrorCode::none);
  EXPECT_EQ(partitions.at(1).error_code, ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(partitions.at(2).error_code, ErrorCode::none);
}

TEST_F(RecordsTest, acknowledgements_are_all_one_or_none) {
  const Buffer batch = produced_batch({"a"});
  ProduceRequest one = request(batch);
  one.acks = 0;
  EXPECT_EQ(bed.send<ProduceResponse>(one, kNamesLast)->kind, Reply::Kind::silence);
  EXPECT_EQ(offset_at(-1), 1);
  one.topic_data[0].name = "absent";
  EXPECT_EQ(bed.send<ProduceResponse>(one, kNamesLast)->kind, Reply::Kind::hang_up);
  one = request(batch);
  one.acks = 2;
  EXPECT_EQ(bed.ask<ProduceResponse>(one, kNamesLast)
                ->responses.at(0)
                .partition_responses.at(0)
                .error_code,
            ErrorCode::invalid_required_acks);
}

// Else who sends faster than the disk takes would fill the memory.
TEST_F(RecordsTest, without_acknowledgement_a_request_is_under_way_until_its_append_is_done) {
  const Buffer batch = produced_batch({"a"});
  ProduceRequest one = request(batch);
  one.acks = 0;
  const auto waits = bed.start_request<ProduceResponse>(one, kNamesLast);
  EXPECT_FALSE(waits->kind);
  bed.log.executor.run_until_idle();
  EXPECT_EQ(waits->kind, Reply::Kind::silence);
  // What the full queue refuses is heard by the end of the connection.
  std::vector<AnsweredPtr<ProduceResponse>> many;
  const Buffer large = produced_batch({std::string(40 << 10, 'x')});
  for (int i = 0; i < 100; ++i) {
    ProduceRequest more = request(large);
    more.acks = 0;
    many.push_back(bed.start_request<ProduceResponse>(more, kNamesLast));
  }
  bed.log.executor.run_until_idle();
  int silent = 0, refused = 0;
  for (const auto& answer : many) {
    silent += answer->kind == Reply::Kind::silence ? 1 : 0;
    refused += answer->kind == Reply::Kind::hang_up ? 1 : 0;
    if (answer->kind == Reply::Kind::hang_up) {
      EXPECT_NE(answer->why.find("append.queue.bytes"), std::string::npos) << answer->why;
    }
  }
  EXPECT_EQ(silent + refused, 100);
  EXPECT_GT(refused, 0);
  EXPECT_EQ(offset_at(-1), 1 + silent);
}

TEST_F(RecordsTest, topics_by_id_must_be_known) {
  const Buffer batch = produced_batch({"a"});
  ProduceRequest by_id = request(batch);
  by_id.topic_data[0].topic_id = bed.log.log->topic("t")->id;
  EXPECT_EQ(bed.ask<ProduceResponse>(by_id)->responses.at(0).partition_responses.at(0).error_code,
            ErrorCode::none);
  by_id.topic_data[0].topic_id = {1, 2};
  EXPECT_EQ(bed.ask<ProduceResponse>(by_id)->responses.at(0).partition_responses.at(0).error_code,
            ErrorCode::unknown_topic_id);
}

TEST_F(RecordsTest, a_repeated_idempotent_batch_is_answered_with_its_first_place) {
  const ProducedBy first{.producer_id = 9, .epoch = 0, .sequence = 0};
  EXPECT_EQ(produce(produced_batch({"a", "b"}, first)).base_offset, 0);
  EXPECT_EQ(produce(produced_batch({"c"}, {9, 0, 2})).base_offset, 2);
  EXPECT_EQ(produce(produced_batch({"a", "b"}, first)).base_offset, 0);
  EXPECT_EQ(produce(produced_batch({"e"}, {9, 0, 7})).error_code,
            ErrorCode::out_of_order_sequence_number);
  EXPECT_EQ(produce(produced_batch({"d"}, {9, 1, 0})).base_offset, 3);
  EXPECT_EQ(produce(produced_batch({"e"}, {9, 0, 3})).error_code,
            ErrorCode::invalid_producer_epoch);
  bed.crash();
  EXPECT_EQ(produce(produced_batch({"d"}, {9, 1, 0})).base_offset, 3);
}

TEST_F(RecordsTest, a_fetch_waits_without_a_thread_until_something_comes) {
  const auto waiting = bed.send<FetchResponse>(fetch_request(0, 10'000), kNamesLast);
  EXPECT_FALSE(waiting->kind);
  bed.advance(Millis(5'000));
  EXPECT_FALSE(waiting->kind);
  produce(produced_batch({"a"}));
  ASSERT_EQ(waiting->kind, Reply::Kind::answer);
  EXPECT_EQ(values(waiting->message), std::vector<std::string>{"a"});
}

TEST_F(RecordsTest, a_fetch_that_waited_in_vain_is_answered_empty) {
  const auto waiting = bed.send<FetchResponse>(fetch_request(0, 1'000), kNamesLast);
  bed.advance(Millis(900));
  EXPECT_FALSE(waiting->kind);
  bed.advance(Millis(200));
  ASSERT_EQ(waiting->kind, Reply::Kind::answer);
  EXPECT_EQ(waiting->message.responses.at(0).partitions.at(0).error_code, ErrorCode::none);
  EXPECT_TRUE(values(waiting->message).empty());
}

TEST_F(RecordsTest, min_bytes_is_waited_for) {
  FetchRequest much = fetch_request(0, 10'000);
  much.min_bytes = 200;
  const auto waiting = bed.send<FetchResponse>(much, kNamesLast);
  produce(produced_batch({"a"}));
  EXPECT_FALSE(waiting->kind);
  produce(produced_batch({std::string(200, 'x')}));
  EXPECT_EQ(waiting->kind, Reply::Kind::answer);
}

TEST_F(RecordsTest, waiters_are_let_go_when_the_broker_stops) {
  const auto waiting = bed.send<FetchResponse>(fetch_request(0, 10'000), kNamesLast);
  bed.broker->stop();
  bed.log.executor.run_until_idle();
  EXPECT_EQ(waiting->kind, Reply::Kind::hang_up);
}

TEST_F(RecordsTest, the_first_batch_is_sent_whatever_the_limits) {
  produce(produced_batch({std::string(5'000, 'x')}));
  produce(produced_batch({"b"}));
  FetchRequest small = fetch_request(0, 0, 100);
  small.max_bytes = 100;
  EXPECT_EQ(values(bed.ask<FetchResponse>(small, kNamesLast).message).size(), 1u);
  EXPECT_EQ(values(bed.ask<FetchResponse>(fetch_request(1, 0, 100), kNamesLast).message).size(),
            1u);
}

TEST_F(RecordsTest, after_the_first_batch_both_limits_bind) {
  const Buffer batch = produced_batch({std::string(1'000, 'x')});
  for (int i = 0; i < 5; ++i) produce(batch);
  produce(batch, "t", 1);
  FetchRequest request = fetch_request(0, 0, 2 * static_cast<std::int32_t>(batch.size()) + 10);
  request.topics[0].partitions.push_back({.partition = 1, .partition_max_bytes = 1 << 20});
  request.max_bytes = 3 * static_cast<std::int32_t>(batch.size()) - 10;
  const auto answer = bed.ask<FetchResponse>(request, kNamesLast);
  EXPECT_EQ(values(answer.message).size(), 2u);
  ASSERT_EQ(answer->responses[0].partitions.size(), 2u) << "all partitions are in the answer";
  EXPECT_EQ(answer->responses[0].partitions[1].records.size(), 0u);
}

TEST_F(RecordsTest, a_fetch_inside_a_batch_gets_the_whole_batch) {
  produce(produced_batch({"a", "b", "c"}));
  EXPECT_EQ(values(bed.ask<FetchResponse>(fetch_request(1), kNamesLast).message).size(), 3u);
}

TEST_F(RecordsTest, outside_of_what_is_kept_is_out_of_range) {
  produce(produced_batch({"a"}));
  const auto code = [&](std::int64_t from) {
    const auto waiting = bed.send<FetchResponse>(fetch_request(from, 10'000), kNamesLast);
    if (!waiting->kind) return ErrorCode::none;
    return waiting->message.responses.at(0).partitions.at(0).error_code;
  };
  EXPECT_EQ(code(1), ErrorCode::none) << "the end waits";
  EXPECT_EQ(code(2), ErrorCode::offset_out_of_range);
  EXPECT_EQ(code(-1), ErrorCode::offset_out_of_range);
}

TEST_F(RecordsTest, a_session_that_nobody_knows_is_refused) {
  FetchRequest request = fetch_request(0);
  request.session_id = 5;
  request.session_epoch = 3;
  EXPECT_EQ(bed.ask<FetchResponse>(request, kNamesLast)->error_code,
            ErrorCode::fetch_session_id_not_found);
}

TEST_F(RecordsTest, a_leader_epoch_from_elsewhere_is_noticed) {
  FetchRequest request = fetch_request(0, 10'000);
  request.topics[0].partitions[0].current_leader_epoch = 1;
  EXPECT_EQ(bed.ask<FetchResponse>(request, kNamesLast)->responses[0].partitions[0].error_code,
            ErrorCode::unknown_leader_epoch);
  OffsetForLeaderEpochRequest where;
  where.topics.push_back({.topic = "t"});
  where.topics[0].partitions.push_back({.partition = 0, .leader_epoch = 0});
  const auto answer = bed.ask<OffsetForLeaderEpochResponse>(where);
  EXPECT_EQ(answer->topics.at(0).partitions.at(0).end_offset, 0);
  EXPECT_EQ(answer->topics.at(0).partitions.at(0).leader_epoch, 0);
}

TEST_F(RecordsTest, a_time_is_looked_up_inside_batches) {
  constexpr std::int64_t kFirst = 1'700'000'000'000;
  produce(produced_batch({"a", "b", "c"}, {}, record::Compression::gzip));
  produce(produced_batch({"d"}, {}, record::Compression::none, {kFirst + 60'000}));
  EXPECT_EQ(offset_at(kFirst), 0);
  EXPECT_EQ(offset_at(kFirst + 1'000), 1);
  EXPECT_EQ(offset_at(kFirst + 1'001), 2);
  EXPECT_EQ(offset_at(kFirst + 2'001), 3);
  EXPECT_EQ(offset_at(kFirst + 60'001), -1);
  EXPECT_EQ(offset_at(-1), 4);
  EXPECT_EQ(offset_at(-2), 0);
  EXPECT_EQ(offset_at(-3), 3);
}

TEST_F(RecordsTest, a_topic_may_have_the_times_of_its_log) {
  ASSERT_TRUE(
      bed.log.log->alter_config("t", {.timestamp_type = log::TimestampType::log_append_time}));
  const std::int64_t now = bed.log.executor.clock().now().ms;
  EXPECT_EQ(produce(produced_batch({"a"})).log_append_time_ms, now);
  const auto answer = bed.ask<FetchResponse>(fetch_request(0), kNamesLast);
  const auto header = record::check_batch(answer->responses[0].partitions[0].records.pieces.at(0));
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_TRUE(header->log_append_time());
  EXPECT_EQ(header->max_timestamp.ms, now);
  EXPECT_EQ(offset_at(now), 0);
}

TEST_F(RecordsTest, times_too_far_away_are_refused) {
  ASSERT_TRUE(bed.log.log->alter_config("t", {.timestamp_after_max = Millis(1'000)}));
  const Timestamp now = bed.log.executor.clock().now();
  const auto at = [&](Timestamp time) {
    return produce(produced_batch({"a"}, {}, record::Compression::none, time)).error_code;
  };
  EXPECT_EQ(at(now + Millis(900)), ErrorCode::none);
  EXPECT_EQ(at(now + Millis(2'000)), ErrorCode::invalid_timestamp);
}

TEST_F(RecordsTest, records_are_deleted_from_the_start) {
  produce(produced_batch({"a", "b", "c"}));
  DeleteRecordsRequest request;
  request.topics.push_back({.name = "t"});
  request.topics[0].partitions = {{0, 2}, {1, 5}, {9, 0}};
  const auto answer = bed.ask<DeleteRecordsResponse>(request);
  const auto& partitions = answer->topics.at(0).partitions;
  EXPECT_EQ(partitions.at(0).low_watermark, 2);
  EXPECT_EQ(partitions.at(1).error_code, ErrorCode::offset_out_of_range);
  EXPECT_EQ(partitions.at(2).error_code, ErrorCode::unknown_topic_or_partition);
  bed.crash();
  EXPECT_EQ(offset_at(-2), 2);
}

}  // namespace records_test
}  // namespace adbrook::broker
