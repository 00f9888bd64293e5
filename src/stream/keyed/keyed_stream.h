// Streams of keys and values, in the words of Kafka Streams. A handle is cheap to copy and valid
// while its topology lives; what is called on it is seen by every row, in the order of the calls.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>

#include "stream/keyed/keyed_input.h"
#include "stream/keyed/stateless_steps.h"
#include "stream/topology.h"

namespace adbrook::stream {

// Where rows of a handle come from; what internal topics and placement need to know.
struct Flow {
  Topology* topology = nullptr;
  int level = 0;             // of the inputs the rows come by, the highest
  std::string origin_topic;  // that first received their records
  bool rekeyed = false;      // the key may belong to another partition than the row is in

  // An operator of this flow: time is told to it as far as the flow's inputs have come.
  template <class O, class... Args>
  O& add(Args&&... args) const {
    O& made = topology->add<O>(std::forward<Args>(args)...);
    made.set_flow_level(level);
    return made;
  }
  // Of rows that come from both.
  Flow merged(const Flow& other) const {
    Flow both = *this;
    both.level = std::max(level, other.level);
    both.rekeyed = rekeyed || other.rekeyed;
    return both;
  }
};

template <class K, class V>
class GroupedStream;
struct JoinWindows;

// Rows under these keys can meet: one type, but for null.
template <class A, class B>
concept SameKey = std::is_same_v<NonNull<A>, NonNull<B>>;
// As that, or texts of either kind: their bytes are the same.
template <class A, class B>
concept SameKeyBytes = SameKey<A, B> || (std::is_convertible_v<NonNull<A>, std::string_view> &&
                                         std::is_convertible_v<NonNull<B>, std::string_view>);

// K and V are anything with a Serde, or a std::optional of it where null may come: a record without
// a key into a KeyedStream<std::string, …> is a dead letter, into KeyedStream<std::optional<…>, …>
// a row. Functions take (const V&) or (const K&, const V&); the name in front is for people, dead
// letters and counts.
template <class K, class V>
class KeyedStream {
 public:
  using Key = K;
  using Value = V;

  KeyedStream(KeyedOutlet<K, V>& rows, Flow flow) : rows_(&rows), flow_(std::move(flow)) {}

  // Lets through what keep says; the others end as filtered(name).
  template <RowFunction<K, V> Keep>
  KeyedStream filter(std::string name, Keep keep) const {
    return attach<KeyedFilter<K, V, Keep>>(std::move(name), std::move(keep));
  }
  template <RowFunction<K, V> F>
  auto map_values(std::string name, F f) const {
    return attach<MapValues<K, V, CallResult<F, K, V>, F>>(std::move(name), std::move(f));
  }
  // f gives the new key; values and times stay.
  template <RowFunction<K, V> F>
  auto select_key(std::string name, F f) const {
    return attach<SelectKey<K, V, CallResult<F, K, V>, F>>(std::move(name), std::move(f)).rekey();
  }
  // f gives a std::pair of key and value.
  template <RowFunction<K, V> F>
  auto map(std::string name, F f) const {
    using Pair = CallResult<F, K, V>;
    using L = typename Pair::first_type;
    using W = typename Pair::second_type;
    return attach<MapRows<K, V, L, W, F>>(std::move(name), std::move(f)).rekey();
  }
  // f(key, value, emit) calls emit(new key, new value) as often as it likes.
  template <class L, class W, std::invocable<const K&, const V&, Emit<L, W>> F>
  KeyedStream<L, W> flat_map(std::string name, F f) const {
    return attach<FlatMap<K, V, L, W, F>>(std::move(name), std::move(f)).rekey();
  }
  // f(value, emit) calls emit(new value) as often as it likes; the key stays.
  template <class W, class F>
  KeyedStream<K, W> flat_map_values(std::string name, F f) const {
    const auto with_key = [f = std::move(f)](const K& key, const V& value,
                                             Emit<K, W> emit) mutable {
      std::invoke(f, value, [&](W made) { emit(key, std::move(made)); });
    };
    return attach<FlatMap<K, V, K, W, std::remove_const_t<decltype(with_key)>>>(std::move(name),
                                                                                with_key);
  }
  // The first predicate that holds takes the row; the last stream of the array takes the rest.
  template <RowFunction<K, V>... Predicates>
  std::array<KeyedStream, sizeof...(Predicates) + 1> branch(std::string name,
                                                            Predicates... predicates) const {
    Topology& topology = *flow_.topology;
    auto& made = topology.add<KeyedBranch<K, V, Predicates...>>(std::move(name), topology.context(),
                                                                std::move(predicates)...);
    rows_->attach(made);
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return std::array{KeyedStream(made.rows(I), flow_)...};
    }(std::make_index_sequence<sizeof...(Predicates) + 1>());
  }
  KeyedStream merge(const KeyedStream& other) const {
    auto& made = flow_.topology->add<Merge<K, V>>();
    rows_->attach(made);
    other.rows_->attach(made);
    return KeyedStream(made.rows(), flow_.merged(other.flow_));
  }
  // Shows f every row where it stands, and changes nothing.
  template <RowFunction<K, V> F>
  KeyedStream peek(std::string name, F f) const {
    return attach<Peek<K, V, F>>(std::move(name), std::move(f));
  }

  // Writes the rows to a topic: into the partition that their key says, or, as long as no step gave
  // them another key, into the one they came from.
  void to(std::string_view topic) const {
    Sink& sink = flow_.topology->sink(topic);
    rows_->attach(flow_.topology->add<ToTopic<K, V>>(
        sink, flow_.rekeyed ? Placement::by_key : Placement::own_partition,
        flow_.topology->context()));
  }
  // Sends each row through this internal topic to the task that owns its key. Rows without a key
  // are dropped. What is grouped or joined under a new key goes through such a topic by itself.
  KeyedStream repartition(std::string topic) const {
    Topology& topology = *flow_.topology;
    rows_->attach(topology.add<KeyedRepartition<K, V>>(topology.sink(topic), topology.context()));
    Flow flow = flow_;
    ++flow.level;
    flow.rekeyed = false;
    auto made = std::make_unique<KeyedInput<K, V, SerdeCodec<K, V>>>(
        topology.next_place(std::move(topic), flow.origin_topic, flow.level), topology.watermarks(),
        SerdeCodec<K, V>(), topology.context());
    auto& input = *made;
    topology.add_input(std::move(made));
    return KeyedStream(input.rows(), std::move(flow));
  }
  // As repartition(), but only if a step gave the rows another key.
  KeyedStream co_partitioned(const std::string& store) const {
    return flow_.rekeyed ? repartition(store + "-repartition") : *this;
  }

  // By its own key: what count(), sum(), … and windows are of. Rows without a key belong to none.
  GroupedStream<K, V> group_by_key() const;
  // As select_key() and group_by_key().
  template <RowFunction<K, V> F>
  auto group_by(std::string name, F f) const {
    return select_key(std::move(name), std::move(f)).group_by_key();
  }
  // The last value of each key as a table. An absent value deletes the row.
  Table<NonNull<K>, NonNull<V>> to_table(std::string store) const;
  // The updates of such a table that nobody keeps, of a stream whose values may be absent.
  Table<NonNull<K>, NonNull<V>> to_table_updates() const;

  // A processor of your own, with stores and timers: stream/process/processor.h.
  template <class P, class... Args>
  auto process(std::string name, Args&&... args) const;

  // Pairs of rows with one key whose times lie near each other, by f(left, right), at once; of a
  // left or outer join also rows that stayed alone, when their window is closed
  // (stream/join/stream_join.h). f takes a std::optional where a row may be absent.
  template <SameKey<K> RK, class W, class F>
  auto join(std::string store, const KeyedStream<RK, W>& right, const JoinWindows& windows,
            F f) const;
  template <SameKey<K> RK, class W, class F>
  auto left_join(std::string store, const KeyedStream<RK, W>& right, const JoinWindows& windows,
                 F f) const;
  template <SameKey<K> RK, class W, class F>
  auto outer_join(std::string store, const KeyedStream<RK, W>& right, const JoinWindows& windows,
                  F f) const;
  // Each row with the row of the table that stands then (stream/join/stream_table_join.h). The
  // store is made for a table that is not kept.
  template <SameKeyBytes<K> TK, class W, class F>
  auto join(std::string store, const Table<TK, W>& table, F f) const;
  template <SameKeyBytes<K> TK, class W, class F>
  auto left_join(std::string store, const Table<TK, W>& table, F f) const;

  // For operators: where to attach, and what to give on.
  KeyedOutlet<K, V>& rows() const { return *rows_; }
  const Flow& flow() const { return flow_; }
  // Makes an operator O(args…, context), attaches it here, and hands out the stream of its rows().
  template <class O, class... Args>
  auto attach(Args&&... args) const {
    O& made = flow_.template add<O>(std::forward<Args>(args)..., flow_.topology->context());
    rows_->attach(made);
    return stream_of(made.rows());
  }

 private:
  template <class L, class W>
  friend class KeyedStream;

  template <class L, class W>
  KeyedStream<L, W> stream_of(KeyedOutlet<L, W>& rows) const {
    return KeyedStream<L, W>(rows, flow_);
  }
  KeyedStream rekey() const {
    KeyedStream stream = *this;
    stream.flow_.rekeyed = true;
    return stream;
  }

  KeyedOutlet<K, V>* rows_;
  Flow flow_;
};

namespace detail {

template <class K, class V, class Codec>
KeyedStream<K, V> keyed_source(Topology& topology, InputPlace place, Codec codec) {
  static_assert(KeyedCodec<Codec, K, V>, "codec(record, key, value, time, why) -> bool");
  topology.dead_letters();
  Flow flow{.topology = &topology, .origin_topic = place.topic};
  auto made = std::make_unique<KeyedInput<K, V, Codec>>(std::move(place), topology.watermarks(),
                                                        std::move(codec), topology.context());
  auto& input = *made;
  topology.add_input(std::move(made));
  return KeyedStream<K, V>(input.rows(), std::move(flow));
}

}  // namespace detail

template <class K, class V, class Codec>
KeyedStream<K, V> Topology::stream(std::string topic, Codec codec) {
  return detail::keyed_source<K, V>(*this, next_place(topic, topic, 0), std::move(codec));
}

template <class K, class V>
KeyedStream<K, V> Topology::stream(std::string topic) {
  return stream<K, V>(std::move(topic), SerdeCodec<K, V>());
}

}  // namespace adbrook::stream
