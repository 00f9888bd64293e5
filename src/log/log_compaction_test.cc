// Compaction by key: the facts one by one. The property test beside it has the combinations.
#include <map>
#include <string>
#include <vector>

#include "log/key_offsets.h"
#include "log/log_test_bed.h"
#include "record/transaction_marker.h"

namespace adbrook::log {
namespace log_compaction_test {

Buffer keyed(std::string_view key, std::optional<std::string_view> value, Timestamp time = {1000},
             record::Compression codec = record::Compression::none) {
  record::BatchBuilder builder(codec);
  std::optional<ByteView> bytes;
  if (value) bytes = as_bytes(*value);
  builder.add(time, as_bytes(key), bytes);
  return builder.finish();
}

// "key=value" of every visible record, or "key" for a deletion, with its offset.
using Seen = std::map<std::int64_t, std::string>;

class Compaction : public testing::Test {
 protected:
  void open(TopicConfig config = {}) {
    ASSERT_TRUE(bed.open());
    config.segment_bytes = {1'000};
    auto given = compacted(Millis(5'000), 0.5);
    config.given.merge(given);
    ASSERT_TRUE(bed.log->create_topic("t", 1, config));
    topic = bed.partition("t");
  }
  Offset put(std::string_view key, std::optional<std::string_view> value) {
    return bed.append(topic, keyed(key, value)).value().front().base;
  }
  // Enough of other keys that what was put before lies in full segments.
  void fill() {
    for (int i = 0; i < 3; ++i) put("fill", std::string(600, 'x'));
  }
  void compact() {
    const auto done = bed.compact();
    ASSERT_TRUE(done) << done.error().message;
  }
  void restart() {
    bed.power_loss();
    ASSERT_TRUE(bed.open());
    topic = bed.partition("t");
  }
  Seen seen(Isolation isolation = Isolation::uncommitted) {
    Seen all;
    const Ends ends = bed.log->ends(topic);
    const Offset end = isolation == Isolation::committed ? ends.stable : ends.visible;
    for (Offset from = ends.start; from < end;) {
      const auto read = bed.log->read(topic, from, 500, isolation);
      if (!read || read->next <= from) return ADD_FAILURE() << "stuck at " << from.value, all;
      for (const auto& place : read->batches)
        take(ByteView(read->bytes).subspan(place.index_begin, place.size), all);
      from = read->next;
    }
    return all;
  }
  static void take(ByteView batch, Seen& all) {
    auto reader = record::BatchReader::open(batch, 1_MiB).value();
    record::RecordView record;
    while (reader.next(record).value()) {
      std::string& text = all[record.offset.value];
      if (reader.header().control()) text = "(marker)";
      if (reader.header().control() || !record.key) continue;
      text = std::string(as_text(*record.key));
      if (record.value) text += "=" + std::string(as_text(*record.value).substr(0, 10));
    }
  }

  LogBed bed;
  PartitionId topic;
};

TEST_F(Compaction, the_last_record_of_each_key_stays_where_it_was) {
  open();
  put("a", "1");
  put("b", "1");
  put("a", "2");
  fill();
  compact();
  const Seen expected{{1, "b=1"}, {2, "a=2"}, {5, "fill=xxxxxxxxxx"}};
  Seen now = seen();
  // The newest segment stays as it is, and what comes before it is compacted.
  EXPECT_TRUE(now.contains(5));
  EXPECT_FALSE(now.contains(0));
  EXPECT_EQ(now[1], "b=1");
  EXPECT_EQ(now[2], "a=2");
  restart();
  EXPECT_EQ(seen(), now);
  EXPECT_EQ(bed.log->ends(topic).visible, Offset{6});
}

TEST_F(Compaction, a_reader_goes_on_across_a_hole) {
  open();
  for (int i = 0; i < 10; ++i) put("a", std::string(300, static_cast<char>('0' + i)));
  compact();
  const auto read = bed.log->read(topic, Offset{0}, 100);
  ASSERT_TRUE(read);
  const auto first = record::read_header(read->bytes)->base_offset;
  EXPECT_GT(first, Offset{4});
  for (Offset from{1}; from < first; from = from + 1)
    EXPECT_EQ(record::read_header(bed.log->read(topic, from, 100)->bytes)->base_offset, first);
}

TEST_F(Compaction, a_deletion_stays_for_its_time_and_then_goes) {
  open();
  put("a", "1");
  put("a", std::nullopt);
  fill();
  compact();
  EXPECT_EQ(seen()[1], "a");
  bed.executor.advance(Millis(4'000));
  fill();
  compact();
  EXPECT_EQ(seen()[1], "a");
  bed.executor.advance(Millis(1'001));
  fill();
  compact();
  EXPECT_FALSE(seen().contains(1));
}

TEST_F(Compaction, a_key_that_comes_back_after_its_deletion_is_there) {
  open();
  put("a", "1");
  put("a", std::nullopt);
  put("a", "2");
  fill();
  bed.executor.advance(Millis(60'000));
  compact();
  EXPECT_EQ(seen()[2], "a=2");
}

TEST_F(Compaction, it_waits_until_enough_is_new) {
  open({.given = {{"min.cleanable.dirty.ratio", "0.9"}}});
  // All keys differ, so all of it stays and counts as compacted the next time.
  for (int i = 0; i < 30; ++i) put("k" + std::to_string(i), std::string(300, 'x'));
  compact();
  put("k1", "new");
  fill();
  compact();
  EXPECT_TRUE(seen().contains(1));
  for (int i = 0; i < 400; ++i) put("k1", std::string(300, 'x'));
  compact();
  EXPECT_FALSE(seen().contains(1));
}

TEST_F(Compaction, what_waited_for_too_long_is_compacted_all_the_same) {
  open({.given = {{"min.cleanable.dirty.ratio", "1"}, {"max.compaction.lag.ms", "10000"}}});
  put("a", "1");
  put("a", "2");
  fill();
  compact();
  EXPECT_TRUE(seen().contains(0));
  bed.executor.advance(Millis(10'001));
  compact();
  EXPECT_FALSE(seen().contains(0));
}

TEST_F(Compaction, what_is_too_young_waits) {
  open({.given = {{"min.compaction.lag.ms", "10000"}}});
  put("a", "1");
  put("a", "2");
  fill();
  compact();
  EXPECT_TRUE(seen().contains(0));
  bed.executor.advance(Millis(10'001));
  compact();
  EXPECT_FALSE(seen().contains(0));
}

TEST_F(Compaction, a_hold_keeps_everything_from_there_on) {
  open();
  for (int i = 0; i < 10; ++i) put("a", std::string(300, 'x'));
  bed.log->hold("reader", topic, Offset{0});
  compact();
  EXPECT_EQ(seen().size(), 10u);
  bed.log->hold("reader", topic, Offset{10});
  compact();
  EXPECT_LT(seen().size(), 6u);
}

TEST_F(Compaction, retention_lets_a_compacted_topic_alone) {
  open({.retention = Millis(1), .retention_bytes = {1}});
  put("a", "1");
  fill();
  bed.executor.advance(Millis(100'000));
  ASSERT_TRUE(bed.log->apply_retention());
  EXPECT_EQ(bed.log->ends(topic).start, Offset{0});
}

TEST_F(Compaction, a_small_map_takes_several_passes) {
  bed.compaction_limits.map = {1};
  open({.given = {{"min.cleanable.dirty.ratio", "0"}}});
  for (int round = 0; round < 20; ++round)
    for (const char* key : {"a", "b", "c"}) put(key, std::string(100, 'x'));
  fill();
  compact();
  std::map<std::string, int> counts;
  for (const auto& [offset, text] : seen()) ++counts[text.substr(0, 1)];
  // Of each one that was compacted, and what of it lies in the newest segment.
  for (const char* key : {"a", "b", "c"}) EXPECT_LE(counts[key], 3) << key;
}

TEST_F(Compaction, compressed_batches_keep_their_codec_and_their_other_records) {
  open();
  record::BatchBuilder builder(record::Compression::zstd);
  for (const char* key : {"a", "b", "c"}) builder.add({77}, as_bytes(key), as_bytes("1"));
  bed.append(topic, builder.finish()).value();
  put("b", "2");
  fill();
  compact();
  const auto read = bed.log->read(topic, Offset{0}, 100);
  const auto header = record::read_header(read->bytes);
  EXPECT_EQ(header->compression(), record::Compression::zstd);
  EXPECT_EQ(header->base_offset, Offset{0});
  EXPECT_EQ(header->last_offset(), Offset{2});
  EXPECT_EQ(header->record_count, 2);
  EXPECT_EQ(header->max_timestamp, Timestamp{77});
  Seen now = seen();
  EXPECT_EQ(now[0], "a=1");
  EXPECT_FALSE(now.contains(1));
  EXPECT_EQ(now[2], "c=1");
}

// --- transactions ---

class CompactionOfTransactions : public Compaction {
 protected:
  Offset put_in_transaction(std::int64_t producer, std::string_view key, std::string_view value) {
    Buffer batch = keyed(key, value);
    record::stamp_producer(batch, {.attributes = 16,
                                   .producer_id = producer,
                                   .producer_epoch = 0,
                                   .base_sequence = sequences[producer]++});
    Append what;
    what.batches.push_back({topic, std::move(batch), BatchOrigin::client});
    return bed.append(std::move(what)).value().front().base;
  }
  Offset end(std::int64_t producer, record::TransactionEnd how) {
    Append what;
    what.batches.push_back({topic,
                            record::build_transaction_marker(
                                {.producer_id = producer, .producer_epoch = 0, .end = how}, {1000}),
                            BatchOrigin::coordinator});
    return bed.append(std::move(what)).value().front().base;
  }
  std::map<std::int64_t, std::int32_t> sequences;
};

TEST_F(CompactionOfTransactions, nothing_at_or_above_an_open_one_goes) {
  open();
  put("a", "1");
  put_in_transaction(7, "b", "1");
  put("a", "2");
  put("a", "3");
  fill();
  compact();
  EXPECT_TRUE(seen().contains(0));
  EXPECT_TRUE(seen().contains(2));
  end(7, record::TransactionEnd::commit);
  compact();
  EXPECT_FALSE(seen().contains(0));
  EXPECT_FALSE(seen().contains(2));
}

TEST_F(CompactionOfTransactions, an_aborted_record_goes_and_replaces_nothing) {
  open();
  put("a", "1");
  put_in_transaction(7, "a", "2");
  const Offset marker = end(7, record::TransactionEnd::abort);
  fill();
  compact();
  Seen now = seen();
  EXPECT_EQ(now[0], "a=1");
  EXPECT_FALSE(now.contains(1));
  EXPECT_TRUE(now.contains(marker.value));
}

TEST_F(CompactionOfTransactions, a_marker_goes_when_its_records_are_gone_for_long_enough) {
  open();
  put_in_transaction(7, "a", "1");
  const Offset aborted = end(7, record::TransactionEnd::abort);
  put_in_transaction(7, "b", "1");
  const Offset committed = end(7, record::TransactionEnd::commit);
  fill();
  compact();
  bed.executor.advance(Millis(5'001));
  fill();
  compact();
  EXPECT_FALSE(seen().contains(aborted.value));
  // One whose record is still there stays.
  EXPECT_TRUE(seen().contains(committed.value));
  // A reader that is told of the aborted one would wait for its marker and leave out what follows.
  const auto read = bed.log->read(topic, Offset{0}, 10'000, Isolation::committed);
  EXPECT_TRUE(read->aborted.empty());
  restart();
  EXPECT_TRUE(bed.log->read(topic, Offset{0}, 10'000, Isolation::committed)->aborted.empty());
  EXPECT_EQ(seen()[2], "b=1");
}

TEST_F(CompactionOfTransactions, a_producer_goes_on_where_it_was) {
  open();
  for (int i = 0; i < 4; ++i) {
    put_in_transaction(7, "a", std::string(300, 'x'));
    end(7, record::TransactionEnd::commit);
  }
  fill();
  compact();
  restart();
  EXPECT_EQ(bed.log->producers(topic).front().last_sequence, 3);
  put_in_transaction(7, "a", "next");
}

// --- the map of keys ---

TEST(KeyOffsets, agrees_with_a_plain_map_and_stays_within_its_limit) {
  const Bytes limit = 1_MiB;
  KeyOffsets keys(limit, 42);
  std::map<std::string, Offset> plain;
  std::int64_t offset = 0;
  for (;; ++offset) {
    const std::string key =
        "key-" + std::string(static_cast<std::size_t>(offset % 40), 'k') + std::to_string(offset);
    if (!keys.put(as_bytes(key), {offset})) break;
    plain[key] = {offset};
    ASSERT_LE(keys.memory(), static_cast<std::size_t>(limit.count));
  }
  EXPECT_GT(plain.size(), 5'000u);
  EXPECT_EQ(keys.count(), plain.size());
  // Known keys still find their place.
  for (auto& [key, last] : plain) {
    ASSERT_TRUE(keys.put(as_bytes(key), {++offset}));
    last = {offset};
  }
  for (const auto& [key, last] : plain) ASSERT_EQ(keys.find(as_bytes(key)), last) << key;
  EXPECT_FALSE(keys.find(as_bytes("another")));
  EXPECT_FALSE(keys.find(as_bytes("")));
}

}  // namespace log_compaction_test
}  // namespace adbrook::log
