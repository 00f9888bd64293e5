// The operators without state: filter, branch, for_each, settle and repartition.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "state/seen_store.h"
#include "stream/input.h"
#include "stream/operator.h"
#include "stream/origin.h"
#include "stream/rows.h"
#include "stream/sink.h"

namespace adbrook::stream {

// Ends the rows that a rule excludes as filtered(reason). Behind a dedupe their ids stay known as
// excluded, so that a join answers for them.
template <class T, class Keep>
class Filter final : public Operator, public Consumer<T> {
 public:
  Filter(std::string name, Keep keep, state::SeenStore* seen, TaskContext& context)
      : name_(std::move(name)),
        keep_(std::move(keep)),
        seen_(seen),
        context_(context),
        reason_(context.counts.reason(name_)) {}

  std::string describe() const override { return "filter " + name_; }
  bool stateless() const override { return true; }
  Outlet<T>& accepted() { return accepted_; }
  Outlet<T>& refused() { return refused_; }

  void process(const Rows<T>& rows) override {
    accepted_rows_.clear();
    refused_rows_.clear();
    for (const std::uint32_t i : rows.selected) {
      if (std::invoke(keep_, rows.values[i])) {
        accepted_rows_.push_back(i);
        continue;
      }
      RowMeta& meta = rows.meta[i];
      meta.outcome = Outcome::filtered;
      meta.reason = reason_;
      context_.counts.settle(meta.arrival, Outcome::filtered, reason_);
      if (seen_ != nullptr) seen_->set_excluded(meta.seen);
      refused_rows_.push_back(i);
    }
    refused_.push({rows.values, rows.meta, refused_rows_});
    accepted_.push({rows.values, rows.meta, accepted_rows_});
  }

 private:
  std::string name_;
  Keep keep_;
  state::SeenStore* seen_;
  TaskContext& context_;
  ReasonId reason_;
  Outlet<T> accepted_{*this}, refused_{*this};
  std::vector<std::uint32_t> accepted_rows_, refused_rows_;
};

// Sends every row one of two ways. Ends none of them.
template <class T, class Predicate>
class Branch final : public Operator, public Consumer<T> {
 public:
  Branch(std::string name, Predicate predicate)
      : name_(std::move(name)), predicate_(std::move(predicate)) {}

  std::string describe() const override { return "branch " + name_; }
  bool stateless() const override { return true; }
  Outlet<T>& matching() { return matching_; }
  Outlet<T>& rest() { return rest_; }

  void process(const Rows<T>& rows) override {
    matching_rows_.clear();
    rest_rows_.clear();
    for (const std::uint32_t i : rows.selected)
      (std::invoke(predicate_, rows.values[i]) ? matching_rows_ : rest_rows_).push_back(i);
    matching_.push({rows.values, rows.meta, matching_rows_});
    rest_.push({rows.values, rows.meta, rest_rows_});
  }

 private:
  std::string name_;
  Predicate predicate_;
  Outlet<T> matching_{*this}, rest_{*this};
  std::vector<std::uint32_t> matching_rows_, rest_rows_;
};

// Calls f(const T&, const RowMeta&) for every row: fills views and sinks.
template <class T, class F>
class ForEach final : public Operator, public Consumer<T> {
 public:
  ForEach(std::string name, F f) : name_(std::move(name)), f_(std::move(f)) {}

  std::string describe() const override { return "for_each " + name_; }
  bool stateless() const override { return true; }
  void process(const Rows<T>& rows) override {
    for (const std::uint32_t i : rows.selected)
      f_(rows.values[i], static_cast<const RowMeta&>(rows.meta[i]));
  }

 private:
  std::string name_;
  F f_;
};

// The terminal operator of rows that nothing else ends.
template <class T>
class Settle final : public Operator, public Consumer<T> {
 public:
  Settle(Outcome outcome, TaskContext& context) : outcome_(outcome), context_(context) {}

  std::string describe() const override { return "settle " + std::string(to_string(outcome_)); }
  bool stateless() const override { return true; }
  void process(const Rows<T>& rows) override {
    for (const std::uint32_t i : rows.selected)
      context_.counts.settle(rows.meta[i].arrival, outcome_);
  }

 private:
  Outcome outcome_;
  TaskContext& context_;
};

// Sends every row, encoded as it was received, to the task that owns the key's partition.
template <class T, class Key>
class Repartition final : public Operator, public Consumer<T> {
 public:
  Repartition(Key key, Sink& sink, TaskContext& context)
      : key_(std::move(key)), sink_(sink), context_(context) {}

  std::string describe() const override { return "repartition " + sink_.topic(); }
  bool stateless() const override { return true; }
  void process(const Rows<T>& rows) override {
    for (const std::uint32_t i : rows.selected) {
      const RowMeta& meta = rows.meta[i];
      context_.counts.forward(meta.arrival.input);
      // A replay still counts what it forwarded; only the record is there already.
      if (sink_.muted()) continue;
      const Uuid key = std::invoke(key_, rows.values[i]);
      const auto text = key.text();
      sink_.add_by_key(
          meta.record_time, as_bytes({text.data(), text.size()}), meta.value,
          header_.make({meta.arrival.origin_partition, meta.origin_offset, meta.append_time}));
    }
  }

 private:
  Key key_;
  Sink& sink_;
  TaskContext& context_;
  OriginHeader header_;
};

}  // namespace adbrook::stream
