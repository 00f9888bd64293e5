// The stream–stream join: pairs of rows with one key whose times lie near each other, at once; and,
// of a left or outer join, rows that stayed alone, finally, when their windows are closed.
#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "stream/join/join_buffer.h"
#include "stream/join/joiner.h"
#include "stream/keyed/keyed_stream.h"
#include "stream/keyed/late_row.h"
#include "stream/keyed/step_bytes.h"
#include "stream/keyed/store_options.h"

namespace adbrook::stream {

// A right row at time r is a partner of a left row at time t when t - before <= r <= t + after;
// both ends belong to it. A left row's window is closed when the watermark is above t + after +
// grace, a right row's when it is above r + before + grace.
struct JoinWindows {
  Millis before{0}, after{0};
  Millis grace{0};
  StoreOptions store = {};  // of both sides together
};

inline Result<void> check_windows(const std::string& store, const JoinWindows& windows,
                                  JoinKind kind) {
  for (const auto& [name, value] :
       {std::pair("before", windows.before), std::pair("after", windows.after),
        std::pair("grace", windows.grace)})
    if (value < Millis(0))
      return fail(ErrorKind::invalid, "join " + store + ": " + name + " is " +
                                          std::to_string(value.count()) +
                                          " ms, but a window reaches 0 ms or further; swap the "
                                          "sides or give 0");
  return check_budget(store, windows.store, JoinBuffer::store_count(kind));
}

// Rows without a value join nothing. Rows without a key have no partner: reported alone at once
// where their side is, else dropped. Late rows join nothing either; they come out of late_left() or
// late_right(), and where their side is reported alone also as results, at once.
template <JoinKind kKind, class LK, class L, class RK, class R, class F>
class StreamJoin final : public Operator {
  using K = NonNull<LK>;
  using Left = NonNull<L>;
  using Right = NonNull<R>;
  static constexpr bool kLeftAlone = kKind != JoinKind::inner;
  static constexpr bool kRightAlone = kKind == JoinKind::outer;
  using LeftArgument = JoinerArgument<Left, kRightAlone>;
  using RightArgument = JoinerArgument<Right, kLeftAlone>;

 public:
  // A result may be without a key where a row without one may be reported.
  using OutK = std::conditional_t<(kLeftAlone && Nullable<LK>::kNullable) ||
                                      (kRightAlone && Nullable<RK>::kNullable),
                                  std::optional<K>, K>;
  using Out = JoinResult<F, LeftArgument, RightArgument>;

  StreamJoin(std::string store, const JoinWindows& windows, F f, TaskContext& context)
      : name_(std::move(store)),
        windows_(windows),
        f_(std::move(f)),
        context_(context),
        guard_(name_, context),
        late_reason_(context.counts.reason(name_)),
        no_key_(context.counts.reason(kKeyMissing)),
        no_value_(context.counts.reason(kValueMissing)),
        buffer_({.kind = kKind,
                 .before = windows.before,
                 .after = windows.after,
                 .grace = windows.grace,
                 .budget = windows.store.budget,
                 .over_budget = windows.store.over_budget,
                 .hash_seed = context.hash_seed}),
        left_(*this),
        right_(*this) {}

  std::string describe() const override {
    return std::string(word_of(kKind)) + " " + name_ + " before " +
           format_duration(windows_.before) + " after " + format_duration(windows_.after) +
           " grace " + format_duration(windows_.grace);
  }
  Result<void> check() const override { return check_windows(name_, windows_, kKind); }

  KeyedConsumer<LK, L>& left() { return left_; }
  KeyedConsumer<RK, R>& right() { return right_; }
  KeyedOutlet<OutK, Out>& rows() { return rows_; }
  KeyedOutlet<K, LateRow<L>>& late_left() { return left_.late; }
  KeyedOutlet<K, LateRow<R>>& late_right() { return right_.late; }
  const JoinBuffer& buffer() const { return buffer_; }

  void on_watermark(Timestamp watermark) override {
    bytes_.clear();
    buffer_.close(watermark, [&](JoinSide side, ByteView key, Timestamp time, ByteView row) {
      guard_.once(time, [&] { tell_closed(side, key, time, row); });
      if (batch_.size() < kRowsPerPush) return;
      batch_.push(rows_, nullptr);
      bytes_.clear();
    });
    batch_.push(rows_, nullptr);
  }

  void open(state::Checkpoint& checkpoint) override { buffer_.open(checkpoint); }
  Result<void> trouble() const override { return buffer_.trouble(); }
  void save(state::Checkpoint& checkpoint) override { buffer_.save(checkpoint, name_); }
  Result<void> load(const state::Checkpoint& checkpoint) override {
    return buffer_.load(checkpoint, name_, context_.watermark_at(flow_level()));
  }
  std::int64_t memory() const override { return buffer_.memory().count; }
  bool full() const override { return buffer_.full(); }

 private:
  template <JoinSide kSide, class InK, class V>
  struct Side final : KeyedConsumer<InK, V> {
    explicit Side(StreamJoin& to) : join(to), late(to) {}
    void process(const KeyedRows<InK, V>& rows) override { join.take(*this, rows); }
    static constexpr JoinSide kIs = kSide;
    StreamJoin& join;
    KeyedOutlet<K, LateRow<V>> late;
    KeyedBatch<K, LateRow<V>> late_batch;
  };

  template <class Side, class InK, class V>
  void take(Side& side, const KeyedRows<InK, V>& rows) {
    bytes_.clear();
    guard_.each(rows, [&](std::uint32_t i) {
      if (is_null(rows.values[i])) return rows.mark(i, Ending::filtered, no_value_);
      if (is_null(rows.keys[i])) return take_without_key<Side::kIs>(rows, i);
      if (const Millis by = buffer_.lateness(Side::kIs, rows.times[i]); by > Millis(0))
        return take_late(side, rows, i, by);
      add<Side::kIs>(value_of(rows.keys[i]), value_of(rows.values[i]), rows.times[i],
                     rows.origins[i]);
      rows.mark(i, Ending::counted);
    });
    side.late_batch.push(side.late, rows.ledger != nullptr ? rows.ledger->aside() : nullptr);
    batch_.push(rows_, rows.ledger);
  }

  // All pairs of a row or, where f throws for one, none: its partners stay as they were then.
  template <JoinSide kSide, class V>
  void add(const K& key, const V& value, Timestamp time, std::uint32_t origin) {
    const std::size_t told = batch_.size();
    try {
      meet<kSide>(key, value, time, origin);
    } catch (...) {
      batch_.take_back(told);
      throw;
    }
  }
  template <JoinSide kSide, class V>
  void meet(const K& key, const V& value, Timestamp time, std::uint32_t origin) {
    buffer_.add(
        kSide, encoded(key, key_bytes_), time, encoded(value, value_bytes_),
        [&](Timestamp partner_time, ByteView partner) {
          const Timestamp at = std::max(time, partner_time);
          if constexpr (kSide == JoinSide::left)
            tell(OutK(key), left_row_.of(value), right_row_.stored(partner, bytes_), at, origin);
          else
            tell(OutK(key), left_row_.stored(partner, bytes_), right_row_.of(value), at, origin);
        });
  }

  template <JoinSide kSide, class InK, class V>
  void take_without_key(const KeyedRows<InK, V>& rows, std::uint32_t i) {
    if (!buffer_.preserves(kSide)) return rows.mark(i, Ending::filtered, no_key_);
    tell_alone<kSide>(OutK{}, value_of(rows.values[i]), rows.times[i], rows.origins[i]);
    rows.mark(i, Ending::counted);
  }
  template <class Side, class InK, class V>
  void take_late(Side& side, const KeyedRows<InK, V>& rows, std::uint32_t i, Millis by) {
    const K& key = value_of(rows.keys[i]);
    rows.mark(i, Ending::late, late_reason_);
    if (side.late.connected())
      side.late_batch.add(key, {rows.values[i], kWindowClosed, by}, rows.times[i], rows.origins[i]);
    tell_alone<Side::kIs>(OutK(key), value_of(rows.values[i]), rows.times[i], rows.origins[i]);
  }

  void tell_closed(JoinSide side, ByteView key_bytes, Timestamp time, ByteView row) {
    if constexpr (kBorrowsBytes<K>) key_bytes = bytes_.keep(key_bytes);
    OutK key = read_stored(key_, key_bytes);
    if constexpr (kLeftAlone)
      if (side == JoinSide::left)
        return tell(std::move(key), left_row_.stored(row, bytes_), right_row_.absent(), time,
                    kNoOrigin);
    if constexpr (kRightAlone)
      tell(std::move(key), left_row_.absent(), right_row_.stored(row, bytes_), time, kNoOrigin);
  }

  // Nothing of a side that is never reported alone.
  template <JoinSide kSide, class V>
  void tell_alone(OutK key, const V& value, Timestamp time, std::uint32_t origin) {
    if constexpr (kSide == JoinSide::left && kLeftAlone)
      tell(std::move(key), left_row_.of(value), right_row_.absent(), time, origin);
    if constexpr (kSide == JoinSide::right && kRightAlone)
      tell(std::move(key), left_row_.absent(), right_row_.of(value), time, origin);
  }
  void tell(OutK key, typename LeftArgument::Type left, typename RightArgument::Type right,
            Timestamp time, std::uint32_t origin) {
    batch_.add(std::move(key), std::invoke(f_, left, right), time, origin);
  }

  std::string name_;
  JoinWindows windows_;
  F f_;
  TaskContext& context_;
  RowGuard guard_;
  ReasonId late_reason_, no_key_, no_value_;
  JoinBuffer buffer_;
  Side<JoinSide::left, LK, L> left_;
  Side<JoinSide::right, RK, R> right_;
  KeyedOutlet<OutK, Out> rows_{*this};
  KeyedBatch<OutK, Out> batch_;
  StepBytes bytes_;
  Buffer key_bytes_, value_bytes_;
  K key_{};
  LeftArgument left_row_;
  RightArgument right_row_;
};

// The results, and what came too late for them.
template <class K, class Out, class L, class R>
class JoinedStream : public KeyedStream<K, Out> {
 public:
  template <class Join>
  JoinedStream(Join& made, Flow flow)
      : KeyedStream<K, Out>(made.rows(), flow),
        late_left_(&made.late_left()),
        late_right_(&made.late_right()) {}

  // Rows whose windows were closed before they came, with the reason and by how much.
  KeyedStream<NonNull<K>, LateRow<L>> late_left() const { return {*late_left_, this->flow()}; }
  KeyedStream<NonNull<K>, LateRow<R>> late_right() const { return {*late_right_, this->flow()}; }

 private:
  KeyedOutlet<NonNull<K>, LateRow<L>>* late_left_;
  KeyedOutlet<NonNull<K>, LateRow<R>>* late_right_;
};

template <JoinKind kKind, class LK, class L, class RK, class R, class F>
auto join_streams(std::string store, const KeyedStream<LK, L>& left_stream,
                  const KeyedStream<RK, R>& right_stream, const JoinWindows& windows, F f) {
  using Made = StreamJoin<kKind, LK, L, RK, R, F>;
  const auto left = left_stream.co_partitioned(store + "-left");
  const auto right = right_stream.co_partitioned(store + "-right");
  const Flow flow = left.flow().merged(right.flow());
  Topology& topology = *flow.topology;
  auto& made = flow.template add<Made>(store, windows, std::move(f), topology.context());
  topology.name_store(store, made.buffer());
  for (std::string& part : JoinBuffer::store_names(store, kKind))
    topology.name_store(std::move(part), made.buffer());
  left.rows().attach(made.left(), made);
  right.rows().attach(made.right(), made);
  return JoinedStream<typename Made::OutK, typename Made::Out, L, R>(made, flow);
}

template <class K, class V>
template <SameKey<K> RK, class W, class F>
auto KeyedStream<K, V>::join(std::string store, const KeyedStream<RK, W>& right,
                             const JoinWindows& windows, F f) const {
  return join_streams<JoinKind::inner>(std::move(store), *this, right, windows, std::move(f));
}
template <class K, class V>
template <SameKey<K> RK, class W, class F>
auto KeyedStream<K, V>::left_join(std::string store, const KeyedStream<RK, W>& right,
                                  const JoinWindows& windows, F f) const {
  return join_streams<JoinKind::left>(std::move(store), *this, right, windows, std::move(f));
}
template <class K, class V>
template <SameKey<K> RK, class W, class F>
auto KeyedStream<K, V>::outer_join(std::string store, const KeyedStream<RK, W>& right,
                                   const JoinWindows& windows, F f) const {
  return join_streams<JoinKind::outer>(std::move(store), *this, right, windows, std::move(f));
}

}  // namespace adbrook::stream
