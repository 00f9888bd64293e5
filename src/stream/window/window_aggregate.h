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
    const bool told = updates_.connected();
    guard_.each(rows, [&](std::uint32_t i) {
      if (is_null(rows.keys[i])) return rows.mark(i, Ending::filtered, no_key_);
      const K& key = value_of(rows.keys[i]);
      const ByteView key_bytes = encoded(key, key_bytes_);
      bool taken = false;
      TimeWindow last{};
      for_each_window(window_, rows.times[i], [&](const TimeWindow& window) {
        last = window;
        if (watermark_ >= window.end + window_.grace) return;
        taken = true;
        row_.state = A{};
        const bool changed = row_.fold(
            StoredRow{store_, key_bytes, window.start}, rows.times[i],
            [&](A& state, bool is_new) { return fold_(state, is_new, key, rows.values[i]); },
            nullptr);
        if (changed && told)
          update_batch_.add({key, window}, row_.state, row_.time, rows.origins[i]);
      });
      if (taken) return rows.mark(i, Ending::counted);
      rows.mark(i, Ending::late, too_late_);
      if (late_.connected())
        late_batch_.add(key,
                        {rows.values[i], kWindowClosed, watermark_ - (last.end + window_.grace)},
                        rows.times[i], rows.origins[i]);
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
    state::TimeStore& store;
    ByteView key;
    Timestamp start;
    std::span<std::byte> upsert(std::size_t size) { return store.upsert(key, start, size); }
    std::optional<ByteView> get() { return store.get(key, start); }
    void put(ByteView value) { store.put(key, start, value); }
    void erase() { store.erase(key, start); }
  };

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
