// Appends that wait for the disk, bounded in bytes, and refused ones between them, which wait for
// their turn to be answered. It also knows whether a writer step is posted, so that there is at
// most one.
#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "log/log.h"
#include "log/partition.h"

namespace adbrook::log {

struct QueuedAppend {
  Append what;
  std::vector<BatchFacts> facts;  // of what.batches
  std::size_t entry_size = 0;     // as a write-ahead entry
  AppendDone done;
  std::optional<AppendRefusal> refusal;  // then nothing else of it is set but how to answer
};

// Thread-safe: callers push, the writer takes.
class AppendQueue {
 public:
  AppendQueue(Bytes limit, Gauge& size_gauge)
      : limit_(static_cast<std::size_t>(limit.count)), size_gauge_(size_gauge) {}

  enum class Pushed {
    behind_others,
    first,   // no writer step is posted; the caller must post one now
    refused  // it is not queued; the caller answers it with its refusal
  };
  // One that finds no room, or comes after close(), is queued as refused, or is only refused when
  // it wants that at once.
  Pushed push(QueuedAppend& append);

  // Everything queued, oldest first, up to about `size_max` bytes of entries.
  std::vector<QueuedAppend> take(std::size_t size_max);
  // What was taken needs no more room here.
  void release();
  // True: there is more, and the caller must post the next step. False: the next push says so.
  bool finish();
  // Whatever comes is refused from now on.
  void close();

 private:
  void refuse_what_cannot_wait(QueuedAppend& append) const;

  const std::size_t limit_;
  Gauge& size_gauge_;
  std::mutex mutex_;  // many callers, one writer; held for moments
  std::deque<QueuedAppend> queue_;
  std::size_t size_ = 0;  // with what was taken and not released
  std::size_t taken_size_ = 0;
  bool writer_posted_ = false;
  bool closed_ = false;
};

}  // namespace adbrook::log
