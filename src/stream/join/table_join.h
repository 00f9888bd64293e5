// The table–table join: a table whose row of a key is made of the rows of that key on both sides.
// Each change says what stood before, so that aggregates behind it are right.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "stream/join/joined_rows.h"
#include "stream/join/joiner.h"
#include "stream/table/table.h"

namespace adbrook::stream {

// Keeps both sides' rows itself, since what stood before a change depends on both at that moment;
// the tables need not be kept for it. A result's time is that of its youngest row; of a deletion
// that of the deletion, or of the other side's row where that is younger.
template <JoinKind kKind, class K, class L, class R, class F>
class TableJoin final : public Operator {
  static constexpr bool kLeftAbsent = kKind == JoinKind::outer;
  static constexpr bool kRightAbsent = kKind != JoinKind::inner;
  using LeftArgument = JoinerArgument<L, kLeftAbsent>;
  using RightArgument = JoinerArgument<R, kRightAbsent>;

 public:
  using Out = NonNull<JoinResult<F, LeftArgument, RightArgument>>;

  TableJoin(std::string store, const StoreOptions& options, F f, TaskContext& context)
      : name_(std::move(store)),
        options_(options),
        f_(std::move(f)),
        guard_(name_, context),
        joined_({.budget = options.budget,
                 .over_budget = options.over_budget,
                 .hash_seed = context.hash_seed}),
        left_(*this),
        right_(*this) {}

  std::string describe() const override { return std::string(word_of(kKind)) + " tables " + name_; }
  Result<void> check() const override { return check_budget(name_, options_); }

  KeyedConsumer<K, Change<L>>& left() { return left_; }
  KeyedConsumer<K, Change<R>>& right() { return right_; }
  KeyedOutlet<K, Change<Out>>& rows() { return rows_; }
  const JoinedRows& joined() const { return joined_; }

  void open(state::Checkpoint& checkpoint) override { joined_.open(checkpoint); }
  Result<void> trouble() const override { return joined_.trouble(); }
  void save(state::Checkpoint& checkpoint) override { joined_.save(checkpoint, name_); }
  Result<void> load(const state::Checkpoint& checkpoint) override {
    return joined_.load(checkpoint, name_);
  }
  std::int64_t memory() const override { return joined_.memory().count; }
  bool full() const override { return joined_.full(); }

 private:
  template <JoinSide kSide, class V>
  struct Side final : KeyedConsumer<K, Change<V>> {
    explicit Side(TableJoin& to) : join(to) {}
    void process(const KeyedRows<K, Change<V>>& rows) override { join.take(kSide, rows); }
    TableJoin& join;
  };

  template <class V>
  void take(JoinSide side, const KeyedRows<K, Change<V>>& rows) {
    bytes_.clear();
    guard_.each(rows, [&](std::uint32_t i) {
      const auto row = encoded_or_null(rows.values[i].new_value, value_bytes_);
      joined_.update(side, encoded(rows.keys[i], key_bytes_), rows.times[i], row,
                     [&](const JoinedRow& before, const JoinedRow& after) {
                       tell(side, before, after, rows, i);
                     });
      rows.mark(i, Ending::counted);
    });
    batch_.push(rows_, rows.ledger);
  }

  // A deletion that meets a row on the other side is told even if nothing stood before it.
  template <class V>
  void tell(JoinSide side, const JoinedRow& before, const JoinedRow& after,
            const KeyedRows<K, Change<V>>& rows, std::uint32_t i) {
    const bool meets = after.has(other_side(side));
    if (!before.joins(kKind) && !after.joins(kKind) && !meets) return;
    const Timestamp time = after.time() ? std::max(rows.times[i], *after.time()) : rows.times[i];
    batch_.add(rows.keys[i], {result(before), result(after)}, time, rows.origins[i]);
  }
  std::optional<Out> result(const JoinedRow& row) {
    if (!row.joins(kKind)) return std::nullopt;
    return std::invoke(f_, argument<kLeftAbsent>(left_row_, row.left),
                       argument<kRightAbsent>(right_row_, row.right));
  }
  template <bool kMayBeAbsent, class Argument>
  typename Argument::Type argument(Argument& argument, const std::optional<ByteView>& row) {
    if constexpr (kMayBeAbsent)
      if (!row) return argument.absent();
    return argument.stored(*row, bytes_);
  }

  std::string name_;
  StoreOptions options_;
  F f_;
  RowGuard guard_;
  JoinedRows joined_;
  Side<JoinSide::left, L> left_;
  Side<JoinSide::right, R> right_;
  KeyedOutlet<K, Change<Out>> rows_{*this};
  KeyedBatch<K, Change<Out>> batch_;
  StepBytes bytes_;
  Buffer key_bytes_, value_bytes_;
  LeftArgument left_row_;
  RightArgument right_row_;
};

template <JoinKind kKind, class K, class L, class R, class F>
auto join_tables(std::string store, const Table<K, L>& left, const Table<K, R>& right,
                 const StoreOptions& options, F f) {
  using Made = TableJoin<kKind, K, L, R, F>;
  const Flow flow = left.flow().merged(right.flow());
  Topology& topology = *flow.topology;
  auto& made = flow.template add<Made>(store, options, std::move(f), topology.context());
  topology.name_store(std::move(store), made.joined());
  left.changes().attach(made.left(), made);
  right.changes().attach(made.right(), made);
  return Table<K, typename Made::Out>(made.rows(), nullptr, true, flow);
}

template <class K, class V>
template <class W, class F>
auto Table<K, V>::join(std::string store, const Table<K, W>& other, F f,
                       StoreOptions options) const {
  return join_tables<JoinKind::inner>(std::move(store), *this, other, options, std::move(f));
}
template <class K, class V>
template <class W, class F>
auto Table<K, V>::left_join(std::string store, const Table<K, W>& other, F f,
                            StoreOptions options) const {
  return join_tables<JoinKind::left>(std::move(store), *this, other, options, std::move(f));
}
template <class K, class V>
template <class W, class F>
auto Table<K, V>::outer_join(std::string store, const Table<K, W>& other, F f,
                             StoreOptions options) const {
  return join_tables<JoinKind::outer>(std::move(store), *this, other, options, std::move(f));
}

}  // namespace adbrook::stream
