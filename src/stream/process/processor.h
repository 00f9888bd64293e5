// The low level, for what the words above it do not say: a processor of your own with stores and
// timers. It sees row after row and what time it is, and hands on what it likes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stream/keyed/keyed_stream.h"
#include "stream/process/timers.h"
#include "stream/table/table_store.h"

namespace adbrook::stream {

// What a processor is given when it is made, and keeps. Owned by one thread (the task's).
template <class K, class V>
class ProcessorContext {
 public:
  ProcessorContext(Topology& topology, std::string name)
      : topology_(topology), name_(std::move(name)) {}

  // Hands on a row: of the record being processed, or of time inside a timer.
  void forward(K key, V value, Timestamp time) {
    batch_.add(std::move(key), std::move(value), time, origin_);
  }
  // Below this nothing more is expected; it moves between steps.
  Timestamp watermark() const { return watermark_; }

  // Both only while the processor is made. A store is saved with the task and has a name of its own
  // in the topology.
  template <class StoreK, class StoreV>
  TableStore<StoreK, StoreV> table(std::string store, const StoreOptions& options = {}) {
    if (auto fits = check_budget(store, options); !fits) topology_.refuse(fits.error());
    return TableStore<StoreK, StoreV>(topology_.store<state::KeyValueStore>(
        std::move(store), key_value_options(options, topology_.hash_seed())));
  }
  // f(Timestamp now) whenever this clock has reached another multiple of `every` (of event time)
  // or is `every` further (the wall clock); once for several that were missed.
  void every(Millis every, TimerClock clock, std::function<void(Timestamp)> f) {
    if (every < Millis(1))
      topology_.refuse({ErrorKind::invalid, "processor " + name_ + " has a timer every " +
                                                format_duration(every) +
                                                "; it must be at least 1 ms"});
    timers_.add(every, clock, std::move(f));
  }

 private:
  template <class InK, class In, class P>
  friend class Process;

  Topology& topology_;
  std::string name_;
  Timestamp watermark_ = Timestamp::lowest();
  std::uint32_t origin_ = kNoOrigin;  // of the record being processed
  KeyedBatch<K, V> batch_;
  Timers timers_;
};

// A Processor says what it makes by `using OutKey` and `using OutValue`, is made from a
// ProcessorContext<OutKey, OutValue>& (and what else is given to process()), never moves, and has
// process(const K&, const V&, Timestamp). What it throws is a dead letter.
template <class P, class K, class V>
concept Processor = requires(P& p, const K& key, const V& value, Timestamp time) {
  typename P::OutKey;
  typename P::OutValue;
  p.process(key, value, time);
};

template <class K, class V, class P>
class Process final : public Operator, public KeyedConsumer<K, V> {
 public:
  using L = typename P::OutKey;
  using W = typename P::OutValue;

  template <class... Args>
  Process(Topology& topology, std::string name, Args&&... args)
      : guard_(name, topology.context()),
        context_(topology, std::move(name)),
        processor_(context_, std::forward<Args>(args)...) {}

  std::string describe() const override { return "process " + guard_.name(); }
  KeyedOutlet<L, W>& rows() { return rows_; }

  void process(const KeyedRows<K, V>& rows) override {
    guard_.each(rows, [&](std::uint32_t i) {
      context_.origin_ = rows.origins[i];
      processor_.process(rows.keys[i], rows.values[i], rows.times[i]);
      rows.mark(i, Ending::counted);
    });
    context_.origin_ = kNoOrigin;
    context_.batch_.push(rows_, rows.ledger);
  }

  void on_watermark(Timestamp watermark) override {
    if (watermark == context_.watermark_) return;
    context_.watermark_ = watermark;
    fire(TimerClock::event_time, watermark);
  }
  std::optional<Timestamp> next_clock() const override { return context_.timers_.next_clock(); }
  void on_clock(Timestamp now) override { fire(TimerClock::wall, now); }

  void save(state::Checkpoint& checkpoint) override {
    context_.timers_.save(checkpoint, guard_.name());
  }
  Result<void> load(const state::Checkpoint& checkpoint) override {
    context_.watermark_ = context_.topology_.context().watermark_at(flow_level());
    return context_.timers_.load(checkpoint, guard_.name());
  }

 private:
  void fire(TimerClock clock, Timestamp now) {
    context_.timers_.fire(clock, now, [&](const auto& f) { guard_.once(now, [&] { f(now); }); });
    context_.batch_.push(rows_, nullptr);
  }

  RowGuard guard_;
  ProcessorContext<L, W> context_;
  P processor_;
  KeyedOutlet<L, W> rows_{*this};
};

// stream.process<MyProcessor>("name", what its constructor takes behind the context…)
template <class K, class V>
template <class P, class... Args>
auto KeyedStream<K, V>::process(std::string name, Args&&... args) const {
  static_assert(Processor<P, K, V>, "process(const K&, const V&, Timestamp), OutKey and OutValue");
  Topology& topology = *flow_.topology;
  auto& made = flow_.template add<Process<K, V, P>>(topology, name, std::forward<Args>(args)...);
  topology.name_store(std::move(name), made);
  rows_->attach(made);
  Flow flow = flow_;
  flow.rekeyed = true;
  return KeyedStream<typename P::OutKey, typename P::OutValue>(made.rows(), std::move(flow));
}

}  // namespace adbrook::stream
