// Lets the first copy of every id through. What is older than the horizon cannot be told from a
// duplicate and is late; what was accepted before is a duplicate, whatever its content.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "state/seen_store.h"
#include "stream/input.h"
#include "stream/operator.h"
#include "stream/rows.h"

namespace adbrook::stream {

struct DedupeOptions {
  Millis horizon = std::chrono::hours(24);
};

// The ids looked up ahead of the one being decided; the memory answers them side by side.
inline constexpr std::size_t kPrefetchDistance = 12;

template <class T>
class Dedupe final : public Operator, public Consumer<T> {
 public:
  Dedupe(std::string store, const RowKind<T>& kind, DedupeOptions options, TaskContext& context)
      : store_name_(std::move(store)),
        kind_(kind),
        options_(options),
        context_(context),
        seen_({.horizon = options.horizon, .hash_seed = context.hash_seed}) {}

  std::string describe() const override {
    return "dedupe " + store_name_ + " horizon " + format_duration(options_.horizon);
  }
  Outlet<T>& accepted() { return accepted_; }
  Outlet<T>& refused() { return refused_; }
  state::SeenStore& seen() { return seen_; }
  Millis horizon() const { return options_.horizon; }

  void process(const Rows<T>& rows) override {
    accepted_rows_.clear();
    refused_rows_.clear();
    const auto& selected = rows.selected;
    for (std::size_t i = 0; i < selected.size(); ++i) {
      if (i + kPrefetchDistance < selected.size())
        seen_.prefetch(kind_.id(rows.values[selected[i + kPrefetchDistance]]));
      decide(rows.values[selected[i]], rows.meta[selected[i]], selected[i]);
    }
    // What is refused goes first, so that its consumers see the batch in the order of decisions.
    refused_.push({rows.values, rows.meta, refused_rows_});
    accepted_.push({rows.values, rows.meta, accepted_rows_});
  }

  void on_watermark(Timestamp watermark) override { seen_.expire(watermark); }
  void save(state::Checkpoint& checkpoint) override { seen_.save(checkpoint, store_name_); }
  Result<void> load(const state::Checkpoint& checkpoint) override {
    return seen_.load(checkpoint, store_name_);
  }
  std::int64_t memory() const override { return seen_.memory().count; }

 private:
  // Late comes before duplicate: beyond the horizon the store has forgotten who was there.
  void decide(const T& row, RowMeta& meta, std::uint32_t index) {
    const Timestamp time = kind_.time(row);
    if (time < context_.watermark - options_.horizon) return refuse(meta, Outcome::late, index);
    const auto inserted = seen_.find_or_insert(kind_.id(row), time, context_.watermark);
    meta.seen = inserted.seen.ref;
    if (!inserted.is_new) return refuse(meta, Outcome::duplicate, index);
    accepted_rows_.push_back(index);
  }
  void refuse(RowMeta& meta, Outcome outcome, std::uint32_t index) {
    meta.outcome = outcome;
    meta.reason = {};
    context_.counts.settle(meta.arrival, outcome);
    refused_rows_.push_back(index);
  }

  std::string store_name_;
  const RowKind<T>& kind_;
  DedupeOptions options_;
  TaskContext& context_;
  state::SeenStore seen_;
  Outlet<T> accepted_{*this}, refused_{*this};
  std::vector<std::uint32_t> accepted_rows_, refused_rows_;
};

}  // namespace adbrook::stream
