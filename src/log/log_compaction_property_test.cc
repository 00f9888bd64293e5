// Random records, transactions, deletions, compactions and power losses against a plain list of all
// that was ever appended: what is missing must be allowed to be missing, and a reader of committed
// records ends up with the same last record of each key as one who saw everything.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "io/test_seed.h"
#include "log/log_test_bed.h"
#include "record/transaction_marker.h"

namespace adbrook::log {
namespace log_compaction_property_test {

constexpr std::size_t kWorldCount = 150;
constexpr int kStepCount = 250;
constexpr Millis kDeleteRetention{3'000};
using Fate = record::TransactionEnd;

struct ModelRecord {
  std::string key;
  std::optional<std::string> value;
  Timestamp time;
  std::string header;  // its value; empty: none
  std::int64_t producer = -1;
  bool open = false;  // of a transaction that has not ended
  bool aborted = false;
  bool marker = false;
  Timestamp append_time;
};

// What a reader made of a record.
struct SeenRecord {
  std::string key;
  std::optional<std::string> value;
  Timestamp time;
  std::string header;
  std::int64_t producer = -1;
  bool marker = false;
};
using Seen = std::map<std::int64_t, SeenRecord>;

class World {
 public:
  explicit World(std::uint64_t seed) : bed_(seed), random_(seed * 17 + 3) {
    bed_.compaction_limits.map = chance(3) ? Bytes{1} : 1_MiB;
  }

  void run() {
    TopicConfig config;
    config.segment_bytes = {static_cast<std::int64_t>(600 + below(3'000))};
    const double ratio = chance(2) ? 0 : 0.3;
    config.given = compacted(kDeleteRetention, ratio, chance(4));
    const bool lags = chance(3);
    if (lags) config.given["min.compaction.lag.ms"] = "500";
    if (chance(8)) config.timestamp_type = TimestampType::log_append_time;
    log_times_ = config.timestamp_type == TimestampType::log_append_time;
    greedy_ = ratio == 0 && !lags;
    ASSERT_TRUE(bed_.open());
    ASSERT_TRUE(bed_.log->create_topic("t", 1, config));
    topic_ = bed_.partition("t");
    for (int i = 0; i < kStepCount && !testing::Test::HasFailure(); ++i) one_thing();
    for (std::int64_t producer = 0; producer < 3; ++producer) end(producer, Fate::abort);
    compact();
    check();
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }
  bool chance(std::uint64_t one_in) { return below(one_in) == 0; }

  void one_thing() {
    const std::uint64_t what = below(100);
    if (what < 50) return append(-1);
    if (what < 65) return append(static_cast<std::int64_t>(below(3)));
    if (what < 78)
      return end(static_cast<std::int64_t>(below(3)), chance(2) ? Fate::abort : Fate::commit);
    if (what < 86) return bed_.executor.advance(Millis(static_cast<std::int64_t>(below(1'500))));
    if (what < 94) return compact(), check();
    if (what < 96) return restart(), check();
    if (what < 98) return hold();
    if (chance(2)) delete_records();
  }

  // --- what changes the log ---

  ModelRecord any_record(std::int64_t producer) {
    ModelRecord record{.key = "k" + std::to_string(below(12)),
                       .time = {static_cast<std::int64_t>(1'000'000 + below(10'000))},
                       .producer = producer,
                       .open = producer >= 0};
    if (!chance(5))
      record.value = std::to_string(++value_count_) + std::string(below(chance(5) ? 400 : 30), 'v');
    if (chance(4)) record.header = "h" + std::to_string(value_count_);
    return record;
  }

  void append(std::int64_t producer) {
    constexpr record::Compression kCodecs[] = {
        record::Compression::none,   record::Compression::none, record::Compression::gzip,
        record::Compression::snappy, record::Compression::lz4,  record::Compression::zstd};
    record::BatchBuilder builder(kCodecs[below(6)]);
    std::vector<ModelRecord> records;
    const std::uint64_t count = 1 + below(5);
    for (std::uint64_t i = 0; i < count; ++i) {
      const ModelRecord& record = records.emplace_back(any_record(producer));
      std::optional<ByteView> value;
      if (record.value) value = as_bytes(*record.value);
      const record::Header header{"name", as_bytes(record.header)};
      builder.add(record.time, as_bytes(record.key), value,
                  std::span(&header, record.header.empty() ? 0 : 1));
    }
    Buffer batch = builder.finish();
    if (producer >= 0) {
      record::stamp_producer(batch, {.attributes = 16,
                                     .producer_id = producer,
                                     .producer_epoch = 0,
                                     .base_sequence = sequences_[producer]});
      sequences_[producer] += static_cast<std::int32_t>(count);
    }
    keep(std::move(batch), BatchOrigin::engine, std::move(records));
  }

  void keep(Buffer batch, BatchOrigin origin, std::vector<ModelRecord> records) {
    Append what;
    what.batches.push_back({topic_, std::move(batch), origin});
    const auto done = bed_.append(std::move(what));
    ASSERT_TRUE(done) << done.error().message;
    ASSERT_EQ(done->front().base.value, std::ssize(records_));
    for (ModelRecord& record : records) {
      record.append_time = done->front().append_time;
      if (log_times_) record.time = record.append_time;
      records_.push_back(std::move(record));
    }
  }

  void end(std::int64_t producer, Fate fate) {
    bool any = false;
    for (ModelRecord& record : records_) {
      if (record.producer != producer || !record.open) continue;
      any = true;
      record.open = false;
      record.aborted = fate == Fate::abort;
    }
    if (!any && !chance(4)) return;
    Buffer marker = record::build_transaction_marker(
        {.producer_id = producer, .producer_epoch = 0, .end = fate}, {1'000'000});
    keep(std::move(marker), BatchOrigin::coordinator,
         {{.time = {1'000'000}, .producer = producer, .marker = true}});
  }

  void compact() {
    const auto done = bed_.compact();
    ASSERT_TRUE(done) << done.error().message;
    compacted_ = true;
  }

  void restart() {
    answers_under_way_.clear();
    bed_.power_loss();
    ASSERT_TRUE(bed_.open());
    topic_ = bed_.partition("t");
    held_.reset();
  }

  void hold() {
    const Offset end = bed_.log->ends(topic_).visible;
    held_ = Offset{static_cast<std::int64_t>(below(static_cast<std::uint64_t>(end.value) + 1))};
    if (chance(2)) held_ = end;
    bed_.log->hold("reader", topic_, *held_);
  }

  void delete_records() {
    const Ends ends = bed_.log->ends(topic_);
    const auto room = static_cast<std::uint64_t>((ends.visible - ends.start) / 4);
    static_cast<void>(
        bed_.log->delete_records(topic_, ends.start + static_cast<std::int64_t>(below(room + 1))));
  }

  // --- what must hold ---

  void check() {
    if (testing::Test::HasFailure()) return;
    expect_answers_stay();
    const Ends ends = bed_.log->ends(topic_);
    ASSERT_EQ(ends.visible.value, std::ssize(records_));
    const Seen all = read(ends, false);
    for (const auto& [offset, record] : all) expect_same(offset, record);
    for (std::int64_t at = ends.start.value; at < ends.visible.value; ++at) {
      const bool fine = all.contains(at) || may_be_missing(at, ends, all);
      ASSERT_TRUE(fine) << "lost: offset " << at;
    }
    ASSERT_EQ(last_of(read(ends, true)), expected_last(ends));
    if (greedy_ && compacted_ && !held_) expect_one_of_each(ends, all);
    compacted_ = false;
  }

  void expect_same(std::int64_t offset, const SeenRecord& seen) {
    const ModelRecord& made = records_[static_cast<std::size_t>(offset)];
    ASSERT_EQ(seen.marker, made.marker) << offset;
    ASSERT_EQ(seen.producer, made.producer) << offset;
    if (made.marker) return;
    ASSERT_EQ(seen.key, made.key) << offset;
    ASSERT_EQ(seen.value, made.value) << offset;
    ASSERT_EQ(seen.time, made.time) << offset;
    ASSERT_EQ(seen.header, made.header) << offset;
  }

  bool may_be_missing(std::int64_t at, const Ends& ends, const Seen& all) const {
    const ModelRecord& made = records_[static_cast<std::size_t>(at)];
    if (at >= ends.stable.value || made.open) return false;
    const bool old = made.append_time + kDeleteRetention <= bed_clock();
    if (made.marker) return old && no_records_before(at, made.producer, ends, all);
    if (made.aborted || (!made.value && old)) return true;
    for (std::int64_t later = at + 1; later < ends.stable.value; ++later) {
      const ModelRecord& other = records_[static_cast<std::size_t>(later)];
      if (!other.marker && !other.aborted && other.key == made.key) return true;
    }
    return false;
  }
  Timestamp bed_clock() const { return const_cast<LogBed&>(bed_).executor.clock().now(); }

  // Whether nothing is left of the transaction that the marker at this offset ended.
  bool no_records_before(std::int64_t at, std::int64_t producer, const Ends& ends,
                         const Seen& all) const {
    for (std::int64_t before = at - 1; before >= ends.start.value; --before) {
      const ModelRecord& made = records_[static_cast<std::size_t>(before)];
      if (made.producer != producer) continue;
      if (made.marker) return true;
      if (all.contains(before)) return false;
    }
    return true;
  }

  using Last = std::map<std::string, std::pair<std::int64_t, std::string>>;
  static Last last_of(const Seen& seen) {
    Last last;
    for (const auto& [offset, record] : seen) {
      if (record.marker) continue;
      last.erase(record.key);
      if (record.value) last[record.key] = {offset, *record.value};
    }
    return last;
  }
  Last expected_last(const Ends& ends) const {
    Seen committed;
    for (std::int64_t at = ends.start.value; at < ends.stable.value; ++at) {
      const ModelRecord& made = records_[static_cast<std::size_t>(at)];
      if (!made.aborted && !made.marker) committed[at] = {.key = made.key, .value = made.value};
    }
    return last_of(committed);
  }

  // Below the newest segment, when nothing stood in the way.
  void expect_one_of_each(const Ends& ends, const Seen& all) {
    std::int64_t newest = 0;
    const auto names = bed_.disk.list("data/topics/t-0");
    for (const std::string& name : *names)
      newest = std::max(newest, std::int64_t{std::stoll(name)});
    if (newest > ends.stable.value) return;
    std::set<std::string> keys;
    for (const auto& [offset, record] : all) {
      if (offset >= newest || record.marker) continue;
      ASSERT_TRUE(keys.insert(record.key).second) << record.key << " twice, again at " << offset;
    }
  }

  // --- a reader, as Kafka's clients are ---

  Seen read(const Ends& ends, bool committed) {
    Seen all;
    const Offset end = committed ? ends.stable : ends.visible;
    for (Offset from = ends.start; from < end;) {
      const auto read = read_some(from, committed ? Isolation::committed : Isolation::uncommitted);
      if (!read) return ADD_FAILURE() << read.error().message, all;
      if (read->next <= from) return ADD_FAILURE() << "stuck at " << from.value, all;
      take(*read, from, all);
      from = read->next;
    }
    return all;
  }

  // By a copy, or from where the bytes lie; some of those are looked at again much later.
  Result<ReadBatches> read_some(Offset from, Isolation isolation) {
    const std::size_t size_max = 1 + below(3'000);
    if (chance(2)) return bed_.log->read(topic_, from, size_max, isolation);
    auto read = bed_.log->read_in_place(topic_, from, size_max, below(600), isolation);
    if (!read || !read->in_file) return read;
    read->bytes = bytes_of(*read->in_file);
    if (chance(8)) answers_under_way_.emplace_back(*read->in_file, read->bytes);
    return read;
  }
  static Buffer bytes_of(const io::FileRange& range) {
    Buffer bytes(range.size);
    EXPECT_EQ(range.file->read_at(range.position, bytes).value_or(0), bytes.size());
    return bytes;
  }
  void expect_answers_stay() {
    for (const auto& [range, bytes] : answers_under_way_) ASSERT_EQ(bytes_of(range), bytes);
  }

  static void take(const ReadBatches& read, Offset from, Seen& all) {
    auto told = read.aborted;
    std::set<std::int64_t> aborting;
    for (const auto& place : read.batches) {
      const auto batch = ByteView(read.bytes).subspan(place.index_begin, place.size);
      const auto header = record::check_batch(batch).value();
      std::erase_if(told, [&](const AbortedTransaction& transaction) {
        const bool begins = transaction.first <= header.last_offset();
        if (begins) aborting.insert(transaction.producer_id);
        return begins;
      });
      if (header.control()) {
        if (record::read_transaction_marker(batch)->end == Fate::abort)
          aborting.erase(header.producer_id);
      } else if (header.transactional() && aborting.contains(header.producer_id)) {
        continue;
      }
      take_records(batch, from, all);
    }
  }

  static void take_records(ByteView batch, Offset from, Seen& all) {
    auto reader = record::BatchReader::open(batch, 1_MiB).value();
    record::RecordView record;
    while (reader.next(record).value()) {
      if (record.offset < from) continue;
      SeenRecord& seen = all[record.offset.value];
      seen = {.time = record.timestamp,
              .producer = reader.header().producer_id,
              .marker = reader.header().control()};
      if (record.key) seen.key = as_text(*record.key);
      if (record.value) seen.value = as_text(*record.value);
      const auto headers = record::read_headers(record).value();
      if (!headers.empty()) seen.header = as_text(*headers[0].value);
    }
  }

  LogBed bed_;
  io::SeededRandom random_;
  PartitionId topic_;
  std::vector<ModelRecord> records_;  // by offset
  std::map<std::int64_t, std::int32_t> sequences_;
  std::vector<std::pair<io::FileRange, Buffer>> answers_under_way_;  // and what they must stay
  std::optional<Offset> held_;
  bool greedy_ = false;
  bool log_times_ = false;
  bool compacted_ = false;
  std::uint64_t value_count_ = 0;
};

TEST(LogCompaction, agrees_with_a_plain_list_of_all_records) {
  for (const std::uint64_t seed : io::test_seeds(kWorldCount)) {
    SCOPED_TRACE(io::seed_note(seed));
    World(seed).run();
    if (HasFailure()) {
      std::fprintf(stderr, "failed with %s\n", io::seed_note(seed).c_str());
      return;
    }
  }
}

}  // namespace log_compaction_property_test
}  // namespace adbrook::log
