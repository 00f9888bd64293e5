// The plain reference model of the crash test: what the log must hold after any crash.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "log/log_crash_producers.h"
#include "log/log_test_bed.h"

namespace adbrook::log {

struct ModelBatch {
  std::size_t partition = 0;  // index into CrashModel::partitions
  std::string value;
  int count = 0;
  std::string key;  // where records are compacted
  TestProducer producer;
  std::optional<record::TransactionEnd> end;  // a marker of the coordinator
};

struct ModelOffset {
  std::string group;
  std::size_t partition = 0;
  Offset offset;
};

struct ModelAppend {
  enum class State { waiting, acknowledged, refused };
  State state = State::waiting;
  bool relaxed = false;  // may be lost although acknowledged
  std::vector<ModelBatch> batches;
  std::vector<ModelOffset> offsets;
};

struct ModelPartition {
  std::string topic;
  std::int32_t number = 0;
  bool relaxed = false;
  bool compacted = false;
  bool gone = false;  // its topic was deleted
  struct Batch {
    std::string value;
    int count = 0;
    std::string key;
    std::int64_t producer = -1;
    bool marker = false;
  };
  std::map<Offset, Batch> kept;  // what is sure to be there, by base offset
  Offset next;                   // behind `kept`
  Offset start_least;            // retention said so, durably
  Offset start_most;             // never beyond
  Offset start_seen;             // by a reader, the last time
  Offset seen;                   // a reader saw everything below
  ModelProducers producers;
};

// Owned by one thread. Everything that is wrong becomes a test failure.
class CrashModel {
 public:
  std::vector<ModelPartition> partitions;
  // Since the last start, in the order they were made.
  std::vector<std::unique_ptr<ModelAppend>> appends;

  void answered(ModelAppend& append, const Appended& result);

  // Compares everything with a log that was just opened; what it holds is sure from now on.
  void check_after_start(LogBed& bed);
  // Compares what is visible of one partition while the log runs.
  void check_running(LogBed& bed, std::size_t index);

 private:
  using Found = std::map<Offset, ModelPartition::Batch>;
  Found read_all(LogBed& bed, ModelPartition& partition);
  enum class Presence { whole, none, cannot_tell, torn };
  Presence presence(const ModelAppend& append, const std::vector<Found>& found,
                    const std::vector<Ends>& ends) const;
  void check_compacted(const ModelPartition& partition, const Found& found, const Ends& ends);
  void keep(const ModelAppend& append);
  void check_offsets(LogBed& bed);

  // What each group's position may be: the last known one, or what an unanswered append made of it.
  std::map<std::pair<std::string, std::size_t>, std::set<Offset>> positions_;
};

inline void CrashModel::answered(ModelAppend& append, const Appended& result) {
  if (!result) {
    const bool unknown =
        result.error().kind == ErrorKind::io_failed || result.error().kind == ErrorKind::closed;
    if (!unknown) append.state = ModelAppend::State::refused;
    return;
  }
  append.state = ModelAppend::State::acknowledged;
  ASSERT_EQ(result->size(), append.batches.size());
  for (std::size_t i = 0; i < result->size(); ++i) {
    const ModelBatch& batch = append.batches[i];
    EXPECT_EQ((*result)[i].last, (*result)[i].base + (batch.count - 1));
  }
}

inline CrashModel::Found CrashModel::read_all(LogBed& bed, ModelPartition& partition) {
  Found found;
  const auto id = bed.log->partition(partition.topic, partition.number);
  if (!id) return ADD_FAILURE() << id.error().message, found;
  const Ends ends = bed.log->ends(*id);
  Offset from = ends.start;
  while (from < ends.visible) {
    const auto read = bed.log->read(*id, from, 3'000);
    if (!read) return ADD_FAILURE() << read.error().message, found;
    if (read->batches.empty()) return ADD_FAILURE() << "a hole at " << from.value, found;
    for (const auto& batch : read->batches) {
      const auto bytes = ByteView(read->bytes).subspan(batch.index_begin, batch.size);
      const auto header = record::check_batch(bytes);
      // Records were deleted up to the middle of a batch.
      const bool cut = from == ends.start && header && header->base_offset < from;
      const bool hole = partition.compacted && header && header->base_offset > from;
      if (!header || (header->base_offset != from && !cut && !hole))
        return ADD_FAILURE() << "a hole or damage at " << from.value, found;
      found[header->base_offset] = {.value = value_of(bytes), .count = header->record_count};
      from = header->last_offset() + 1;
    }
  }
  EXPECT_EQ(from, ends.visible);
  return found;
}

inline CrashModel::Presence CrashModel::presence(const ModelAppend& append,
                                                 const std::vector<Found>& found,
                                                 const std::vector<Ends>& ends) const {
  std::map<std::size_t, Offset> next;
  bool some = false;
  bool some_missing = false;
  for (const ModelBatch& batch : append.batches) {
    const ModelPartition& partition = partitions[batch.partition];
    if (partition.gone) continue;
    const Offset base = next.try_emplace(batch.partition, partition.next).first->second;
    next[batch.partition] = base + batch.count;
    if (base < ends[batch.partition].start) continue;
    const auto there = found[batch.partition].find(base);
    // What has a place in the log and is not there any more was compacted.
    const bool missing = there == found[batch.partition].end();
    const bool same = missing ? partition.compacted && base < ends[batch.partition].visible
                              : there->second.value == batch.value &&
                                    (partition.compacted || there->second.count == batch.count);
    (same ? some : some_missing) = true;
  }
  if (some && some_missing) return Presence::torn;
  if (!some && !some_missing) return Presence::cannot_tell;
  return some ? Presence::whole : Presence::none;
}

inline void CrashModel::keep(const ModelAppend& append) {
  for (const ModelBatch& batch : append.batches) {
    ModelPartition& partition = partitions[batch.partition];
    partition.kept[partition.next] = {batch.value, batch.count, batch.key, batch.producer.id,
                                      batch.end.has_value()};
    if (batch.end)
      partition.producers.keep_end(batch.producer, *batch.end, partition.next);
    else if (batch.producer.id >= 0)
      partition.producers.keep(batch.producer,
                               {batch.producer.sequence, batch.count, batch.value, partition.next});
    partition.next = partition.next + batch.count;
  }
  for (const ModelOffset& offset : append.offsets)
    positions_[{offset.group, offset.partition}] = {offset.offset};
}

inline void CrashModel::check_after_start(LogBed& bed) {
  std::vector<Found> found(partitions.size());
  std::vector<Ends> ends(partitions.size());
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    ModelPartition& partition = partitions[i];
    if (partition.gone) continue;
    found[i] = read_all(bed, partition);
    ends[i] = bed.log->ends(bed.partition(partition.topic, partition.number));
    EXPECT_GE(ends[i].start, partition.start_least) << "the log start went back";
    EXPECT_LE(ends[i].start, partition.start_most) << "more was dropped than retention said";
  }
  bool ended = false;
  // One caller's appends keep their order. One that was refused unheard leaves no trace.
  for (const auto& append : appends) {
    if (append->state == ModelAppend::State::refused) continue;
    const bool sure = append->state == ModelAppend::State::acknowledged && !append->relaxed;
    const Presence there = presence(*append, found, ends);
    const std::string what = append->batches.empty() ? "offsets" : append->batches[0].value;
    EXPECT_NE(there, Presence::torn) << "seen in part: " << what.substr(0, 12);
    EXPECT_FALSE(ended && there == Presence::whole) << "behind a lost one: " << what.substr(0, 12);
    EXPECT_FALSE(sure && there == Presence::none) << "lost: " << what.substr(0, 12);
    EXPECT_FALSE(sure && ended) << "lost or behind a lost one: " << what.substr(0, 12);
    ended = ended || (there == Presence::none && append->state == ModelAppend::State::acknowledged);
    if (ended || there == Presence::none) continue;
    if (there == Presence::whole || append->state == ModelAppend::State::acknowledged) {
      keep(*append);
      continue;
    }
    // Offsets alone, or batches of deleted topics: either way is right, and the next ones follow.
    for (const ModelOffset& offset : append->offsets) {
      auto& allowed = positions_[{offset.group, offset.partition}];
      if (allowed.empty()) allowed.insert(Offset{-1});
      allowed.insert(offset.offset);
    }
  }
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    ModelPartition& partition = partitions[i];
    if (partition.gone) continue;
    const Offset start = ends[i].start;
    if (partition.compacted) check_compacted(partition, found[i], ends[i]);
    for (const auto& [base, batch] : partition.kept) {
      if (base < start || (partition.compacted && !found[i].contains(base))) continue;
      const auto there = found[i].find(base);
      ASSERT_NE(there, found[i].end()) << "lost at " << base.value;
      EXPECT_EQ(there->second.value, batch.value) << "another batch at " << base.value;
    }
    const Offset end = ends[i].visible;
    EXPECT_EQ(end, partition.next) << "twice, or never acknowledged and never made";
    EXPECT_TRUE(partition.relaxed || end >= partition.seen) << "a reader saw what vanished";
    partition.kept.erase(partition.kept.begin(), partition.kept.lower_bound(start));
    partition.start_least = partition.start_most = partition.start_seen = start;
    partition.seen = end;
    partition.producers.check(bed, bed.partition(partition.topic, partition.number),
                              partition.compacted);
  }
  check_offsets(bed);
  appends.clear();
}

// Of each key the newest record that counts is there, or it was a deletion and nothing older is.
inline void CrashModel::check_compacted(const ModelPartition& partition, const Found& found,
                                        const Ends& ends) {
  std::set<std::string> met;
  std::set<std::string> deleted;
  for (auto kept = partition.kept.rbegin(); kept != partition.kept.rend(); ++kept) {
    const auto& [base, batch] = *kept;
    if (base < ends.start) break;
    const bool there = found.contains(base);
    if (base >= ends.stable) EXPECT_TRUE(there) << "lost at the end, " << base.value;
    if (base >= ends.stable || batch.marker) continue;
    if (partition.producers.is_aborted(batch.producer, base)) continue;
    if (met.insert(batch.key).second) {
      if (!batch.value.empty()) EXPECT_TRUE(there) << "the last of its key, " << base.value;
      if (batch.value.empty() && !there) deleted.insert(batch.key);
    } else if (deleted.contains(batch.key)) {
      EXPECT_FALSE(there) << "its deletion went first, " << base.value;
    }
  }
}

inline void CrashModel::check_offsets(LogBed& bed) {
  for (auto& [key, allowed] : positions_) {
    const ModelPartition& partition = partitions[key.second];
    if (partition.gone) continue;
    const Offset now =
        bed.log->committed(key.first, bed.partition(partition.topic, partition.number));
    EXPECT_TRUE(allowed.contains(now))
        << "position " << now.value << " of " << key.first << " was never the last one";
    allowed = {now};
  }
}

inline void CrashModel::check_running(LogBed& bed, std::size_t index) {
  ModelPartition& partition = partitions[index];
  if (partition.gone) return;
  const auto id = bed.log->partition(partition.topic, partition.number);
  if (!id) return;
  const Ends ends = bed.log->ends(*id);
  partition.seen = std::max(partition.seen, ends.visible);
  partition.start_most = std::max(partition.start_most, ends.start);
  partition.start_seen = ends.start;
}

}  // namespace adbrook::log
