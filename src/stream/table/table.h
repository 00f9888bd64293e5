// Tables in the words of Kafka Streams: the last value of each key, as a flow of changes and, where
// it is kept, as a store that joins and readers look into.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "stream/keyed/keyed_stream.h"
#include "stream/query/store_show.h"
#include "stream/table/table_steps.h"

namespace adbrook::stream {

struct TableOptions {
  StoreOptions store;
};

template <class K, class V>
class GroupedTable;

// A handle, as KeyedStream is one. K and V are never absent; a row that is deleted is a change
// without a new value.
template <class K, class V>
class Table {
 public:
  using Key = K;
  using Value = V;

  // `store` is null for a table that is not kept.
  Table(KeyedOutlet<K, Change<V>>& changes, TableStore<K, V>* store, bool knows_old, Flow flow)
      : changes_(&changes), store_(store), knows_old_(knows_old), flow_(std::move(flow)) {}

  template <RowFunction<K, V> Keep>
  Table filter(std::string name, Keep keep) const {
    auto& made = add<TableFilter<K, V, Keep>>(std::move(name), std::move(keep), knows_old_);
    return Table(made.rows(), nullptr, knows_old_, flow_);
  }
  // An f that gives a std::optional may delete rows.
  template <RowFunction<K, V> F>
  auto map_values(std::string name, F f) const {
    using W = NonNull<CallResult<F, K, V>>;
    auto& made = add<TableMapValues<K, V, W, F>>(std::move(name), std::move(f));
    return Table<K, W>(made.rows(), nullptr, knows_old_, flow_);
  }
  // Its changes; an absent value is a deletion.
  KeyedStream<K, std::optional<V>> to_stream() const {
    return KeyedStream<K, std::optional<V>>(add<TableToStream<K, V>>().rows(), flow_);
  }
  void to(std::string_view topic) const { to_stream().to(topic); }

  // f(key, value) gives a std::pair of the group's key and the value that counts in it. Goes
  // through the internal topic of the step behind.
  template <std::invocable<const K&, const V&> F>
  auto group_by(std::string name, F f) const;

  // A row for each key that has one on both sides, on the left, or on either, by f(left, right); f
  // takes a std::optional where a row may be absent (stream/join/table_join.h).
  template <class W, class F>
  auto join(std::string store, const Table<K, W>& other, F f, StoreOptions options = {}) const;
  template <class W, class F>
  auto left_join(std::string store, const Table<K, W>& other, F f, StoreOptions options = {}) const;
  template <class W, class F>
  auto outer_join(std::string store, const Table<K, W>& other, F f,
                  StoreOptions options = {}) const;

  // This table, kept: itself where it is already, else its rows in a store of this name.
  Table kept(std::string store, StoreOptions options = {}) const {
    return store_ != nullptr ? *this : keep_changes(std::move(store), options);
  }

  // For operators.
  KeyedOutlet<K, Change<V>>& changes() const { return *changes_; }
  const Flow& flow() const { return flow_; }
  bool knows_old() const { return knows_old_; }
  // Null when it is not kept. It holds every change that was pushed so far.
  TableStore<K, V>* store() const { return store_; }

 private:
  template <class O, class... Args>
  O& add(Args&&... args) const {
    O& made = flow_.template add<O>(std::forward<Args>(args)..., flow_.topology->context());
    changes_->attach(made);
    return made;
  }
  Table keep_changes(std::string store, const StoreOptions& options) const {
    auto& made = add<KeepTable<K, Change<V>, V>>(store, options);
    flow_.topology->show_store(store, std::make_unique<TableShow<K, V>>(made.store().bytes()));
    flow_.topology->name_store(std::move(store), made.store().bytes());
    return Table(made.rows(), &made.store(), true, flow_);
  }

  KeyedOutlet<K, Change<V>>* changes_;
  TableStore<K, V>* store_;
  bool knows_old_;
  Flow flow_;
};

// Keeps what comes by this stream as a table.
template <class K, class V, class InK, class In>
Table<K, V> keep_as_table(const KeyedStream<InK, In>& stream, std::string store,
                          const StoreOptions& options) {
  Topology& topology = *stream.flow().topology;
  const auto placed = stream.co_partitioned(store);
  auto& made =
      placed.flow().template add<KeepTable<InK, In, V>>(store, options, topology.context());
  topology.show_store(store, std::make_unique<TableShow<K, V>>(made.store().bytes()));
  topology.name_store(std::move(store), made.store().bytes());
  placed.rows().attach(made);
  return Table<K, V>(made.rows(), &made.store(), true, placed.flow());
}

template <class K, class V>
Table<NonNull<K>, NonNull<V>> KeyedStream<K, V>::to_table(std::string store) const {
  return keep_as_table<NonNull<K>, NonNull<V>>(*this, std::move(store), {});
}

template <class K, class V>
Table<NonNull<K>, NonNull<V>> KeyedStream<K, V>::to_table_updates() const {
  static_assert(Nullable<V>::kNullable, "a value that may be absent says what is deleted");
  if (flow_.rekeyed)
    flow_.topology->refuse({ErrorKind::invalid,
                            "to_table_updates() of rows under a new key: they may lie in another "
                            "partition than their table's; call repartition(topic) before"});
  auto& made = flow_.topology->template add<TableUpdates<K, NonNull<V>>>(flow_.topology->context());
  rows_->attach(made);
  return Table<NonNull<K>, NonNull<V>>(made.rows(), nullptr, false, flow_);
}

namespace detail {

// Rows of a table are read before what looks them up.
template <class K, class V>
KeyedStream<std::optional<K>, std::optional<V>> table_rows(Topology& topology, std::string topic) {
  InputPlace place = topology.next_place(topic, topic, 0);
  place.table = true;
  return keyed_source<std::optional<K>, std::optional<V>>(
      topology, std::move(place), SerdeCodec<std::optional<K>, std::optional<V>>());
}

}  // namespace detail

template <class K, class V>
Table<K, V> Topology::table(std::string store, std::string topic, const TableOptions& options) {
  return keep_as_table<K, V>(detail::table_rows<K, V>(*this, std::move(topic)), std::move(store),
                             options.store);
}
template <class K, class V>
Table<K, V> Topology::table(std::string store, std::string topic) {
  return table<K, V>(std::move(store), std::move(topic), TableOptions{});
}

template <class K, class V>
Table<K, V> Topology::table_updates(std::string topic) {
  return detail::table_rows<K, V>(*this, std::move(topic)).to_table_updates();
}

}  // namespace adbrook::stream
