// One task: a topology over one partition number, as a deterministic machine. Its state is a
// function of the steps it took; this class takes them, live or out of the changelog, and cuts them
// into commits. It knows no clock, no thread and no other task.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus/bus.h"
#include "io/file_system.h"
#include "state/checkpoint.h"
#include "stream/changelog.h"
#include "stream/input_reader.h"
#include "stream/stream_options.h"
#include "stream/topology.h"

namespace adbrook::stream {

// Events between two commits: bounds what a restart repeats without a commit record.
inline constexpr std::int64_t kEventsPerCommitMax = 262'144;

// Outputs that are committed at once; a larger unit goes in several appends. Smaller than what the
// smallest log takes, so that no step can have more outputs than can be written.
inline constexpr std::size_t kCommitPartMax = std::size_t{10} << 20;

// Work that was done and is now handed to the bus.
struct Unit {
  // In this order; with the last one the unit is durable as a whole.
  std::deque<bus::Commit> commits;
  std::uint64_t number = 0;
  std::vector<Offset> positions;                   // by input
  std::vector<std::optional<Timestamp>> promises;  // by level, from 1 on
};

// Owned by one thread. After an error nothing may be asked of it any more but watching.
class Task {
 public:
  Task(bus::Bus& bus, io::FileSystem& files, std::unique_ptr<Topology> topology, std::string group,
       std::string directory, StreamOptions options, std::function<void(std::string_view)> note);

  // Loads the newest checkpoint that is whole, or none. Call once, first.
  Result<void> open();
  // Replays the steps of the next commit in the changelog; false when there is none. No step may be
  // taken before. What a crash left of a commit in parts is uncommitted then and must be cut first.
  Result<bool> replay_next();

  // Live steps.
  Result<bool> has_more(std::size_t input) { return readers_[input].has_more(); }
  // One step of whole batches, but for the first none that reaches to `before`. Returns the number
  // of records.
  Result<std::int64_t> take_records(std::size_t input, Timestamp before = Timestamp::highest());
  Result<void> advance(std::size_t input, Timestamp watermark);
  // Tells timers by the wall clock what time it is.
  Result<void> tell_clock(Timestamp now);
  // When the first of them wants to be told; nothing when there is none.
  std::optional<Timestamp> next_clock() const;

  bool has_uncommitted() const { return !steps_.empty(); }
  std::size_t uncommitted_size() const;  // bytes of outputs
  bool unit_is_full() const;
  // Checks the identities and moves everything uncommitted into a unit. The bus must take the units
  // in order. corrupt when an identity is broken.
  Result<Unit> cut_unit();

  // Of all commits, with nothing uncommitted and all units durable.
  bool wants_checkpoint() const { return events_since_checkpoint_ >= options_.checkpoint_events; }
  bool has_news_since_checkpoint() const { return commit_number_ != checkpointed_number_; }
  Result<void> write_checkpoint();
  // Keeps retention and compaction away from what a restart may have to read; from everything as
  // long as no checkpoint is loaded.
  void hold_inputs();

  // The first part that cannot work: also what was read of its state since the last step counts.
  Result<void> trouble() const;
  // Bytes of state; asks every part.
  std::int64_t memory() const;
  bool has_full_store() const;  // by a budget of its own; cheap
  bool over_budget() const;     // that, or the task's

  const std::string& group() const { return group_; }
  const Topology& topology() const { return *topology_; }
  const Input& input(std::size_t index) const { return *topology_->inputs()[index]; }
  std::size_t input_count() const { return topology_->inputs().size(); }
  int level_count() const { return level_count_; }  // levels of inputs; 1: no internal topic
  const InputReader& reader(std::size_t input) const { return readers_[input]; }
  std::uint64_t commit_number() const { return commit_number_; }
  std::uint64_t event_count() const { return event_count_; }  // since the start, replays included
  // When the log took the last commit that was replayed.
  Timestamp replayed_commit_time() const { return replayed_commit_time_; }
  // The smallest watermark of the inputs below this level; nothing when none had an event.
  std::optional<Timestamp> watermark_below(int level) const;

 private:
  Result<void> load_state();
  Result<void> load_levels();
  Result<void> take_over();
  Result<void> begin_at_start();
  Result<void> fetch_changelog();
  Result<void> check_positions();
  // Steps and states of this topology, also as earlier versions signed them.
  bool is_own(std::uint64_t fingerprint) const {
    return fingerprint == fingerprint_ || fingerprint == fingerprint_without_feeds_;
  }
  Result<void> replay(const CommitRecord& record);
  std::string where(const CommitRecord& record) const;
  Result<void> finish_replay();
  Result<void> take_again(const CommitRecord& record);
  Result<void> repeat_steps(const CommitRecord& record);
  Result<void> replay_step(const Step& step);
  Result<void> process(std::size_t input, const InputReader::Taken& taken);
  template <class F>
  Result<void> guarded(F user_code);
  Result<void> call_timers(Timestamp now);
  Result<void> end_step();
  Result<void> check_identities() const;
  Result<std::vector<bus::Commit::Output>> take_outputs();
  void add_commit_record(bus::Commit& to, std::uint64_t written_count);
  Buffer commit_record_batch(std::uint64_t written_count);
  void save_state();

  bus::Bus& bus_;
  io::FileSystem& files_;
  std::unique_ptr<Topology> topology_;
  std::string group_;
  std::string directory_;
  StreamOptions options_;
  std::function<void(std::string_view)> note_;
  std::uint64_t fingerprint_;
  std::uint64_t fingerprint_without_feeds_;
  int level_count_ = 1;

  bus::Partition changelog_;
  Offset changelog_position_;  // where the next commit record is or will be
  struct Logged {
    CommitRecord record;
    Offset offset;
    Timestamp append_time;
  };
  std::deque<Logged> logged_;  // fetched and not yet replayed; one fetch at most
  Timestamp replayed_commit_time_ = Timestamp::lowest();

  std::vector<InputReader> readers_;
  std::vector<Step> steps_;           // uncommitted
  std::vector<bool> stepped_inputs_;  // with records in steps_
  std::int64_t uncommitted_events_ = 0;
  // The last part of a commit that is not whole, while the changelog is read; then how many of its
  // outputs are not to be written again.
  std::optional<CommitRecord> unfinished_;
  std::uint64_t written_count_ = 0;
  // The state, or the steps it is built from, are of another topology.
  enum class Origin : std::uint8_t { own, taken_over, rebuilt } origin_ = Origin::own;
  std::uint64_t commit_number_ = 0;  // of the last commit, also one in flight
  std::uint64_t checkpointed_number_ = 0;
  std::uint64_t event_count_ = 0;
  std::int64_t events_since_checkpoint_ = 0;
  std::unique_ptr<state::Checkpoint> checkpoint_;
};

}  // namespace adbrook::stream
