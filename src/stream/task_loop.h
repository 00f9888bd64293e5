// Drives one task: a chain of short steps on the executor that chooses inputs, cuts commits, moves
// idle inputs, answers questions and writes checkpoints. The only place of this room with a clock.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "stream/promise_board.h"
#include "stream/task.h"
#include "stream/task_meters.h"
#include "stream/task_runner.h"

namespace adbrook::stream {

// `work` is owned by one thread at a time: the chain of its steps. The public calls are
// thread-safe; they leave mail, under a lock because the bus, timers and readers of reports call
// from anywhere.
class TaskLoop : public std::enable_shared_from_this<TaskLoop> {
 public:
  // `promised` is called after each commit that moved this task's promises.
  TaskLoop(TaskRunnerPlaces places, std::unique_ptr<Task> task, PromiseBoard& board,
           StreamOptions options, std::function<void()> promised);

  void start();
  void stop(std::move_only_function<void()> stopped);
  bool ask(Question question);
  void look_at_board();

  TaskStatus status() const;
  std::vector<Offset> committed_positions() const;
  // Nothing to do until time passes or somebody calls.
  bool quiet() const;

  const Task& task() const { return *task_; }  // its fixed parts: topics, levels

 private:
  enum class Phase { opening, replaying, running, stopped, in_trouble };

  // What waits for the chain's next step.
  struct Mail {
    std::vector<bool> readable;  // by input
    bool idle_tick = false;
    bool commit_tick = false;
    bool retry = false;
    bool timers = false;
    bool board = false;
    std::optional<Result<void>> committed;
    std::vector<Question> questions;
    std::move_only_function<void()> stopped;
  };
  struct InputState {
    bool at_end = false;
    bool waits = false;  // the bus will say when there is more
    bool had_event = false;
    bool idle = false;
    Nanos last_event{0};   // on the monotonic clock, or when the task began to run
    Nanos moved_until{0};  // idle time up to here is in the watermark
    // A promise waits until everything below `end` was read.
    std::optional<Timestamp> promised;
    Offset promised_end;
  };

  template <class F>
  void leave_mail(F change);
  void post_work();
  void after(Millis delay, void (TaskLoop::*then)());
  void on_commit_tick();
  void on_idle_tick();
  void on_retry();
  void on_timers();

  void work();
  bool work_some();  // true when there is more to do at once
  bool restore_some();
  void begin_running();
  bool run_some();
  void speak();
  void read_mail(Mail& mail);

  void watch_budget();
  // The next step: batches of this input, but for the first none that reaches to `before`.
  struct Choice {
    std::size_t input;
    Timestamp before;
  };

  bool take_step();
  std::optional<Choice> choose_input();
  bool may_read(std::size_t input);
  bool has_room_for(std::size_t input) const;
  void hold_unread_inputs(std::size_t chosen);
  void move_idle_inputs();
  Timestamp watermark_of_others(std::size_t input) const;
  void tell_timers();
  void take_promises();
  void publish_busy();
  void publish_promises(const std::vector<std::optional<Timestamp>>& promises);

  void begin_commit();
  void send_unit();
  void on_committed(const Result<void>& result);
  void pass_over(std::size_t input);
  void finish_unit();
  bool settle_down();
  void answer_questions();
  void checkpoint();
  void note_progress();
  void fail_with(const Error& error);
  void finish_stop();
  std::size_t partition() const { return static_cast<std::size_t>(task_->topology().partition()); }

  TaskRunnerPlaces places_;
  std::unique_ptr<Task> task_;
  PromiseBoard& board_;
  StreamOptions options_;
  std::function<void()> promised_;
  std::string name_;

  mutable std::mutex mutex_;  // guards the mail and what status() shows
  Mail mail_;
  bool scheduled_ = false;
  TaskStatus status_;
  std::vector<Offset> committed_positions_;
  bool quiet_ = false;

  // Owned by the chain.
  Phase phase_ = Phase::opening;
  std::vector<InputState> inputs_;
  std::optional<Unit> in_flight_;
  bool waits_for_retry_ = false;
  bool commit_due_ = false;
  bool tick_armed_ = false;
  bool over_budget_ = false;
  bool spoken_ = false;  // this life has promised something
  Timestamp committed_at_ = Timestamp::lowest();
  std::vector<Question> questions_;
  std::move_only_function<void()> stopped_;
  std::uint64_t watched_events_ = 0;  // when the budget was last looked at

  Nanos commit_sent_{0};
  TaskMeters meters_;
};

}  // namespace adbrook::stream
