// How an application says what a task does: typed streams over batches of rows, in the words of
// Kafka Streams. Built once per task; every stateful step names its store first.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <typeindex>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "stream/dedupe.h"
#include "stream/input.h"
#include "stream/join.h"
#include "stream/operator.h"
#include "stream/rows.h"
#include "stream/sink.h"
#include "stream/stateless.h"
#include "stream/store_operator.h"

namespace adbrook::stream {

// What a task itself keeps in its checkpoints; no store's or processor's name.
inline constexpr std::string_view kTaskBlob = "task";

class Topology;
template <class T>
class Stream;
template <class K, class V>
class KeyedStream;
template <class K, class V>
class Table;
struct TableOptions;
class StoreShow;

template <class T>
struct SourceOptions {
  Uuid T::* id;         // the event's identity
  Timestamp T::* time;  // its event time
  // Internal topic for records that lie in another partition than Kafka's partitioner gives their
  // id's text; without one they are taken where they lie.
  std::string through;
};

template <class T>
struct Branches {
  Stream<T> matching;
  Stream<T> rest;
};

// A handle: cheap to copy, valid while the topology lives. What it is called on decides what flows:
// rows are seen by every consumer, in the order in which the consumers were attached.
template <class T>
class Stream {
 public:
  // Lets the first copy of each id through; the others end as late or duplicate.
  Stream dedupe(std::string store, DedupeOptions options = {}) const;

  // Lets through what keep(const T&) says; the others end as filtered(name).
  template <std::predicate<const T&> Keep>
  Stream filter(std::string name, Keep keep) const;

  // The rows that the dedupe or filter which made this stream turned away, each with its outcome.
  Stream refused() const {
    ADBROOK_ASSERT(turned_away_ != nullptr, "only dedupe() and filter() refuse rows");
    return Stream(*topology_, *turned_away_, kind_, level_, origin_topic_);
  }
  // Records of the source that made this stream which could not be read, each with the reason.
  Stream<Rejected> rejected() const;

  template <std::predicate<const T&> Predicate>
  Branches<T> branch(std::string name, Predicate predicate) const;

  // Sends each row through this internal topic to the task that owns key(const T&), an id, by
  // Kafka's partitioner over its text. They end there; here they count as forwarded.
  template <std::invocable<const T&> Key>
  Stream repartition(std::string topic, Key key) const;

  // Calls f(const T&, const RowMeta&) for each row.
  template <std::invocable<const T&, const RowMeta&> F>
  const Stream& for_each(std::string name, F f) const;

  // encode(const T&, const RowMeta&, Sink&) adds what the row becomes to the topic.
  template <std::invocable<const T&, const RowMeta&, Sink&> Encode>
  const Stream& to(std::string topic, Encode encode) const;

  // Ends the rows here with this outcome. What no join ends must be ended so.
  void settle(Outcome outcome) const;

  // Joins these children with the parents whose id is parent_id(const T&); `parents` comes from a
  // dedupe, perhaps with filters behind it. Ends all rows of both.
  template <class P, std::invocable<const T&> Key, JoinPolicy<P, T> Policy>
  void join(std::string name, const Stream<P>& parents, Key parent_id, JoinOptions options,
            Policy policy) const;

 private:
  friend class Topology;
  template <class U>
  friend class Stream;

  Stream(Topology& topology, Outlet<T>& rows, std::shared_ptr<RowKind<T>> kind, int level,
         std::string origin_topic)
      : topology_(&topology),
        rows_(&rows),
        kind_(std::move(kind)),
        level_(level),
        origin_topic_(std::move(origin_topic)) {}
  // The same rows' kind and place behind another outlet.
  Stream behind(Outlet<T>& rows) const {
    Stream next = *this;
    next.rows_ = &rows;
    next.turned_away_ = nullptr;
    next.rejected_ = nullptr;
    return next;
  }

  Topology* topology_;
  Outlet<T>* rows_;
  std::shared_ptr<RowKind<T>> kind_;  // also held by the operators; null for rejected records
  int level_;                         // of the inputs these rows come by, the highest
  std::string origin_topic_;
  Outlet<T>* turned_away_ = nullptr;
  Outlet<Rejected>* rejected_ = nullptr;
  Dedupe<T>* deduped_ = nullptr;      // the last dedupe these rows passed
  std::vector<Outlet<T>*> excluded_;  // rows that filters behind it excluded
};

// What one task consists of. Owned by one thread (the task's), and so is everything it hands out.
class Topology {
 public:
  Topology(std::int32_t partition, std::int32_t partition_count, std::uint64_t hash_seed,
           WatermarkOptions watermarks);
  ~Topology();
  Topology(const Topology&) = delete;
  Topology& operator=(const Topology&) = delete;

  template <class T, CodecFor<T> Codec>
  Stream<T> source(std::string topic, Codec codec, SourceOptions<T> options);

  // Rows with keys, for all of Kafka Streams' words (stream/keyed/keyed_stream.h): by the serdes of
  // K and V, or by a KeyedCodec<K, V> that reads whole records. Records that cannot be read become
  // dead letters.
  template <class K, class V>
  KeyedStream<K, V> stream(std::string topic);
  template <class K, class V, class Codec>
  KeyedStream<K, V> stream(std::string topic, Codec codec);
  // The last value of each key, kept in the store (stream/table/table.h). A record without a value
  // deletes its row, one without a key is none.
  template <class K, class V>
  Table<K, V> table(std::string store, std::string topic);
  template <class K, class V>
  Table<K, V> table(std::string store, std::string topic, const TableOptions& options);
  // The updates of a table that nobody keeps: they do not know the row before.
  template <class K, class V>
  Table<K, V> table_updates(std::string topic);
  // The topic for dead letters of keyed streams, instead of `dead-letters`. Before the first
  // source.
  void dead_letters_to(std::string topic);

  // A topic that policies and for_each() write to; the same name gives the same sink.
  Sink& sink(std::string_view topic);

  // A store (state::Dictionary, state::Cells, …) that is saved with the task and found by its name
  // in a TaskView. Stores that have advance(Timestamp) are given every watermark.
  template <class Store, class... Options>
  Store& store(std::string name, Options&&... options);

  std::int32_t partition() const { return context_.partition; }
  std::int32_t partition_count() const { return context_.partition_count; }
  std::uint64_t hash_seed() const { return context_.hash_seed; }
  const std::vector<std::unique_ptr<Input>>& inputs() const { return inputs_; }
  std::vector<std::string> output_topics() const;    // from outside of this topology to be read
  std::vector<std::string> internal_topics() const;  // written and read by this topology
  // Whether it was put together as it has to be: the first thing that was refused while it was
  // built, else what a part says that stands wrong.
  Result<void> check() const;
  // One line per part, in order of their making, with its number and the parts that feed it: `.n`
  // behind one of these is its outlet n, of several.
  std::string description() const;
  std::uint64_t fingerprint() const;
  // As it was when lines did not tell what feeds a part: states of that time bear it.
  std::uint64_t fingerprint_without_feeds() const;

  // For the task that runs it. At the end of a step: moves the watermarks to where the inputs are
  // and tells every part. Only here they move, so that all events of a step are judged alike.
  void pass_time();
  TaskContext& context() { return context_; }
  const TaskContext& context() const { return context_; }
  const std::vector<Operator*>& parts() const { return parts_; }  // inputs and operators
  const std::vector<std::unique_ptr<Sink>>& sinks() const { return sinks_; }
  // Null when there is no such store of this type.
  template <class Store>
  const Store* find_store(std::string_view name) const;

  // For those who write operators and handles: docs/how-to/add-an-operator.md.
  template <class O, class... Args>
  O& add(Args&&... args) {
    auto made = std::make_unique<O>(std::forward<Args>(args)...);
    O& added = *made;
    operators_.push_back(std::move(made));
    parts_.push_back(&added);
    return added;
  }
  Input& add_input(std::unique_ptr<Input> input);
  // Each topic is read once; a second time is refused.
  InputPlace next_place(std::string topic, std::string origin_topic, int level);
  // Stores and processors share their names: each is given once, a second time is refused.
  template <class Store>
  void name_store(std::string name, const Store& store) {
    add_store({std::move(name), typeid(Store), &store});
  }
  // Lets readers see the store of this name: stream/query/store_show.h.
  void show_store(std::string name, std::unique_ptr<StoreShow> show);
  using ShownStores = std::vector<std::pair<std::string, std::unique_ptr<StoreShow>>>;
  const ShownStores& shown_stores() const { return shown_stores_; }
  // Of all that is refused the first is kept; the build goes on and the start tells it.
  void refuse(Error error);
  const WatermarkOptions& watermarks() const { return watermarks_; }
  // For operators that may refuse rows: makes the topic of dead letters an output.
  DeadLetters& dead_letters();

 private:
  template <class T>
  friend class Stream;

  struct NamedStore {
    std::string name;
    std::type_index type;
    const void* store;
  };

  void add_store(NamedStore store);
  const void* find_store(std::string_view name, std::type_index type) const;

  TaskContext context_;
  WatermarkOptions watermarks_;
  std::vector<std::unique_ptr<Sink>> sinks_;
  std::vector<std::shared_ptr<void>> kinds_;  // kept for the operators that refer to them
  std::vector<std::unique_ptr<Input>> inputs_;
  std::vector<std::unique_ptr<Operator>> operators_;
  std::vector<Operator*> parts_;
  std::vector<NamedStore> stores_;
  ShownStores shown_stores_;
  std::vector<std::optional<Timestamp>> input_watermarks_;  // of some inputs, reused
  std::string dead_letter_topic_;
  std::unique_ptr<DeadLetters> dead_letters_;
  std::optional<Error> refused_;
};

// What comes through the internal topic joins the source's own rows: one flow for all behind it.
template <class T, CodecFor<T> Codec>
Stream<T> Topology::source(std::string topic, Codec codec, SourceOptions<T> options) {
  auto shared_codec = std::make_shared<Codec>(std::move(codec));
  auto kind = std::make_shared<CodecRowKind<T, Codec>>(shared_codec, options.id, options.time);
  kinds_.push_back(kind);
  Sink* through = options.through.empty() ? nullptr : &sink(options.through);
  auto made = std::make_unique<SourceInput<T, Codec>>(
      next_place(topic, topic, 0), watermarks_, std::move(shared_codec), *kind, context_, through);
  auto& input = *made;
  add_input(std::move(made));
  int level = 0;
  if (through != nullptr) {
    level = 1;
    add_input(kind->internal_input(next_place(options.through, topic, level), watermarks_, context_,
                                   input.accepted(), input.rejected()));
  }
  Stream<T> stream(*this, input.accepted(), kind, level, std::move(topic));
  stream.rejected_ = &input.rejected();
  return stream;
}

template <class Store, class... Options>
Store& Topology::store(std::string name, Options&&... options) {
  auto& added = add<StoreOperator<Store>>(name, std::forward<Options>(options)...);
  name_store(std::move(name), added.store());
  return added.store();
}

template <class Store>
const Store* Topology::find_store(std::string_view name) const {
  return static_cast<const Store*>(find_store(name, typeid(Store)));
}

template <class T>
Stream<T> Stream<T>::dedupe(std::string store, DedupeOptions options) const {
  auto& made = topology_->add<Dedupe<T>>(store, *kind_, options, topology_->context_);
  topology_->name_store(std::move(store), made.seen());
  rows_->attach(made);
  Stream next = behind(made.accepted());
  next.turned_away_ = &made.refused();
  next.deduped_ = &made;
  next.excluded_.clear();
  return next;
}

template <class T>
template <std::predicate<const T&> Keep>
Stream<T> Stream<T>::filter(std::string name, Keep keep) const {
  auto& made =
      topology_->add<Filter<T, Keep>>(std::move(name), std::move(keep),
                                      deduped_ ? &deduped_->seen() : nullptr, topology_->context_);
  rows_->attach(made);
  Stream next = behind(made.accepted());
  next.turned_away_ = &made.refused();
  next.excluded_.push_back(&made.refused());
  return next;
}

template <class T>
Stream<Rejected> Stream<T>::rejected() const {
  ADBROOK_ASSERT(rejected_ != nullptr, "only a source rejects records");
  return Stream<Rejected>(*topology_, *rejected_, nullptr, level_, origin_topic_);
}

template <class T>
template <std::predicate<const T&> Predicate>
Branches<T> Stream<T>::branch(std::string name, Predicate predicate) const {
  auto& made = topology_->add<Branch<T, Predicate>>(std::move(name), std::move(predicate));
  rows_->attach(made);
  return {behind(made.matching()), behind(made.rest())};
}

// Two parts: the one that sends here and the input that receives, perhaps from another task.
template <class T>
template <std::invocable<const T&> Key>
Stream<T> Stream<T>::repartition(std::string topic, Key key) const {
  rows_->attach(topology_->add<Repartition<T, Key>>(std::move(key), topology_->sink(topic),
                                                    topology_->context_));
  struct Ends final : Operator {
    explicit Ends(std::string name) : topic(std::move(name)) {}
    std::string describe() const override { return "rows of " + topic; }
    std::string topic;
    Outlet<T> accepted{*this};
    Outlet<Rejected> rejected{*this};
  };
  auto& ends = topology_->add<Ends>(topic);
  const int level = level_ + 1;
  topology_->add_input(kind_->internal_input(
      topology_->next_place(std::move(topic), origin_topic_, level), topology_->watermarks_,
      topology_->context_, ends.accepted, ends.rejected));
  Stream next(*topology_, ends.accepted, kind_, level, origin_topic_);
  next.rejected_ = &ends.rejected;
  return next;
}

template <class T>
template <std::invocable<const T&, const RowMeta&> F>
const Stream<T>& Stream<T>::for_each(std::string name, F f) const {
  rows_->attach(topology_->add<ForEach<T, F>>(std::move(name), std::move(f)));
  return *this;
}

template <class T>
template <std::invocable<const T&, const RowMeta&, Sink&> Encode>
const Stream<T>& Stream<T>::to(std::string topic, Encode encode) const {
  Sink& sink = topology_->sink(topic);
  return for_each("to " + topic,
                  [&sink, encode = std::move(encode)](const T& row, const RowMeta& meta) mutable {
                    if (!sink.muted()) encode(row, meta, sink);
                  });
}

template <class T>
void Stream<T>::settle(Outcome outcome) const {
  rows_->attach(topology_->add<Settle<T>>(outcome, topology_->context_));
}

// Excluded parents come along: a child of one must not wait for it.
template <class T>
template <class P, std::invocable<const T&> Key, JoinPolicy<P, T> Policy>
void Stream<T>::join(std::string name, const Stream<P>& parents, Key parent_id, JoinOptions options,
                     Policy policy) const {
  ADBROOK_ASSERT(parents.deduped_ != nullptr, "the parents of a join come from a dedupe");
  auto& made = topology_->add<Join<P, T, Key, Policy>>(
      name, *parents.kind_, *kind_, *parents.deduped_, std::move(parent_id), std::move(options),
      std::move(policy), topology_->context_);
  for (std::string& store : made.store_names()) topology_->name_store(std::move(store), made);
  parents.rows_->attach(made.parents(), made);
  for (Outlet<P>* excluded : parents.excluded_) excluded->attach(made.excluded_parents(), made);
  rows_->attach(made.children(), made);
}

}  // namespace adbrook::stream
