#include "stream/task_loop.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "io/failpoint.h"

namespace adbrook::stream {

namespace {

// Steps of a task before others get the thread.
constexpr int kStepsPerTurn = 8;
constexpr Millis kRetryDelay{100};
// A timer that waits for room does not keep the thread busy meanwhile.
constexpr Millis kTimerDelayMin{1};
// Adding up a state's memory walks its buckets, so it is not done at every turn.
constexpr std::uint64_t kEventsPerBudgetLook = 32'768;

}  // namespace

TaskLoop::TaskLoop(TaskRunnerPlaces places, std::unique_ptr<Task> task, PromiseBoard& board,
                   StreamOptions options, std::function<void()> promised)
    : places_(std::move(places)),
      task_(std::move(task)),
      board_(board),
      options_(std::move(options)),
      promised_(std::move(promised)),
      name_(task_->group() + " " + std::to_string(task_->topology().partition())),
      committed_positions_(task_->input_count()),
      inputs_(task_->input_count()),
      meters_(places_.metrics, *task_) {
  mail_.readable.resize(task_->input_count());
}

// At most one step of a task waits in the executor: whoever finds none posts it.
template <class F>
void TaskLoop::leave_mail(F change) {
  bool post = false;
  {
    const std::lock_guard lock(mutex_);
    change(mail_);
    post = !std::exchange(scheduled_, true);
  }
  if (post) post_work();
}

void TaskLoop::post_work() {
  places_.executor.post([self = shared_from_this()] { self->work(); });
}

void TaskLoop::after(Millis delay, void (TaskLoop::*then)()) {
  // A timer that outlives its runner finds nobody.
  places_.executor.post_after(delay, [weak = weak_from_this(), then] {
    if (const auto self = weak.lock()) ((*self).*then)();
  });
}

void TaskLoop::on_commit_tick() {
  leave_mail([](Mail& mail) { mail.commit_tick = true; });
}
void TaskLoop::on_idle_tick() {
  leave_mail([](Mail& mail) { mail.idle_tick = true; });
}
void TaskLoop::on_retry() {
  leave_mail([](Mail& mail) { mail.retry = true; });
}

void TaskLoop::on_timers() {
  leave_mail([](Mail& mail) { mail.timers = true; });
}

void TaskLoop::start() {
  leave_mail([](Mail&) {});
}

void TaskLoop::stop(std::move_only_function<void()> stopped) {
  leave_mail([&](Mail& mail) { mail.stopped = std::move(stopped); });
}

// Refused at once rather than dropped later, so that the asker can say why.
bool TaskLoop::ask(Question question) {
  {
    const std::lock_guard lock(mutex_);
    if (!status_.restored || !status_.trouble.empty() || status_.stopped) return false;
  }
  leave_mail([&](Mail& mail) { mail.questions.push_back(std::move(question)); });
  return true;
}

void TaskLoop::look_at_board() {
  leave_mail([](Mail& mail) { mail.board = true; });
}

TaskStatus TaskLoop::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

std::vector<Offset> TaskLoop::committed_positions() const {
  const std::lock_guard lock(mutex_);
  return committed_positions_;
}

bool TaskLoop::quiet() const {
  const std::lock_guard lock(mutex_);
  return quiet_ && !scheduled_;
}

// One turn: what others left, then a bounded piece of work, then back to the executor.
void TaskLoop::work() {
  Mail mail;
  mail.readable.resize(inputs_.size());
  {
    const std::lock_guard lock(mutex_);
    std::swap(mail, mail_);
    quiet_ = false;
  }
  read_mail(mail);
  const bool more = work_some();
  bool post = true;
  {
    const std::lock_guard lock(mutex_);
    const bool new_mail = mail_.idle_tick || mail_.commit_tick || mail_.retry || mail_.board ||
                          mail_.timers || mail_.committed || !mail_.questions.empty() ||
                          mail_.stopped ||
                          std::ranges::find(mail_.readable, true) != mail_.readable.end();
    post = more || new_mail;
    scheduled_ = post;
    const bool at_rest = !task_->has_uncommitted() && !in_flight_ && questions_.empty();
    quiet_ = !post && (at_rest || phase_ == Phase::in_trouble) && phase_ != Phase::opening;
  }
  if (post) post_work();
}

void TaskLoop::read_mail(Mail& mail) {
  for (std::size_t i = 0; i < inputs_.size(); ++i)
    if (mail.readable[i]) inputs_[i].at_end = inputs_[i].waits = false;
  for (Question& question : mail.questions) questions_.push_back(std::move(question));
  if (mail.stopped) stopped_ = std::move(mail.stopped);
  if (mail.commit_tick) {
    tick_armed_ = false;
    commit_due_ = true;
  }
  if (mail.committed) on_committed(*mail.committed);
  if (mail.retry && in_flight_ && phase_ == Phase::running) {
    waits_for_retry_ = false;
    send_unit();
  }
  if (mail.timers && phase_ == Phase::running) tell_timers();
  if (mail.idle_tick && phase_ == Phase::running) {
    move_idle_inputs();
    after(options_.idle_step, &TaskLoop::on_idle_tick);
  }
}

bool TaskLoop::work_some() {
  switch (phase_) {
    case Phase::opening:
    case Phase::replaying: return restore_some();
    case Phase::running: return run_some();
    case Phase::in_trouble:
    case Phase::stopped:
      questions_.clear();
      finish_stop();
      return false;
  }
  return false;
}

// One commit of the changelog per turn, so that other tasks restore beside this one.
bool TaskLoop::restore_some() {
  if (stopped_) {
    finish_stop();
    return false;
  }
  if (phase_ == Phase::opening) {
    if (auto opened = task_->open(); !opened) return fail_with(opened.error()), true;
    phase_ = Phase::replaying;
    return true;
  }
  const auto more = task_->replay_next();
  if (!more) return fail_with(more.error()), true;
  if (!*more) begin_running();
  return true;
}

// Down time does not count as silence: every input begins as if it had just had an event.
void TaskLoop::begin_running() {
  io::failpoint("restored");
  phase_ = Phase::running;
  committed_at_ = task_->replayed_commit_time();
  const Nanos now = places_.clock.monotonic();
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    inputs_[i].had_event = task_->input(i).time().confirmed().has_value();
    inputs_[i].last_event = now;
  }
  over_budget_ = task_->over_budget();
  {
    const std::lock_guard lock(mutex_);
    status_.restored = true;
    status_.waits_for_memory = over_budget_;
    for (std::size_t i = 0; i < inputs_.size(); ++i)
      committed_positions_[i] = task_->reader(i).position();
  }
  publish_busy();
  note_progress();
  // The rest of a commit that a crash cut goes out before anything else is done.
  if (task_->has_uncommitted()) begin_commit();
  if (phase_ != Phase::running) return;
  tell_timers();
  after(options_.idle_step, &TaskLoop::on_idle_tick);
}

// Timers by the wall clock. What they do is a step, with the moment, so that a replay does the
// same. A task without room for more, or whose commits do not get through, lets them wait.
void TaskLoop::tell_timers() {
  auto next = task_->next_clock();
  if (!next) return;
  const Timestamp now = places_.clock.now();
  if (*next <= now && !over_budget_ && !waits_for_retry_ && !task_->unit_is_full()) {
    if (auto done = task_->tell_clock(now); !done) return fail_with(done.error());
    next = task_->next_clock();
  }
  after(std::max(*next - now, kTimerDelayMin), &TaskLoop::on_timers);
}

// Takes steps, unless something wants the state as it is right after a commit.
bool TaskLoop::run_some() {
  if (!questions_.empty() || stopped_ || task_->wants_checkpoint()) return settle_down();
  take_promises();
  if (phase_ != Phase::running) return true;
  bool stepped = true;
  for (int i = 0; i < kStepsPerTurn && stepped && phase_ == Phase::running; ++i) {
    if (task_->unit_is_full()) {
      if (in_flight_) return false;  // goes on when that one is durable
      begin_commit();
    }
    if (phase_ == Phase::running) stepped = take_step();
  }
  if (phase_ != Phase::running) return true;
  if (!task_->has_uncommitted()) {
    commit_due_ = false;
  } else if (commit_due_ && !in_flight_) {
    begin_commit();
  } else if (!commit_due_ && !tick_armed_) {
    tick_armed_ = true;
    after(options_.commit_interval, &TaskLoop::on_commit_tick);
  }
  if (!stepped && !spoken_ && !task_->has_uncommitted() && !in_flight_) speak();
  return stepped || phase_ != Phase::running;
}

// A task that found nothing to read promises what it knows. One that did find something says
// nothing before its first commit, and so holds the others: what it has not read yet may be as old
// as anything that they have read.
void TaskLoop::speak() {
  std::vector<std::optional<Timestamp>> promises;
  for (int level = 1; level < task_->level_count(); ++level)
    promises.push_back(task_->watermark_below(level));
  publish_promises(promises);
}

// A task without room takes no more input; only event time may still go on and free some.
void TaskLoop::watch_budget() {
  const bool adds_up =
      over_budget_ || task_->event_count() >= watched_events_ + kEventsPerBudgetLook;
  if (adds_up) watched_events_ = task_->event_count();
  const bool over = adds_up ? task_->over_budget() : task_->has_full_store();
  if (over == over_budget_) return;
  over_budget_ = over;
  const std::lock_guard lock(mutex_);
  status_.waits_for_memory = over;
}

// Brings the task to rest and then does what waits for that.
bool TaskLoop::settle_down() {
  if (stopped_ && waits_for_retry_) {
    // What cannot be committed now is done again after the next start.
    finish_stop();
    return false;
  }
  if (in_flight_) return false;
  if (task_->has_uncommitted()) {
    begin_commit();
    return phase_ != Phase::running;
  }
  if (task_->wants_checkpoint() || (stopped_ && task_->has_news_since_checkpoint())) checkpoint();
  answer_questions();
  if (!stopped_) return true;
  finish_stop();
  return false;
}

bool TaskLoop::take_step() {
  watch_budget();
  const auto choice = choose_input();
  if (!choice) return false;
  hold_unread_inputs(choice->input);
  if (phase_ != Phase::running) return true;
  const auto count = task_->take_records(choice->input, choice->before);
  if (!count) {
    fail_with(count.error());
    return true;
  }
  InputState& state = inputs_[choice->input];
  state.last_event = places_.clock.monotonic();
  const bool had_event = task_->input(choice->input).time().confirmed().has_value();
  if (state.idle || had_event != state.had_event) {
    state.idle = false;
    state.had_event = had_event;
    publish_busy();
  }
  return true;
}

// Internal topics first: what lies there is behind the sources already. Then the source whose
// events are the oldest, so that none runs ahead of the others; one that was never read goes first.
// Rows of a table go before everything that is not older, so that whoever looks a row up finds what
// stood at its own time, also in a backfill; a step of either ends where the other begins.
std::optional<TaskLoop::Choice> TaskLoop::choose_input() {
  std::optional<std::size_t> best, table;
  const auto rank = [&](std::size_t i) {
    const Input& input = task_->input(i);
    return std::pair(-input.level(), input.time().confirmed().value_or(Timestamp::lowest()));
  };
  const auto next = [&](std::size_t i) { return task_->reader(i).next_times(); };
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (!may_read(i) || !has_room_for(i)) continue;
    if (task_->input(i).table()) {
      if (!table || next(i).first < next(*table).first) table = i;
    } else if (!best || rank(i) < rank(*best)) {
      best = i;
    }
  }
  if (!table && !best) return std::nullopt;
  if (!table) return Choice{*best, Timestamp::highest()};
  if (!best) return Choice{*table, Timestamp::highest()};
  const Timestamp row = next(*table).first, last = next(*best).last;
  return row <= last ? Choice{*table, last + Millis(1)} : Choice{*best, row};
}

// A task over its budget takes no more input, except from a source that others ran ahead of: only
// its events move time on, and so free what was taken of the others.
bool TaskLoop::has_room_for(std::size_t input) const {
  if (!over_budget_) return true;
  if (task_->input(input).internal()) return false;
  const auto own = task_->input(input).time().confirmed();
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const auto other = task_->input(i).time().confirmed();
    if (other && (!own || *own < *other)) return true;
  }
  return false;
}

// A source of which nothing was read has no watermark. When something lies there, time must not go
// on without it: in a backfill its events are as old as those that are read now.
void TaskLoop::hold_unread_inputs(std::size_t chosen) {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const Input& input = task_->input(i);
    if (i == chosen || input.level() > 0 || input.table() || inputs_[i].at_end) continue;
    if (input.time().watermark()) continue;
    if (auto done = task_->advance(i, kEarliestEventTime); !done) return fail_with(done.error());
  }
}

// Asks the bus only when the last fetch is used up, and then waits to be told.
bool TaskLoop::may_read(std::size_t input) {
  if (inputs_[input].at_end || phase_ != Phase::running) return false;
  const auto more = task_->has_more(input);
  if (!more) {
    fail_with(more.error());
    return false;
  }
  if (*more) return true;
  inputs_[input].at_end = true;
  pass_over(input);
  if (std::exchange(inputs_[input].waits, true)) return false;
  const InputReader& reader = task_->reader(input);
  places_.bus.when_readable(reader.partition(), reader.reached(), [weak = weak_from_this(), input] {
    if (const auto self = weak.lock()) self->leave_mail([&](Mail& m) { m.readable[input] = true; });
  });
  return false;
}

// An internal input's watermark is what all tasks promised not to write behind any more, once
// everything they had written by then is read. Its own records could not tell: two tasks that read
// at different speeds would make each other's records late.
void TaskLoop::take_promises() {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const Input& input = task_->input(i);
    if (!input.internal()) continue;
    InputState& state = inputs_[i];
    if (!state.promised) {
      const auto promised = board_.promised(input.level());
      const auto current = input.time().watermark();
      if (!promised || *promised <= current.value_or(Timestamp::lowest())) continue;
      const auto ends = places_.bus.ends(task_->reader(i).partition());
      if (!ends) return fail_with(ends.error());
      state.promised = promised;
      state.promised_end = ends->end;
    }
    if (task_->reader(i).reached() < state.promised_end) {
      state.at_end = false;
      continue;
    }
    if (auto done = task_->advance(i, *state.promised); !done) return fail_with(done.error());
    state.promised.reset();
  }
}

// After a while without events a source's watermark goes at the pace of the clock, but not past the
// busy partitions of its topic; when all are idle, all go.
void TaskLoop::move_idle_inputs() {
  const Nanos now = places_.clock.monotonic();
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    InputState& state = inputs_[i];
    if (task_->input(i).internal() || !task_->input(i).watermark() || !state.at_end ||
        waits_for_retry_ || now - state.last_event < options_.idle_after)
      continue;
    if (!state.idle) {
      state.idle = true;
      state.moved_until = state.last_event + options_.idle_after;
      publish_busy();
    }
    const auto by = std::chrono::duration_cast<Millis>(now - state.moved_until);
    state.moved_until += by;
    const Timestamp current = *task_->input(i).time().watermark();
    const Timestamp target =
        state.had_event ? std::min(current + by, board_.idle_limit(i)) : watermark_of_others(i);
    if (target <= current) continue;
    if (auto done = task_->advance(i, target); !done) return fail_with(done.error());
  }
}

// Where a source goes that was held but turned out to have no event: with the others that had some.
Timestamp TaskLoop::watermark_of_others(std::size_t input) const {
  Timestamp least = Timestamp::highest();
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (i == input || task_->input(i).internal() || !inputs_[i].had_event) continue;
    if (const auto own = task_->input(i).watermark()) least = std::min(least, *own);
  }
  return least == Timestamp::highest() ? Timestamp::lowest() : least;
}

// Idle inputs and those that never had an event hold nobody back.
void TaskLoop::publish_busy() {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const bool busy = inputs_[i].had_event && !inputs_[i].idle;
    board_.set_busy(partition(), i, busy ? task_->input(i).time().watermark() : std::nullopt);
  }
}

void TaskLoop::publish_promises(const std::vector<std::optional<Timestamp>>& promises) {
  spoken_ = true;
  bool news = false;
  for (std::size_t i = 0; i < promises.size(); ++i)
    news |= board_.promise(partition(), static_cast<int>(i) + 1, promises[i]);
  if (news) promised_();
}

// Only when nothing is in flight: one commit at a time keeps their order through a retry.
void TaskLoop::begin_commit() {
  commit_due_ = false;
  auto unit = task_->cut_unit();
  if (!unit) return fail_with(unit.error());
  in_flight_ = std::move(*unit);
  send_unit();
}

void TaskLoop::send_unit() {
  io::failpoint("commit-send");
  commit_sent_ = places_.clock.monotonic();
  // The bus keeps nothing of a commit that it refuses, so the unit stays here until it is durable.
  places_.bus.commit(in_flight_->commits.front(), [weak = weak_from_this()](Result<void> result) {
    if (const auto self = weak.lock())
      self->leave_mail([&](Mail& mail) { mail.committed = std::move(result); });
  });
}

// Refusals for want of room pass; after any other error it is unknown what the log holds.
void TaskLoop::on_committed(const Result<void>& result) {
  if (!in_flight_ || phase_ != Phase::running) return;
  if (result) {
    in_flight_->commits.pop_front();
    return in_flight_->commits.empty() ? finish_unit() : send_unit();
  }
  if (result.error().kind == ErrorKind::overloaded || result.error().kind == ErrorKind::disk_full) {
    waits_for_retry_ = true;
    after(kRetryDelay, &TaskLoop::on_retry);
    return;
  }
  fail_with(result.error());
}

// Only what is durable may be promised: a crash must not take a promise back.
// Behind what is committed nothing may follow but what is not for readers: that counts as done.
void TaskLoop::pass_over(std::size_t input) {
  const InputReader& reader = task_->reader(input);
  const std::lock_guard lock(mutex_);
  Offset& committed = committed_positions_[input];
  if (committed >= reader.position()) committed = std::max(committed, reader.reached());
}

void TaskLoop::finish_unit() {
  io::failpoint("commit-durable");
  const Unit unit = std::move(*in_flight_);
  in_flight_.reset();
  committed_at_ = places_.clock.now();
  {
    const std::lock_guard lock(mutex_);
    committed_positions_ = unit.positions;
  }
  for (std::size_t i = 0; i < inputs_.size(); ++i) pass_over(i);
  meters_.committed(places_.clock.monotonic() - commit_sent_);
  publish_busy();
  publish_promises(unit.promises);
  note_progress();
}

void TaskLoop::note_progress() { meters_.show(*task_); }

// Called at rest, so the answers are about exactly what the log holds. A disk error that a question
// met would end the next step: without new input it would be told to nobody.
void TaskLoop::answer_questions() {
  if (questions_.empty()) return;
  std::vector<InputView> inputs;
  for (std::size_t i = 0; i < inputs_.size(); ++i)
    inputs.push_back({task_->input(i).topic(), task_->input(i).origin_topic(),
                      task_->reader(i).position(), task_->reader(i).passed_over(),
                      task_->input(i).time().watermark()});
  const TaskView view(task_->topology(), std::move(inputs), task_->commit_number(), committed_at_);
  for (Question& question : questions_) question(view);
  questions_.clear();
  if (auto fine = task_->trouble(); !fine) fail_with(fine.error());
}

// A checkpoint that fails costs only a longer replay: the task goes on.
void TaskLoop::checkpoint() {
  if (auto written = task_->write_checkpoint(); !written)
    places_.note(name_ + ": no checkpoint was written, a restart will replay more: " +
                 written.error().message);
}

// The task stays as it is for a person to look at; a restart begins from the last commit.
void TaskLoop::fail_with(const Error& error) {
  phase_ = Phase::in_trouble;
  in_flight_.reset();
  {
    const std::lock_guard lock(mutex_);
    status_.trouble = name_ + ": " + error.message;
  }
  places_.note(name_ + " stopped: " + error.message);
}

void TaskLoop::finish_stop() {
  if (!stopped_) return;
  if (phase_ != Phase::in_trouble) phase_ = Phase::stopped;
  {
    const std::lock_guard lock(mutex_);
    status_.stopped = true;
  }
  questions_.clear();
  std::exchange(stopped_, nullptr)();
}

}  // namespace adbrook::stream
