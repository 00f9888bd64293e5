// The stream–table join: each row of a stream meets the row of a table that stands when it comes.
// The task reads a table before the rows of streams that are not older (task_loop.cc), so that a
// backfill finds what stood then.
#pragma once

#include <string>
#include <utility>

#include "stream/join/joiner.h"
#include "stream/table/table.h"

namespace adbrook::stream {

// Rows without a value are dropped; without a key they have no row in the table. Looks up by the
// bytes of the key: one probe, and no copy of a value that borrows.
template <JoinKind kKind, class InK, class V, class K, class W, class F>
class StreamTableJoin final : public Operator, public KeyedConsumer<InK, V> {
  static_assert(kKind != JoinKind::outer, "a table's row alone is no result of a stream");
  using Row = JoinerArgument<W, kKind == JoinKind::left>;

 public:
  using OutK = std::conditional_t<kKind == JoinKind::left, InK, NonNull<InK>>;
  using Out = std::remove_cvref_t<std::invoke_result_t<F&, const NonNull<V>&, typename Row::Type>>;

  StreamTableJoin(std::string name, const state::KeyValueStore& table, F f, TaskContext& context)
      : table_(table),
        f_(std::move(f)),
        guard_(std::move(name), context),
        no_row_(context.counts.reason("no_row_in_table")),
        no_value_(context.counts.reason(kValueMissing)) {}

  std::string describe() const override {
    return std::string(word_of(kKind)) + " " + guard_.name() + " with a table";
  }
  bool stateless() const override { return true; }
  KeyedOutlet<OutK, Out>& rows() { return rows_; }

  void process(const KeyedRows<InK, V>& rows) override {
    guard_.each(rows, [&](std::uint32_t i) {
      if (is_null(rows.values[i])) return rows.mark(i, Ending::filtered, no_value_);
      const auto found = is_null(rows.keys[i]) ? std::nullopt : find(value_of(rows.keys[i]));
      if (found)
        tell(rows, i, row_.in_place(found->subspan(kRowTimeSize)));
      else if constexpr (kKind == JoinKind::left)
        tell(rows, i, row_.absent());
      else
        rows.mark(i, Ending::filtered, no_row_);
    });
    batch_.push(rows_, rows.ledger);
  }

 private:
  std::optional<ByteView> find(const NonNull<InK>& key) {
    return table_.get(encoded(key, key_bytes_));
  }
  void tell(const KeyedRows<InK, V>& rows, std::uint32_t i, typename Row::Type row) {
    Out out = std::invoke(f_, value_of(rows.values[i]), row);
    if constexpr (kKind == JoinKind::left)
      batch_.add(rows.keys[i], std::move(out), rows.times[i], rows.origins[i]);
    else
      batch_.add(value_of(rows.keys[i]), std::move(out), rows.times[i], rows.origins[i]);
  }

  const state::KeyValueStore& table_;
  F f_;
  RowGuard guard_;
  ReasonId no_row_, no_value_;
  Row row_;
  Buffer key_bytes_;
  KeyedOutlet<OutK, Out> rows_{*this};
  KeyedBatch<OutK, Out> batch_;
};

template <JoinKind kKind, class InK, class V, class K, class W, class F>
auto join_table(std::string store, const KeyedStream<InK, V>& stream, const Table<K, W>& table,
                F f) {
  const auto placed = stream.co_partitioned(store);
  const Table<K, W> kept = table.kept(store + "-table");
  const Flow flow = placed.flow().merged(kept.flow());
  Topology& topology = *flow.topology;
  auto& made = flow.template add<StreamTableJoin<kKind, InK, V, K, W, F>>(
      std::move(store), kept.store()->bytes(), std::move(f), topology.context());
  placed.rows().attach(made);
  kept.changes().note_reader(made);
  return KeyedStream(made.rows(), flow);
}

template <class K, class V>
template <SameKeyBytes<K> TK, class W, class F>
auto KeyedStream<K, V>::join(std::string store, const Table<TK, W>& table, F f) const {
  return join_table<JoinKind::inner>(std::move(store), *this, table, std::move(f));
}
template <class K, class V>
template <SameKeyBytes<K> TK, class W, class F>
auto KeyedStream<K, V>::left_join(std::string store, const Table<TK, W>& table, F f) const {
  return join_table<JoinKind::left>(std::move(store), *this, table, std::move(f));
}

}  // namespace adbrook::stream
