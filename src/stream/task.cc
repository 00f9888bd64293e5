#include "stream/task.h"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "base/assert.h"
#include "io/failpoint.h"
#include "stream/evolution.h"

namespace adbrook::stream {

namespace {

constexpr std::string_view kLevelsBlob = "task:levels";
constexpr std::string_view kPartsBlob = "topology";

std::string path_of(const std::string& directory, const std::string& group,
                    std::int32_t partition) {
  return directory + "/" + group + "/" + std::to_string(partition);
}

std::uint64_t record_count(ByteView batch) {
  return static_cast<std::uint64_t>(record::read_header(batch)->record_count);
}

}  // namespace

Task::Task(bus::Bus& bus, io::FileSystem& files, std::unique_ptr<Topology> topology,
           std::string group, std::string directory, StreamOptions options,
           std::function<void(std::string_view)> note)
    : bus_(bus),
      files_(files),
      topology_(std::move(topology)),
      group_(std::move(group)),
      directory_(path_of(directory, group_, topology_->partition())),
      options_(std::move(options)),
      note_(std::move(note)),
      fingerprint_(topology_->fingerprint()),
      fingerprint_without_feeds_(topology_->fingerprint_without_feeds()),
      changelog_{group_ + "-changelog", topology_->partition()} {
  for (const auto& input : topology_->inputs()) {
    readers_.emplace_back(bus_, bus::Partition{input->topic(), topology_->partition()});
    level_count_ = std::max(level_count_, input->level() + 1);
  }
  stepped_inputs_.resize(readers_.size());
}

// Sinks stay muted until the replay is over: what its steps wrote is in the topics already.
Result<void> Task::open() {
  if (auto made = files_.make_directories(directory_); !made) return made;
  auto opened = state::Checkpoint::open(files_, directory_);
  if (!opened) return std::unexpected(opened.error());
  checkpoint_ = std::move(*opened);
  for (const std::string& damage : checkpoint_->damage())
    note_("checkpoint of " + changelog_.topic + " " + std::to_string(changelog_.number) +
          " passed over, an older one or a longer replay takes its place: " + damage);
  for (const auto& sink : topology_->sinks()) sink->mute(true);
  for (Operator* part : topology_->parts()) part->open(*checkpoint_);
  if (auto fine = trouble(); !fine) return fine;
  auto begun = checkpoint_->empty() ? begin_at_start() : load_state();
  if (begun) hold_inputs();
  return begun;
}

// Without a checkpoint the whole changelog is replayed; a new group begins with what is kept.
Result<void> Task::begin_at_start() {
  for (InputReader& reader : readers_) {
    const auto ends = bus_.ends(reader.partition());
    if (!ends) return std::unexpected(ends.error());
    reader.seek(ends->start, ends->start.value);
  }
  const auto ends = bus_.ends(changelog_);
  if (!ends) return std::unexpected(ends.error());
  changelog_position_ = ends->start;
  return {};
}

// The order of blobs and positions is that of the topology, which the fingerprint holds fixed.
Result<void> Task::load_state() {
  io::failpoint("restore-load");
  const state::CheckpointHead& head = checkpoint_->head();
  if (!is_own(head.topology_fingerprint)) {
    if (auto decided = take_over(); !decided) return decided;
    if (origin_ == Origin::rebuilt) {
      checkpoint_->start_over();
      return begin_at_start();
    }
  }
  if (head.positions.size() != readers_.size() + 1)
    return fail(ErrorKind::corrupt, directory_ + ": the checkpoint names other inputs");
  changelog_position_ = head.positions.back().offset;
  commit_number_ = checkpointed_number_ = head.commit_number;

  const auto blob = checkpoint_->read(kTaskBlob);
  if (!blob) return std::unexpected(blob.error());
  ByteView rest = *blob;
  if (rest.size() < 16)
    return fail(ErrorKind::corrupt, directory_ + ": the task's blob is cut off");
  topology_->context().watermark = {load_le<std::int64_t>(rest.data())};
  replayed_commit_time_ = {load_le<std::int64_t>(rest.data() + 8)};
  rest = rest.subspan(16);
  for (const auto& input : topology_->inputs())
    if (auto loaded = input->time().load(rest); !loaded) return pass(loaded.error(), directory_);
  for (std::size_t i = 0; i < readers_.size(); ++i) {
    if (rest.size() < sizeof(std::int64_t))
      return fail(ErrorKind::corrupt, directory_ + ": the task's blob is cut off");
    readers_[i].seek(head.positions[i].offset, load_le<std::int64_t>(rest.data()));
    rest = rest.subspan(sizeof(std::int64_t));
  }
  if (auto loaded = topology_->context().counts.load(rest); !loaded)
    return pass(loaded.error(), directory_);
  if (auto loaded = load_levels(); !loaded) return loaded;
  for (Operator* part : topology_->parts())
    if (auto loaded = part->load(*checkpoint_); !loaded) return pass(loaded.error(), directory_);
  return {};
}

// An older checkpoint does not have it; its operators all go by the last level's.
Result<void> Task::load_levels() {
  TaskContext& context = topology_->context();
  context.level_watermarks.assign(static_cast<std::size_t>(level_count_), context.watermark);
  if (!checkpoint_->size(kLevelsBlob)) return {};
  const auto blob = checkpoint_->read(kLevelsBlob);
  if (!blob) return std::unexpected(blob.error());
  if (blob->size() != context.level_watermarks.size() * sizeof(std::int64_t))
    return fail(ErrorKind::corrupt, directory_ + ": the checkpoint has other levels of inputs");
  for (std::size_t i = 0; i < context.level_watermarks.size(); ++i)
    context.level_watermarks[i] = {load_le<std::int64_t>(blob->data() + i * sizeof(std::int64_t))};
  return {};
}

// Only the state right after the last commit may be taken over: steps behind it were taken by parts
// that are gone, and replay() refuses them.
Result<void> Task::take_over() {
  const std::string begin = directory_ + ": this checkpoint was written by another topology";
  if (!checkpoint_->size(kPartsBlob))
    return fail(ErrorKind::invalid,
                begin + ", of which it says nothing; go back to it or use another group");
  const auto stored = checkpoint_->read(kPartsBlob);
  if (!stored) return std::unexpected(stored.error());
  const auto [evolution, what] = compare_topologies(
      as_text(*stored), remembered_parts(*topology_, feeds_in(as_text(*stored))));
  if (evolution == Evolution::refuse)
    return fail(ErrorKind::invalid, begin + ": " + what +
                                        "; its positions and steps mean other inputs, so use "
                                        "another group or go back to it");
  if (evolution == Evolution::rebuild && !options_.rebuild)
    return fail(ErrorKind::invalid,
                begin + ": " + what +
                    "; go back to it, use another group, or set StreamOptions::rebuild to take all "
                    "steps again from the first input on");
  origin_ = evolution == Evolution::compatible ? Origin::taken_over : Origin::rebuilt;
  note_(begin + ": " + what +
        (origin_ == Origin::taken_over ? "; its state goes on" : "; the state is built again"));
  return {};
}

// One fetch at a time, so that a long changelog never lies in memory as a whole.
Result<void> Task::fetch_changelog() {
  auto fetched = bus_.fetch(changelog_, changelog_position_, kFetchSize);
  if (!fetched) return pass(fetched.error(), changelog_.topic);
  for (const auto& batch : fetched->batches) {
    auto reader = record::BatchReader::open(
        ByteView(fetched->bytes).subspan(batch.index_begin, batch.size), kDecompressedSizeMax);
    if (!reader) return pass(reader.error(), changelog_.topic);
    record::RecordView view;
    for (;;) {
      const auto more = reader->next(view);
      if (!more) return pass(more.error(), changelog_.topic);
      if (!*more) break;
      auto record = decode_commit_record(view.value.value_or(ByteView{}));
      if (!record) return std::unexpected(record.error());
      logged_.push_back({std::move(*record), view.offset, batch.append_time});
    }
  }
  changelog_position_ = fetched->next;
  return {};
}

Result<bool> Task::replay_next() {
  if (logged_.empty())
    if (auto fetched = fetch_changelog(); !fetched) return std::unexpected(fetched.error());
  if (logged_.empty()) {
    if (auto done = finish_replay(); !done) return std::unexpected(done.error());
    return false;
  }
  Logged logged = std::move(logged_.front());
  logged_.pop_front();
  // The checkpoint's offset is a lower bound: what lies before its commit is passed over.
  if (logged.record.number <= commit_number_) return true;
  unfinished_.reset();
  if (logged.record.written_count > 0) {
    unfinished_ = std::move(logged.record);
    return true;
  }
  if (auto done = replay(logged.record); !done) return pass(done.error(), where(logged.record));
  replayed_commit_time_ = logged.append_time;
  return true;
}

std::string Task::where(const CommitRecord& record) const {
  return changelog_.topic + " " + std::to_string(changelog_.number) + ", commit " +
         std::to_string(record.number);
}

Result<void> Task::finish_replay() {
  if (auto same = check_positions(); !same) return same;
  for (const auto& sink : topology_->sinks()) sink->mute(false);
  // From now on the state is this topology's, also after a crash.
  if (origin_ != Origin::own) events_since_checkpoint_ = options_.checkpoint_events;
  if (!unfinished_) return {};
  const CommitRecord record = std::move(*std::exchange(unfinished_, std::nullopt));
  if (auto done = take_again(record); !done) return pass(done.error(), where(record));
  return {};
}

// A crash came between the parts of this commit: its steps are taken once more, and what they wrote
// already is left out when they are committed.
Result<void> Task::take_again(const CommitRecord& record) {
  if (record.fingerprint != fingerprint_)
    return fail(ErrorKind::invalid,
                "another topology made it and wrote only a part of its outputs; start that one "
                "once more and stop it cleanly");
  if (auto done = repeat_steps(record); !done) return done;
  for (const Step& step : record.steps)
    if (step.kind == Step::Kind::records) stepped_inputs_[step.input] = true;
  steps_ = record.steps;
  written_count_ = record.written_count;
  return {};
}

// The positions were committed together with the changelog: they differ only when one was lost.
Result<void> Task::check_positions() {
  for (const InputReader& reader : readers_) {
    const auto committed = bus_.committed(group_, reader.partition());
    if (!committed) return std::unexpected(committed.error());
    if (committed->value >= 0 && *committed != reader.position())
      return fail(ErrorKind::corrupt,
                  changelog_.topic + " " + std::to_string(changelog_.number) +
                      ": its steps lead to offset " + std::to_string(reader.position().value) +
                      " of " + reader.partition().topic + ", but the group's position is " +
                      std::to_string(committed->value) + "; restore the changelog topic");
  }
  return {};
}

Result<void> Task::replay(const CommitRecord& record) {
  if (auto done = repeat_steps(record); !done) return done;
  commit_number_ = record.number;
  return {};
}

Result<void> Task::repeat_steps(const CommitRecord& record) {
  io::failpoint("restore-replay");
  if (record.number != commit_number_ + 1)
    return fail(ErrorKind::corrupt, "the commits before it are missing since " +
                                        std::to_string(commit_number_) +
                                        "; the changelog lost records, restore it");
  const bool own = is_own(record.fingerprint);
  if (!own && origin_ != Origin::rebuilt)
    return fail(ErrorKind::invalid,
                origin_ == Origin::taken_over
                    ? "it was made by another topology after its last checkpoint; start that one "
                      "once more and stop it cleanly"
                    : "it was made by another topology (operators, stores or their options "
                      "differ); go back to it or use another group");
  for (const Step& step : record.steps)
    if (auto done = replay_step(step); !done) return done;
  if (own && (topology_->context().watermark != record.watermark ||
              topology_->context().counts.digest() != record.digest))
    return fail(ErrorKind::corrupt,
                "the replayed steps led to other counts than when they were first taken; an input "
                "was changed or the program is not deterministic, report this");
  return {};
}

// Takes exactly the batches of the step, however the bus cuts its fetches today.
Result<void> Task::replay_step(const Step& step) {
  if (step.input >= readers_.size())
    return fail(ErrorKind::corrupt, "a step names input " + std::to_string(step.input));
  if (step.kind == Step::Kind::advance) {
    topology_->inputs()[step.input]->time().advance(step.watermark);
    return guarded([&] { return end_step(); });
  }
  if (step.kind == Step::Kind::clock) return call_timers(step.watermark);
  InputReader& reader = readers_[step.input];
  // A new group's first step tells where it began, which retention may have moved since.
  if (reader.position() != step.first)
    reader.seek(step.first, reader.passed_over() + (step.first - reader.position()));
  const auto taken = reader.take_until(step.end);
  if (!taken) return std::unexpected(taken.error());
  return process(step.input, *taken);
}

Result<std::int64_t> Task::take_records(std::size_t input, Timestamp before) {
  const auto taken = readers_[input].take(before);
  if (!taken) return std::unexpected(taken.error());
  steps_.push_back(Step::of_records(static_cast<std::uint16_t>(input), taken->first, taken->end));
  stepped_inputs_[input] = true;
  uncommitted_events_ += taken->record_count;
  if (auto done = process(input, *taken); !done) return std::unexpected(done.error());
  return taken->record_count;
}

Result<void> Task::advance(std::size_t input, Timestamp watermark) {
  topology_->inputs()[input]->time().advance(watermark);
  steps_.push_back(Step::of_advance(static_cast<std::uint16_t>(input), watermark));
  return guarded([&] { return end_step(); });
}

Result<void> Task::tell_clock(Timestamp now) {
  steps_.push_back(Step::of_clock(now));
  return call_timers(now);
}

std::optional<Timestamp> Task::next_clock() const {
  std::optional<Timestamp> first;
  for (const Operator* part : topology_->parts())
    if (const auto next = part->next_clock()) first = std::min(first.value_or(*next), *next);
  return first;
}

Result<void> Task::call_timers(Timestamp now) {
  return guarded([&]() -> Result<void> {
    for (Operator* part : topology_->parts()) part->on_clock(now);
    return end_step();
  });
}

Result<void> Task::process(std::size_t input, const InputReader::Taken& taken) {
  event_count_ += static_cast<std::uint64_t>(taken.record_count);
  events_since_checkpoint_ += taken.record_count;
  return guarded([&]() -> Result<void> {
    if (auto done = topology_->inputs()[input]->take(taken.batches); !done)
      return pass(done.error(), readers_[input].partition().topic);
    return end_step();
  });
}

// Codecs and policies are the application's; what they throw ends here, at the batch.
template <class F>
Result<void> Task::guarded(F user_code) {
  try {
    return user_code();
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::overloaded,
                "a step did not get the memory it asked for (std::bad_alloc); nothing of it is "
                "committed: give the process more memory or the stores smaller budgets and start "
                "again, or, if it comes again at the same place, look for an operator that takes a "
                "size out of a record unchecked");
  } catch (const std::exception& error) {
    return fail(ErrorKind::invalid, std::string("an operator threw: ") + error.what() +
                                        "; correct the topology and start again");
  } catch (...) {
    return fail(ErrorKind::invalid, "an operator threw; correct the topology and start again");
  }
}

Result<void> Task::end_step() {
  topology_->pass_time();
  return trouble();
}

Result<void> Task::trouble() const {
  for (const Operator* part : topology_->parts())
    if (auto fine = part->trouble(); !fine) return fine;
  return {};
}

// What goes into a topic of `level` is caused by events of lower levels only.
std::optional<Timestamp> Task::watermark_below(int level) const {
  std::optional<Timestamp> least;
  for (const auto& input : topology_->inputs()) {
    if (input->level() >= level) continue;
    if (const auto own = input->watermark()) least = least ? std::min(*least, *own) : *own;
  }
  return least;
}

std::size_t Task::uncommitted_size() const {
  std::size_t size = 0;
  for (const auto& sink : topology_->sinks()) size += sink->size();
  return size;
}

bool Task::unit_is_full() const {
  return steps_.size() >= kStepsPerCommitMax || uncommitted_events_ >= kEventsPerCommitMax ||
         uncommitted_size() >= static_cast<std::size_t>(options_.commit_size.count);
}

// The stores count what they hold on their own, so a leak shows even when the counts agree.
Result<void> Task::check_identities() const {
  std::vector<std::string> names;
  for (const auto& input : topology_->inputs()) names.push_back(input->topic());
  const OutcomeCounts& counts = topology_->context().counts;
  if (auto holds = counts.check(names); !holds) return holds;
  std::uint64_t waiting = 0;
  for (const Operator* part : topology_->parts()) waiting += part->pending_count();
  if (waiting != counts.pending_total())
    return fail(ErrorKind::corrupt, "pending events do not add up: counted " +
                                        std::to_string(counts.pending_total()) + ", held " +
                                        std::to_string(waiting) +
                                        "; the task commits no more, report this");
  return {};
}

// Promises are taken here, at the cut: what the task does later is not durable with this unit.
Result<Unit> Task::cut_unit() {
  ADBROOK_ASSERT(has_uncommitted(), "a commit has steps");
  if (auto holds = check_identities(); !holds) return std::unexpected(holds.error());
  Unit unit;
  unit.number = ++commit_number_;
  auto outputs = take_outputs();
  if (!outputs) return std::unexpected(outputs.error());
  std::size_t size = 0;
  unit.commits.emplace_back();
  for (bus::Commit::Output& output : *outputs) {
    if (size > 0 && size + output.batch.size() > kCommitPartMax) {
      add_commit_record(unit.commits.back(), written_count_);
      unit.commits.emplace_back();
      size = 0;
    }
    size += output.batch.size();
    written_count_ += record_count(output.batch);
    unit.commits.back().outputs.push_back(std::move(output));
  }
  written_count_ = 0;
  bus::Commit& last = unit.commits.back();
  add_commit_record(last, 0);
  last.group = group_;
  for (std::size_t i = 0; i < readers_.size(); ++i) {
    unit.positions.push_back(readers_[i].position());
    if (stepped_inputs_[i])
      last.positions.push_back({readers_[i].partition(), readers_[i].position()});
    stepped_inputs_[i] = false;
  }
  for (int level = 1; level < level_count_; ++level)
    unit.promises.push_back(watermark_below(level));
  steps_.clear();
  uncommitted_events_ = 0;
  return unit;
}

// In the order of sinks and partitions, without those that are written already. Steps that are
// taken again make the same batches.
Result<std::vector<bus::Commit::Output>> Task::take_outputs() {
  std::vector<bus::Commit::Output> outputs;
  for (const auto& sink : topology_->sinks()) sink->take(outputs);
  std::uint64_t count = 0;
  auto first = outputs.begin();
  for (; first != outputs.end() && count < written_count_; ++first)
    count += record_count(first->batch);
  if (count != written_count_)
    return fail(ErrorKind::corrupt,
                "the first " + std::to_string(written_count_) + " outputs of commit " +
                    std::to_string(commit_number_) +
                    " were written before a crash, and its steps now make other ones; an input "
                    "was changed or the program is not deterministic, report this");
  outputs.erase(outputs.begin(), first);
  return outputs;
}

void Task::add_commit_record(bus::Commit& to, std::uint64_t written_count) {
  to.outputs.push_back({changelog_, commit_record_batch(written_count)});
  changelog_position_ = changelog_position_ + 1;
}

// The record's time is event time, so that nobody's clock gets into the log.
Buffer Task::commit_record_batch(std::uint64_t written_count) {
  CommitRecord record{.number = commit_number_,
                      .fingerprint = fingerprint_,
                      .watermark = topology_->context().watermark,
                      .digest = topology_->context().counts.digest(),
                      .written_count = written_count,
                      .steps = std::move(steps_)};
  Buffer value;
  encode(record, value);
  steps_ = std::move(record.steps);
  record::BatchBuilder builder;
  builder.add(std::max(record.watermark, Timestamp{0}), std::nullopt, value);
  return builder.finish();
}

// Counts from here on even when it fails: a disk in trouble is not asked again at once.
Result<void> Task::write_checkpoint() {
  ADBROOK_ASSERT(!has_uncommitted(), "a checkpoint is the state after a commit");
  events_since_checkpoint_ = 0;
  state::CheckpointHead head{
      .commit_number = commit_number_, .topology_fingerprint = fingerprint_, .positions = {}};
  for (const InputReader& reader : readers_)
    head.positions.push_back({reader.partition().topic, reader.position()});
  head.positions.push_back({changelog_.topic, changelog_position_});
  if (auto begun = checkpoint_->begin(std::move(head)); !begun) return begun;
  io::failpoint("checkpoint-write");
  save_state();
  if (auto written = checkpoint_->commit(); !written) return written;
  checkpointed_number_ = commit_number_;
  hold_inputs();
  return {};
}

void Task::save_state() {
  Buffer blob;
  append_le(blob, topology_->context().watermark.ms);
  append_le(blob, replayed_commit_time_.ms);
  for (const auto& input : topology_->inputs()) input->time().save(blob);
  for (const InputReader& reader : readers_) append_le(blob, reader.passed_over());
  topology_->context().counts.save(blob);
  checkpoint_->replace(kTaskBlob, blob);
  blob.clear();
  for (const Timestamp watermark : topology_->context().level_watermarks)
    append_le(blob, watermark.ms);
  checkpoint_->replace(kLevelsBlob, blob);
  checkpoint_->replace(kPartsBlob, as_bytes(remembered_parts(*topology_)));
  for (Operator* part : topology_->parts()) part->save(*checkpoint_);
}

void Task::hold_inputs() {
  const std::string holder = group_ + "/" + std::to_string(topology_->partition());
  const bool two_kept = checkpoint_ != nullptr && !checkpoint_->empty() &&
                        checkpoint_->oldest_head() != checkpoint_->head();
  // With one checkpoint or none, damage means a replay from the very beginning.
  for (std::size_t i = 0; i < readers_.size(); ++i)
    bus_.hold(holder, readers_[i].partition(),
              two_kept ? checkpoint_->oldest_head().positions[i].offset : Offset{0});
  bus_.hold(holder, changelog_,
            two_kept ? checkpoint_->oldest_head().positions.back().offset : Offset{0});
}

std::int64_t Task::memory() const {
  std::int64_t bytes = 0;
  for (const Operator* part : topology_->parts()) bytes += part->memory();
  return bytes;
}

bool Task::has_full_store() const {
  return std::ranges::any_of(topology_->parts(), [](const Operator* part) { return part->full(); });
}

bool Task::over_budget() const { return has_full_store() || memory() >= options_.memory_max.count; }

}  // namespace adbrook::stream
