// What the parts of a topology have in common: the task they live in, and what the task asks of an
// operator between steps.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "record/batch.h"
#include "state/checkpoint.h"
#include "stream/outcomes.h"
#include "stream/watermark.h"

namespace adbrook::stream {

class DeadLetters;

// What every operator of one task sees. Owned by one thread (the task's).
struct TaskContext {
  std::int32_t partition = 0;
  std::int32_t partition_count = 1;
  std::uint64_t hash_seed = 0;                // secret; changes no answer
  Timestamp watermark = Timestamp::lowest();  // at the begin of the current step
  // The same over the inputs up to each level; the last is `watermark`. Kept by the task.
  std::vector<Timestamp> level_watermarks;
  OutcomeCounts counts{1};
  DeadLetters* dead_letters = nullptr;  // once the topology has a keyed source

  // Over the inputs up to this level; over all of them without a level.
  Timestamp watermark_at(std::optional<int> level) const {
    return level && static_cast<std::size_t>(*level) < level_watermarks.size()
               ? level_watermarks[static_cast<std::size_t>(*level)]
               : watermark;
  }
};

// A named part of a topology. Defaults do nothing: a stateless operator overrides only describe()
// and stateless().
class Operator {
 public:
  virtual ~Operator() = default;

  // The highest level of inputs whose rows come here. Time is theirs then: what an operator tells
  // as time passes may go into a topic of the next level, whose time must not come before it.
  // Without a level time is that of all inputs.
  std::optional<int> flow_level() const { return flow_level_; }
  void set_flow_level(int level) { flow_level_ = level; }

  // An outlet of a part that hands rows to this one, or whose rows this one looks up.
  struct Feed {
    const Operator* part;
    int outlet;  // in the order in which the part makes its outlets
  };
  // In the order in which they were attached, which also tells the sides of a join apart.
  const std::vector<Feed>& feeds() const { return feeds_; }

  // One line for people; the lines of a topology also tell two topologies apart.
  virtual std::string describe() const = 0;
  // Whether it is put together as it has to be; asked once, when the whole topology stands.
  virtual Result<void> check() const { return {}; }
  // It keeps nothing from one step to the next, so that it may come and go while the state stays.
  virtual bool stateless() const { return false; }
  // At the end of every step, with the watermark it ends with (the same or a later one). Parts are
  // called in the order of their making, so what is upstream hands on its results first. An
  // operator that judges lateness goes by the watermark of its own last call: results that an
  // operator in front of it makes here belong to the time before.
  virtual void on_watermark(Timestamp) {}
  // Once, before load() and the first step: where a store spills to. Outlives all other calls.
  virtual void open(state::Checkpoint&) {}
  // Why it cannot work, or a disk error that may have made an answer wrong. Asked after open() and
  // at the end of every step: the task stops then, and nothing of the step is committed.
  virtual Result<void> trouble() const { return {}; }
  // Timers by the wall clock: when the operator wants to be called next, lowest() for at once, and
  // the call. The moment comes out of the changelog on a replay; nobody else may ask a clock.
  virtual std::optional<Timestamp> next_clock() const { return std::nullopt; }
  virtual void on_clock(Timestamp) {}
  // The whole state, into blobs named after the store. Called only between commits.
  virtual void save(state::Checkpoint&) {}
  virtual Result<void> load(const state::Checkpoint&) { return {}; }
  virtual std::int64_t memory() const { return 0; }  // bytes, by capacity
  // A budget of its own is reached: the task takes no more input. Asked between steps.
  virtual bool full() const { return false; }
  // Events that wait in here for another one, by count; what the outcome counts call pending.
  virtual std::uint64_t pending_count() const { return 0; }

 private:
  friend class OutletPlace;

  std::optional<int> flow_level_;
  std::vector<Feed> feeds_;
  int outlet_count_ = 0;
};

// What all outlets have in common: each knows whose it is, so that a topology can say what feeds
// what.
class OutletPlace {
 public:
  explicit OutletPlace(Operator& owner) : feed_{&owner, owner.outlet_count_++} {}
  // For a part that is not attached, but looks up what comes out here.
  void note_reader(Operator& part) const { part.feeds_.push_back(feed_); }

 private:
  Operator::Feed feed_;
};

// One whole record batch of a step, opened.
struct StepBatch {
  record::BatchReader reader;
  Timestamp append_time;
};

struct InputPlace {
  std::string topic;
  std::string origin_topic;
  std::uint16_t index = 0;
  int level = 0;
  bool table = false;  // its records are rows of a table: read before what looks them up
};

// Where records enter a task: one topic, the partition with the task's number.
class Input : public Operator {
 public:
  Input(InputPlace place, WatermarkOptions options) : place_(std::move(place)), time_(options) {}

  const std::string& topic() const { return place_.topic; }
  // The topic that first received these records; topic() itself on level 0.
  const std::string& origin_topic() const { return place_.origin_topic; }
  std::uint16_t index() const { return place_.index; }
  // 0 for topics from outside. Records of an internal topic come from inputs on lower levels only.
  int level() const { return place_.level; }
  bool internal() const { return place_.level > 0; }
  bool table() const { return place_.table; }
  InputTime& time() { return time_; }
  const InputTime& time() const { return time_; }
  // A table beside streams: rows are never late and may rest for years, so it has no say in time.
  void set_timeless(bool timeless) { timeless_ = timeless; }
  // What the input contributes to the task's: nothing while a source never had an event. An
  // internal topic without a promise holds time back, for nobody knows yet what comes through it.
  std::optional<Timestamp> watermark() const {
    if (timeless_) return std::nullopt;
    const auto own = time_.watermark();
    return internal() && !own ? Timestamp::lowest() : own;
  }

  // Decodes the batches and pushes their rows through everything behind. corrupt when a batch does
  // not parse; the task must not go on then.
  virtual Result<void> take(std::span<StepBatch> batches) = 0;

 private:
  InputPlace place_;
  InputTime time_;
  bool timeless_ = false;
};

}  // namespace adbrook::stream
