// Windows in the words of Kafka Streams: group_by_key().windowed_by(TumblingWindow{.size = 10s})
// and then count, sum, reduce or aggregate.
#pragma once

#include <string>
#include <type_traits>
#include <utility>

#include "stream/table/grouped.h"
#include "stream/window/session_aggregate.h"
#include "stream/window/window_aggregate.h"

namespace adbrook::stream {

// A handle on aggregates by key and window. V is the type of the records that were folded.
template <class InK, class V, class A>
class WindowedTable {
 public:
  using K = NonNull<InK>;

  template <class O>
  WindowedTable(O& made, Flow flow)
      : updates_(&made.updates()),
        finals_(&made.finals()),
        late_(&made.late()),
        flow_(std::move(flow)) {}

  // Every update, when its record comes. An absent value takes back a session that has grown.
  KeyedStream<Windowed<K>, std::optional<A>> to_stream() const { return {*updates_, flow_}; }
  void to(std::string_view topic) const { to_stream().to(topic); }
  // One result per key and window, when time has passed it and its grace: Kafka's suppress until
  // the window closes.
  KeyedStream<Windowed<K>, A> final() const { return {*finals_, flow_}; }
  // The records that no open window took, with the reason and how late they were.
  KeyedStream<K, LateRow<V>> late() const { return {*late_, flow_}; }

 private:
  KeyedOutlet<Windowed<K>, std::optional<A>>* updates_;
  KeyedOutlet<Windowed<K>, A>* finals_;
  KeyedOutlet<K, LateRow<V>>* late_;
  Flow flow_;
};

// How two sessions become one.
struct AddSessions {
  template <class A>
  void operator()(A& state, bool, const A& other) const {
    state += other;
  }
};
template <class F>
struct ReduceSessions {
  F f;
  template <class A>
  void operator()(A& state, bool is_new, const A& other) {
    state = is_new ? other : A(std::invoke(f, std::as_const(state), other));
  }
};
template <class A, class F>
struct MergeSessions {
  A initial;
  F f;
  void operator()(A& state, bool is_new, const A& other) {
    if (is_new) state = initial;
    std::invoke(f, state, other);
  }
};

// W is TumblingWindow, HoppingWindow or SessionWindow. Rows without a key belong to no window; rows
// without a value count and move nothing else.
template <class K, class V, class W>
class WindowedStream {
 public:
  using Key = NonNull<K>;
  static constexpr bool kSessions = std::is_same_v<W, SessionWindow>;

  WindowedStream(KeyedStream<K, V> stream, W windows)
      : stream_(std::move(stream)), windows_(windows) {}

  WindowedTable<K, V, std::int64_t> count(std::string store, StoreOptions options = {}) const {
    return make<std::int64_t>(std::move(store), options, CountFold<NullValues::counted>(),
                              AddSessions());
  }
  WindowedTable<K, V, NonNull<V>> sum(std::string store, StoreOptions options = {}) const {
    return make<NonNull<V>>(std::move(store), options, SumFold(), AddSessions());
  }
  template <std::invocable<const NonNull<V>&, const NonNull<V>&> F>
  WindowedTable<K, V, NonNull<V>> reduce(std::string store, F f, StoreOptions options = {}) const {
    return make<NonNull<V>>(std::move(store), options, ReduceFold<F>{f}, ReduceSessions<F>{f});
  }
  template <class A, Adder<A, Key, V> F>
    requires(!kSessions)
  WindowedTable<K, V, A> aggregate(std::string store, A initial, F add,
                                   StoreOptions options = {}) const {
    return make<A>(std::move(store), options,
                   AggregateFold<A, F, NullValues::counted>{std::move(initial), std::move(add)},
                   AddSessions());
  }
  // merge(aggregate, other) takes in the aggregate of another session.
  template <class A, Adder<A, Key, V> F, std::invocable<A&, const A&> M>
    requires kSessions
  WindowedTable<K, V, A> aggregate(std::string store, A initial, F add, M merge,
                                   StoreOptions options = {}) const {
    return make<A>(std::move(store), options,
                   AggregateFold<A, F, NullValues::counted>{initial, std::move(add)},
                   MergeSessions<A, M>{initial, std::move(merge)});
  }

 private:
  template <class A, class F, class M>
  WindowedTable<K, V, A> make(std::string store, const StoreOptions& options, F fold,
                              M merge) const {
    Topology& topology = *stream_.flow().topology;
    const auto placed = stream_.co_partitioned(store);
    const auto attached = [&](auto& made, std::optional<Millis> size) {
      topology.show_store(store, std::make_unique<WindowShow<Key, A>>(made.store(), size));
      topology.name_store(store, made.store());
      placed.rows().attach(made);
      return WindowedTable<K, V, A>(made, placed.flow());
    };
    if constexpr (kSessions)
      return attached(
          placed.flow().template add<SessionAggregate<K, V, A, F, M>>(
              store, windows_, options, std::move(fold), std::move(merge), topology.context()),
          std::nullopt);
    else
      return attached(placed.flow().template add<WindowAggregate<K, V, A, F>>(
                          store, hopping(windows_), options, std::move(fold), topology.context()),
                      hopping(windows_).size);
  }

  KeyedStream<K, V> stream_;
  W windows_;
};

}  // namespace adbrook::stream
