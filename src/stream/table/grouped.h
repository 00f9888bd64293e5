// What group_by_key() and group_by() give: the words that fold the rows of each key into a table.
#pragma once

#include <string>
#include <utility>

#include "stream/table/aggregate.h"
#include "stream/table/table.h"

namespace adbrook::stream {

template <class K, class V, class W>
class WindowedStream;

namespace detail {

// Attaches an Aggregate where all rows of a key come together.
template <class A, class InK, class In, class F>
Table<NonNull<InK>, A> aggregate_stream(const KeyedStream<InK, In>& stream, std::string store,
                                        const StoreOptions& options, F fold) {
  Topology& topology = *stream.flow().topology;
  const auto placed = stream.co_partitioned(store);
  auto& made = placed.flow().template add<Aggregate<InK, In, A, F>>(store, options, std::move(fold),
                                                                    topology.context());
  topology.show_store(store, std::make_unique<TableShow<NonNull<InK>, A>>(made.store().bytes()));
  topology.name_store(std::move(store), made.store().bytes());
  placed.rows().attach(made);
  return Table<NonNull<InK>, A>(made.rows(), &made.store(), true, placed.flow());
}

}  // namespace detail

// Rows whose key or value is absent are skipped. Every step names its store first; rows that were
// given another key go through the internal topic "<store>-repartition" before it.
template <class K, class V>
class GroupedStream {
 public:
  using Key = NonNull<K>;

  explicit GroupedStream(KeyedStream<K, V> stream) : stream_(std::move(stream)) {}

  Table<Key, std::int64_t> count(std::string store, StoreOptions options = {}) const {
    return detail::aggregate_stream<std::int64_t>(stream_, std::move(store), options,
                                                  CountFold<NullValues::skipped>());
  }
  Table<Key, NonNull<V>> sum(std::string store, StoreOptions options = {}) const {
    return detail::aggregate_stream<NonNull<V>>(stream_, std::move(store), options, SumFold());
  }
  // f(so far, next), from a key's second value on.
  template <std::invocable<const NonNull<V>&, const NonNull<V>&> F>
  Table<Key, NonNull<V>> reduce(std::string store, F f, StoreOptions options = {}) const {
    return detail::aggregate_stream<NonNull<V>>(stream_, std::move(store), options,
                                                ReduceFold<F>{std::move(f)});
  }
  // add(aggregate, key, value) or add(aggregate, value) changes the aggregate, which begins as
  // `initial`.
  template <class A, Adder<A, Key, V> F>
  Table<Key, A> aggregate(std::string store, A initial, F add, StoreOptions options = {}) const {
    return detail::aggregate_stream<A>(
        stream_, std::move(store), options,
        AggregateFold<A, F, NullValues::skipped>{std::move(initial), std::move(add)});
  }

  // By windows of event time: stream/window/windowed_stream.h.
  template <class W>
  WindowedStream<K, V, W> windowed_by(W windows) const {
    return WindowedStream<K, V, W>(stream_, windows);
  }

 private:
  KeyedStream<K, V> stream_;
};

template <class K, class V>
GroupedStream<K, V> KeyedStream<K, V>::group_by_key() const {
  return GroupedStream<K, V>(*this);
}

// The rows of a table by another key: an update takes the old row away from its group and adds the
// new one to its own. Always goes through the internal topic "<store>-repartition".
template <class K, class V>
class GroupedTable {
 public:
  using Key = NonNull<K>;

  explicit GroupedTable(KeyedStream<K, Change<V>> changes) : changes_(std::move(changes)) {}

  Table<Key, std::int64_t> count(std::string store, StoreOptions options = {}) const {
    return aggregate(
        std::move(store), std::int64_t{0}, [](std::int64_t& count, const V&) { ++count; },
        [](std::int64_t& count, const V&) { --count; }, options);
  }
  Table<Key, V> sum(std::string store, StoreOptions options = {}) const {
    return aggregate(
        std::move(store), V{}, [](V& sum, const V& value) { sum += value; },
        [](V& sum, const V& value) { sum -= value; }, options);
  }
  // add(so far, value) and subtract(so far, value); a group's first value is its beginning.
  template <std::invocable<const V&, const V&> Add, std::invocable<const V&, const V&> Subtract>
  Table<Key, V> reduce(std::string store, Add add, Subtract subtract,
                       StoreOptions options = {}) const {
    return detail::aggregate_stream<V>(
        changes_, std::move(store), options,
        TableReduceFold<Add, Subtract>{std::move(add), std::move(subtract)});
  }
  // Both change the aggregate in place; the old row is taken away before the new one is added.
  template <class A, Adder<A, Key, V> Add, Adder<A, Key, V> Subtract>
  Table<Key, A> aggregate(std::string store, A initial, Add add, Subtract subtract,
                          StoreOptions options = {}) const {
    return detail::aggregate_stream<A>(
        changes_, std::move(store), options,
        TableFold<A, Add, Subtract>{std::move(initial), std::move(add), std::move(subtract)});
  }

 private:
  KeyedStream<K, Change<V>> changes_;  // under another key, so they are repartitioned
};

template <class K, class V>
template <std::invocable<const K&, const V&> F>
auto Table<K, V>::group_by(std::string name, F f) const {
  using Pair = std::remove_cvref_t<std::invoke_result_t<F&, const K&, const V&>>;
  using L = typename Pair::first_type;
  using W = typename Pair::second_type;
  if (!knows_old_)
    flow_.topology->refuse(
        {ErrorKind::invalid,
         "group_by " + name +
             ": this table is not kept, so nobody knows what to take away from a group; group "
             "table(…) or kept(…) instead"});
  auto& made = add<GroupChanges<K, V, L, W, F>>(std::move(name), std::move(f));
  Flow flow = flow_;
  flow.rekeyed = true;
  return GroupedTable<L, W>(KeyedStream<L, Change<W>>(made.rows(), std::move(flow)));
}

}  // namespace adbrook::stream
