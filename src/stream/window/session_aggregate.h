// Aggregates per key and session: a record extends the session it touches and joins several into
// one; each growth takes the sessions before it back.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "stream/window/window_aggregate.h"

namespace adbrook::stream {

// Owned by one thread (the task's). Sessions of one key are never within the gap of each other, so
// (key, last record's time) names one; the store keeps them by it: [first record's
// time][aggregate]. A new session begins empty, takes in those it touches, the oldest first, then
// the record: Merger(aggregate, is_new, other) takes in another session's aggregate.
template <class InK, class V, class A, class F, class Merger>
class SessionAggregate final : public Operator, public KeyedConsumer<InK, V> {
 public:
  using K = NonNull<InK>;
  static_assert(!kBorrowsBytes<A>, "an aggregate holds its own bytes");

  SessionAggregate(std::string store, const SessionWindow& window, const StoreOptions& options,
                   F fold, Merger merge, TaskContext& context)
      : window_(window),
        options_(options),
        guard_(std::move(store), context),
        context_(context),
        no_key_(context.counts.reason(kKeyMissing)),
        too_late_(context.counts.reason(guard_.name())),
        store_({.budget = options.budget,
                .over_budget = options.over_budget,
                .hash_seed = context.hash_seed,
                .bucket = bucket_for(window.gap)}),
        fold_(std::move(fold)),
        merge_(std::move(merge)) {}

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
      take(rows, i);
    });
    late_batch_.push(late_, rows.ledger != nullptr ? rows.ledger->aside() : nullptr);
    update_batch_.push(updates_, rows.ledger);
  }

  void on_watermark(Timestamp watermark) override {
    if (watermark == watermark_) return;
    const Timestamp before = open_end(watermark_);
    watermark_ = watermark;
    const Timestamp open = open_end(watermark);
    if (finals_.connected()) tell_finals(before, open - Millis(1));
    const Millis kept = std::max(Millis(0), window_.retention - window_.gap - window_.grace);
    store_.expire(open - kept);
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
  static constexpr std::size_t kStartSize = 8;
  struct Session {
    TimeWindow window;
    A state{};
  };

  // The earliest last record's time that leaves a session open at this watermark.
  Timestamp open_end(Timestamp watermark) const { return watermark - window_.gap - window_.grace; }

  void take(const KeyedRows<InK, V>& rows, std::uint32_t i) {
    const K& key = value_of(rows.keys[i]);
    const Timestamp time = rows.times[i];
    find_touched(key, time);
    Session grown{.window = {time, time}};
    for (const Session& session : touched_) {
      grown.window.start = std::min(grown.window.start, session.window.start);
      grown.window.end = std::max(grown.window.end, session.window.end);
    }
    if (grown.window.end < open_end(watermark_)) return turn_away(rows, i, grown.window.end);
    bool is_new = true;
    for (const Session& session : touched_) {
      merge_(grown.state, is_new, session.state);
      is_new = false;
    }
    if (!fold_(grown.state, is_new, key, rows.values[i])) return rows.mark(i, Ending::filtered);
    replace_touched(rows, i, grown);
    rows.mark(i, Ending::counted);
  }

  // What is closed already is final: it is not touched any more, though it may still be readable.
  void find_touched(const K& key, Timestamp time) {
    touched_.clear();
    key_view_ = encoded(key, key_bytes_);
    const Timestamp first = std::max(time - window_.gap, open_end(watermark_));
    store_.fetch(key_view_, first, Timestamp::highest(),
                 [&](Timestamp end, std::uint32_t, ByteView bytes) {
                   const Timestamp start = load_row_time(bytes.data());
                   if (start > time + window_.gap) return;
                   Session& session = touched_.emplace_back();
                   session.window = {start, end};
                   Serde<A>::decode(bytes.subspan(kStartSize), session.state);
                 });
  }

  void turn_away(const KeyedRows<InK, V>& rows, std::uint32_t i, Timestamp end) {
    rows.mark(i, Ending::late, too_late_);
    if (late_.connected())
      late_batch_.add(value_of(rows.keys[i]),
                      {rows.values[i], kWindowClosed, open_end(watermark_) - end}, rows.times[i],
                      rows.origins[i]);
  }

  // Kafka's rule: what was touched is taken back, also when the session keeps its bounds; only
  // where the record alone would be the same session nothing is.
  void replace_touched(const KeyedRows<InK, V>& rows, std::uint32_t i, const Session& grown) {
    const K& key = value_of(rows.keys[i]);
    const std::uint32_t origin = rows.origins[i];
    const bool told = updates_.connected();
    const bool same = grown.window == TimeWindow{rows.times[i], rows.times[i]};
    for (const Session& session : touched_) {
      if (same) break;
      store_.erase(key_view_, session.window.end);
      if (told) update_batch_.add({key, session.window}, std::nullopt, session.window.end, origin);
    }
    row_bytes_.resize(kStartSize);
    store_row_time(row_bytes_.data(), grown.window.start);
    Serde<A>::encode(grown.state, row_bytes_);
    store_.put(key_view_, grown.window.end, row_bytes_);
    if (told) update_batch_.add({key, grown.window}, grown.state, grown.window.end, origin);
  }

  void tell_finals(Timestamp first, Timestamp last) {
    kept_bytes_.clear();
    store_.for_each(first, last, [&](ByteView key, Timestamp end, std::uint32_t, ByteView bytes) {
      Windowed<K> windowed{.window = {load_row_time(bytes.data()), end}};
      A state{};
      if constexpr (kBorrowsBytes<K>) key = kept_bytes_.keep(key);
      Serde<K>::decode(key, windowed.key);
      Serde<A>::decode(bytes.subspan(kStartSize), state);
      final_batch_.add(std::move(windowed), std::move(state), end);
      if (final_batch_.size() == kRowsPerPush) final_batch_.push(finals_, nullptr);
    });
    final_batch_.push(finals_, nullptr);
  }

  SessionWindow window_;
  StoreOptions options_;
  RowGuard guard_;
  TaskContext& context_;
  ReasonId no_key_, too_late_;
  state::TimeStore store_;
  F fold_;
  Merger merge_;
  std::vector<Session> touched_;  // by the row being taken, the oldest first
  ByteView key_view_;             // of its key
  Buffer key_bytes_, row_bytes_;
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
