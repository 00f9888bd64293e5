// count, sum, reduce and aggregate per key and window of event time, for tumbling and hopping
// windows: updates at once, final results when a window closes, late records to the side.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "state/time_store.h"
#include "stream/keyed/late_row.h"
#include "stream/keyed/step_bytes.h"
#include "stream/table/aggregate.h"
#include "stream/window/windows.h"

namespace adbrook::stream {

// Owned by one thread (the task's). A row is judged against the watermark at the step's begin; at
// its end the windows that closed give their final results, the oldest first, then by key.
template <class InK, class V, class A, class F>
class WindowAggregate final : public Operator, public KeyedConsumer<InK, V> {
 public:
  using K = NonNull<InK>;
  static_assert(!kBorrowsBytes<A>, "an aggregate holds its own bytes");

  WindowAggregate(std::string store, const HoppingWindow& window, const StoreOptions& options,
                  F fold, TaskContext& context)
      : window_(window),
        options_(options),
        guard_(std::move(store), context),
        context_(context),
        no_key_(context.counts.reason(kKeyMissing)),
        too_late_(context.counts.reason(guard_.name())),
        store_({.budget = options.budget,
                .over_budget = options.over_budget,
                .hash_seed = context.hash_seed,
                .bucket = bucket_for(window.advance)}),
        fold_(std::move(fold)) {}

  std::string describe() const override {
    return "aggregate " + guard_.name() + " by " + stream::describe(window_);
  }
  Result<void> check() const override {
    if (auto stands = check_window(guard_.name(), window_); !stands) return stands;
    return check_budget(guard_.name(), options_);
  }
  state::TimeStore& store() { return store_; }
  KeyedOutlet<Windowed<K>, std::optional<A>>& updates() { return updates_; }
  KeyedOutlet<Windowed<K>, A>& finals() { return finals_; }
  KeyedOutlet<K, LateRow<V>>& late() { return late_; }

  void process(const KeyedRows<InK, V>& rows) override {
    guard_.each(rows, [&](std::uint32_t i) {
      if (is_null(rows.keys[i])) return rows.mark(i, Ending::filtered, no_key_);
      key_view_ = encoded(value_of(rows.keys[i]), key_bytes_);
      before_.clear();
      const std::size_t told = update_batch_.size();
      try {
        if (fold_into_windows(rows, i)) return rows.mark(i, Ending::counted);
      } catch (...) {
        update_batch_.take_back(told);
        take_back();
        throw;
      }
      turn_away(rows, i);
    });
    late_batch_.push(late_, rows.ledger != nullptr ? rows.ledger->aside() : nullptr);
    update_batch_.push(updates_, rows.ledger);
  }

  void on_watermark(Timestamp watermark) override {
    if (watermark == watermark_) return;
    const Timestamp before = closed_start(watermark_);
    watermark_ = watermark;
    const Timestamp closed = closed_start(watermark);
    if (finals_.connected()) tell_finals(before + Millis(1), closed);
    const Millis kept = std::max(Millis(0), window_.retention - window_.size - window_.grace);
    store_.expire(closed + Millis(1) - kept);
  }

  void open(state::Checkpoint& checkpoint) override { store_.open(checkpoint); }
  Result<void> trouble() const override {
    return store_.trouble() ? Result<void>()
                            : pass(store_.trouble().error(), "store " + guard_.name());
  }
  void save(state::Checkpoint& checkpoint) override { store_.save(checkpoint, guard_.name()); }
  Result<void> load(const state::Checkpoint& checkpoint) override {
    watermark_ = context_.watermark_at(flow_level());
    return store_.load(checkpoint, guard_.name());
  }
  std::int64_t memory() const override { return store_.memory().count; }
  bool full() const override { return store_.full(); }

 private:
  struct StoredRow {
    WindowAggregate& in;
    Timestamp start;
    std::span<std::byte> upsert(std::size_t size) {
      const auto bytes = in.store_.upsert(in.key_view_, start, size);
      note(is_new_row(bytes) ? std::nullopt : std::optional(ByteView(bytes)));
      return bytes;
    }
    std::optional<ByteView> get() {
      const auto bytes = in.store_.get(in.key_view_, start);
      note(bytes);
      return bytes;
    }
    void put(ByteView value) { in.store_.put(in.key_view_, start, value); }
    void erase() { in.store_.erase(in.key_view_, start); }

   private:
    void note(std::optional<ByteView> row) {
      if (in.window_.advance < in.window_.size) in.before_.note(start, row);
    }
  };

  // What the windows of a row held before it, should a later one's fold throw: all take it or none.
  // Nothing is noted where a row has one window only.
  class Before {
   public:
    struct Entry {
      Timestamp start;
      std::optional<std::size_t> begin;  // in bytes; absent: there was no such window
      std::size_t size;
    };
    void clear() {
      entries_.clear();
      bytes_.clear();
    }
    void note(Timestamp start, std::optional<ByteView> row) {
      entries_.push_back(
          {start, row ? std::optional(bytes_.size()) : std::nullopt, row ? row->size() : 0});
      if (row) append(bytes_, *row);
    }
    const std::vector<Entry>& entries() const { return entries_; }
    ByteView bytes_of(const Entry& entry) const {
      return ByteView(bytes_).subspan(*entry.begin, entry.size);
    }

   private:
    std::vector<Entry> entries_;
    Buffer bytes_;
  };

  // False when all of its windows are closed.
  bool fold_into_windows(const KeyedRows<InK, V>& rows, std::uint32_t i) {
    const K& key = value_of(rows.keys[i]);
    bool taken = false;
    for_each_window(window_, rows.times[i], [&](const TimeWindow& window) {
      if (watermark_ >= window.end + window_.grace) return;
      taken = true;
      row_.state = A{};
      const bool changed = row_.fold(
          StoredRow{*this, window.start}, rows.times[i],
          [&](A& state, bool is_new) { return fold_(state, is_new, key, rows.values[i]); },
          nullptr);
      if (changed && updates_.connected())
        update_batch_.add({key, window}, row_.state, row_.time, rows.origins[i]);
    });
    return taken;
  }
  void take_back() {
    for (const auto& entry : before_.entries()) {
      if (entry.begin)
        store_.put(key_view_, entry.start, before_.bytes_of(entry));
      else
        store_.erase(key_view_, entry.start);
    }
  }
  void turn_away(const KeyedRows<InK, V>& rows, std::uint32_t i) {
    rows.mark(i, Ending::late, too_late_);
    if (!late_.connected()) return;
    const Timestamp last_start = bucket_start(rows.times[i], window_.advance);
    late_batch_.add(
        value_of(rows.keys[i]),
        {rows.values[i], kWindowClosed, watermark_ - (last_start + window_.size + window_.grace)},
        rows.times[i], rows.origins[i]);
  }

  // The latest start of a window that is closed at this watermark.
  Timestamp closed_start(Timestamp watermark) const {
    return watermark - window_.size - window_.grace;
  }

  void tell_finals(Timestamp first, Timestamp last) {
    kept_bytes_.clear();
    store_.for_each(first, last, [&](ByteView key, Timestamp start, std::uint32_t, ByteView bytes) {
      Windowed<K> windowed{.window = {start, start + window_.size}};
      A state{};
      if constexpr (kBorrowsBytes<K>) key = kept_bytes_.keep(key);
      Serde<K>::decode(key, windowed.key);
      Serde<A>::decode(bytes.subspan(kRowTimeSize), state);
      final_batch_.add(std::move(windowed), std::move(state), load_row_time(bytes.data()));
      if (final_batch_.size() == kRowsPerPush) final_batch_.push(finals_, nullptr);
    });
    final_batch_.push(finals_, nullptr);
  }

  HoppingWindow window_;
  StoreOptions options_;
  RowGuard guard_;
  TaskContext& context_;
  ReasonId no_key_, too_late_;
  state::TimeStore store_;
  F fold_;
  FoldedRow<A> row_;
  Buffer key_bytes_;
  ByteView key_view_;  // of the row being taken, as the next
  Before before_;
  StepBytes kept_bytes_;
  Timestamp watermark_ = Timestamp::lowest();
  KeyedOutlet<Windowed<K>, std::optional<A>> updates_{*this};
  KeyedOutlet<Windowed<K>, A> finals_{*this};
  KeyedOutlet<K, LateRow<V>> late_{*this};
  KeyedBatch<Windowed<K>, std::optional<A>> update_batch_;
  KeyedBatch<Windowed<K>, A> final_batch_;
  KeyedBatch<K, LateRow<V>> late_batch_;
};

}  // namespace adbrook::stream
