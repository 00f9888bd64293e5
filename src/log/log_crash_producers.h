// Idempotent and transactional producers in the crash test: what the model expects a partition to
// know of them, and clients that number, repeat and end what they send as Kafka's do.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "log/log_test_bed.h"
#include "record/transaction_marker.h"

namespace adbrook::log {

// A batch that a producer sent and the log has, or had before retention.
struct ModelSent {
  std::int32_t sequence = 0;
  int count = 0;
  std::string value;
  Offset base;
};

// One partition's producers. Owned by one thread.
class ModelProducers {
 public:
  struct State {
    std::int16_t epoch = 0;
    std::deque<ModelSent> last;  // five at most, oldest first
    Offset open{-1};
  };

  void keep(const TestProducer& producer, const ModelSent& sent) {
    State& state = at_epoch(producer);
    state.last.push_back(sent);
    if (state.last.size() > 5) state.last.pop_front();
    if (producer.transactional && state.open < Offset{0}) state.open = sent.base;
  }
  void keep_end(const TestProducer& producer, record::TransactionEnd end, Offset base) {
    State& state = at_epoch(producer);
    if (state.open >= Offset{0} && end == record::TransactionEnd::abort)
      aborted_.push_back({producer.id, state.open, base});
    state.open = {-1};
  }
  const std::map<std::int64_t, State>& states() const { return states_; }

  bool is_aborted(std::int64_t producer, Offset base) const {
    return std::ranges::any_of(aborted_, [&](const AbortedTransaction& transaction) {
      return transaction.producer_id == producer && transaction.first <= base &&
             base <= transaction.last;
    });
  }

  // Compares with what the log says and gives to readers of committed records. Where records are
  // compacted nothing need be said of transactions that have none left.
  void check(LogBed& bed, PartitionId id, bool compacted) const;

 private:
  void check_aborted(LogBed& bed, PartitionId id, bool compacted) const;

  State& at_epoch(const TestProducer& producer) {
    State& state = states_[producer.id];
    if (state.epoch != producer.epoch) state.last.clear();
    state.epoch = producer.epoch;
    return state;
  }

  std::map<std::int64_t, State> states_;
  std::vector<AbortedTransaction> aborted_;
};

inline void ModelProducers::check(LogBed& bed, PartitionId id, bool compacted) const {
  const Ends ends = bed.log->ends(id);
  Offset stable = ends.visible;
  std::map<std::int64_t, State> known = states_;
  for (const ProducerDescription& producer : bed.log->producers(id)) {
    const auto expected = known.find(producer.producer_id);
    ASSERT_NE(expected, known.end()) << "a producer that never was: " << producer.producer_id;
    const State& state = expected->second;
    EXPECT_EQ(producer.producer_epoch, state.epoch);
    EXPECT_EQ(producer.transaction_start, state.open) << "of producer " << producer.producer_id;
    EXPECT_EQ(producer.last_sequence,
              state.last.empty() ? -1 : state.last.back().sequence + state.last.back().count - 1);
    if (state.open >= Offset{0}) stable = std::min(stable, state.open);
    known.erase(expected);
  }
  EXPECT_TRUE(known.empty()) << "a producer was forgotten";
  EXPECT_EQ(ends.stable, std::max(stable, ends.start));
  check_aborted(bed, id, compacted);
}

inline void ModelProducers::check_aborted(LogBed& bed, PartitionId id, bool compacted) const {
  const Ends ends = bed.log->ends(id);
  using Span = std::tuple<std::int64_t, std::int64_t, std::int64_t>;
  const auto span = [](const AbortedTransaction& transaction) {
    return Span{transaction.first.value, transaction.last.value, transaction.producer_id};
  };
  std::set<Span> expected;
  for (const AbortedTransaction& transaction : aborted_)
    if (transaction.last >= ends.start && transaction.first < ends.stable &&
        ends.start < ends.stable)
      expected.insert(span(transaction));
  std::set<Span> told;
  std::vector<AbortedTransaction> read_of;  // batches with records of transactions, where they are
  Offset from = ends.start;
  while (from < ends.stable) {
    const auto read = bed.log->read(id, from, 3'000, Isolation::committed);
    ASSERT_TRUE(read) << read.error().message;
    ASSERT_GT(read->next, from);
    from = read->next;
    for (const AbortedTransaction& transaction : read->aborted) told.insert(span(transaction));
    for (const auto& place : read->batches) {
      const auto header = record::read_header(ByteView(read->bytes).subspan(place.index_begin));
      if (header->transactional() && !header->control())
        read_of.push_back({header->producer_id, header->base_offset, header->base_offset});
    }
  }
  EXPECT_EQ(from, ends.stable);
  if (compacted)
    std::erase_if(expected, [&](const Span& one) {
      const auto [first, last, producer] = one;
      return !told.contains(one) && std::ranges::none_of(read_of, [&](const auto& batch) {
        return batch.producer_id == producer && first <= batch.first.value &&
               batch.first.value <= last;
      });
    });
  EXPECT_EQ(told, expected) << ends.start.value << " to " << ends.stable.value;
}

// One client: at most one batch under way per partition, so that a lost one is the next one.
struct CrashClient {
  std::int64_t id = 0;
  bool transactional = false;
  std::int16_t epoch = 0;
  bool ending = false;
  std::set<std::size_t> under_way;  // partitions of the model
  std::set<std::size_t> touched;    // by the open transaction
  std::map<std::size_t, std::deque<ModelSent>> sent;

  TestProducer next(std::size_t partition) const {
    const auto found = sent.find(partition);
    const bool begins = found == sent.end() || found->second.empty();
    return {.id = id,
            .epoch = epoch,
            .sequence = begins ? 0 : found->second.back().sequence + found->second.back().count,
            .transactional = transactional};
  }
  void acknowledged(std::size_t partition, ModelSent batch) {
    auto& last = sent[partition];
    last.push_back(std::move(batch));
    if (last.size() > 5) last.pop_front();
    if (transactional) touched.insert(partition);
  }
  void begin_epoch() {
    ++epoch;
    sent.clear();
  }
  void forget_all() {
    under_way.clear();
    touched.clear();
    sent.clear();
    ending = false;
    epoch = 0;
  }
  // After a restart a client goes on from what the log has of it.
  void learn(std::size_t partition, const ModelProducers& producers) {
    const auto found = producers.states().find(id);
    if (found == producers.states().end() || found->second.epoch < epoch) return;
    if (found->second.epoch > epoch) sent.clear();
    epoch = found->second.epoch;
    sent[partition] = found->second.last;
    if (found->second.open >= Offset{0}) touched.insert(partition);
  }
};

}  // namespace adbrook::log
