// The only thing that tasks share: how far each has come in event time. A task reads it to decide
// about a step, and that step is in its changelog; a replay never looks here.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>

#include "base/time.h"

namespace adbrook::stream {

// Thread-safe: atomics only. Every place begins as "not known yet", which holds everybody back.
class PromiseBoard {
 public:
  PromiseBoard(std::size_t task_count, std::size_t input_count, int level_count)
      : task_count_(task_count),
        busy_(task_count, input_count),
        promised_(task_count, static_cast<std::size_t>(level_count)) {}

  // The watermark of an input whose partition has traffic; nothing when it is idle or never had
  // any.
  void set_busy(std::size_t task, std::size_t input, std::optional<Timestamp> watermark) {
    busy_.at(task, input).store(watermark ? watermark->ms : kNothing, std::memory_order_release);
  }
  // The smallest watermark of this input's busy partitions: how far an idle one may be moved.
  // highest() when none is busy.
  Timestamp idle_limit(std::size_t input) const {
    const std::int64_t least = busy_.least(input, task_count_);
    return least == kNothing ? Timestamp::highest() : Timestamp{least};
  }

  // The task will write to internal topics of this level nothing that is caused by an event before
  // `watermark`, but for events that are late already; nothing: it never had an event. True when
  // that is news.
  bool promise(std::size_t task, int level, std::optional<Timestamp> watermark) {
    const std::int64_t value = watermark ? watermark->ms : kNothing;
    return promised_.at(task, static_cast<std::size_t>(level))
               .exchange(value, std::memory_order_acq_rel) != value;
  }
  // What all tasks promised; nothing while one has not spoken or none has had an event.
  std::optional<Timestamp> promised(int level) const {
    const std::int64_t least = promised_.least(static_cast<std::size_t>(level), task_count_);
    if (least == kNotKnown || least == kNothing) return std::nullopt;
    return Timestamp{least};
  }

 private:
  static constexpr std::int64_t kNotKnown = std::numeric_limits<std::int64_t>::min();
  static constexpr std::int64_t kNothing = std::numeric_limits<std::int64_t>::max();

  class Table {
   public:
    Table(std::size_t rows, std::size_t columns)
        : columns_(columns), cells_(new std::atomic<std::int64_t>[rows * columns]) {
      for (std::size_t i = 0; i < rows * columns; ++i) cells_[i] = kNotKnown;
    }
    std::atomic<std::int64_t>& at(std::size_t row, std::size_t column) {
      return cells_[row * columns_ + column];
    }
    std::int64_t least(std::size_t column, std::size_t rows) const {
      std::int64_t least = kNothing;
      for (std::size_t row = 0; row < rows; ++row)
        least = std::min(least, cells_[row * columns_ + column].load(std::memory_order_acquire));
      return least;
    }

   private:
    std::size_t columns_;
    std::unique_ptr<std::atomic<std::int64_t>[]> cells_;
  };

  std::size_t task_count_;
  Table busy_;
  Table promised_;
};

}  // namespace adbrook::stream
