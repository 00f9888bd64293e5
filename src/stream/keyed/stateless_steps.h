// The steps of a keyed stream that keep nothing: filter, map, flat_map, branch, merge, peek, to.
// A function may take (value) or (key, value); where it throws, its row becomes a dead letter.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "stream/keyed/dead_letters.h"
#include "stream/keyed/keyed_rows.h"
#include "stream/keyed/serde.h"
#include "stream/operator.h"
#include "stream/origin.h"
#include "stream/sink.h"

namespace adbrook::stream {

template <class F, class K, class V>
concept RowFunction = std::invocable<F&, const K&, const V&> || std::invocable<F&, const V&>;

// (key, value) where the function takes both, else (value).
template <class F, class K, class V>
  requires RowFunction<F, K, V>
decltype(auto) call(F& f, const K& key, const V& value) {
  if constexpr (std::invocable<F&, const K&, const V&>)
    return std::invoke(f, key, value);
  else
    return std::invoke(f, value);
}
template <class F, class K, class V>
using CallResult = std::remove_cvref_t<decltype(call(std::declval<F&>(), std::declval<const K&>(),
                                                     std::declval<const V&>()))>;

template <class K, class V, class Keep>
class KeyedFilter final : public Operator, public KeyedConsumer<K, V> {
 public:
  KeyedFilter(std::string name, Keep keep, TaskContext& context)
      : keep_(std::move(keep)), guard_(name, context), reason_(context.counts.reason(name)) {}

  std::string describe() const override { return "filter " + guard_.name(); }
  bool stateless() const override { return true; }
  KeyedOutlet<K, V>& rows() { return rows_; }

  void process(const KeyedRows<K, V>& rows) override {
    kept_.clear();
    guard_.each(rows, [&](std::uint32_t i) {
      if (call(keep_, rows.keys[i], rows.values[i]))
        kept_.push_back(i);
      else
        rows.mark(i, Ending::filtered, reason_);
    });
    rows_.push(rows.select(kept_));
  }

 private:
  Keep keep_;
  RowGuard guard_;
  ReasonId reason_;
  KeyedOutlet<K, V> rows_{*this};
  std::vector<std::uint32_t> kept_;
};

// New values at the same places; keys, times and origins stay where they are.
template <class K, class V, class W, class F>
class MapValues final : public Operator, public KeyedConsumer<K, V> {
 public:
  MapValues(std::string name, F f, TaskContext& context)
      : f_(std::move(f)), guard_(std::move(name), context) {}

  std::string describe() const override { return "map_values " + guard_.name(); }
  bool stateless() const override { return true; }
  KeyedOutlet<K, W>& rows() { return rows_; }

  void process(const KeyedRows<K, V>& rows) override {
    if (values_.size() < rows.column_size()) values_.resize(rows.column_size());
    const auto went_through = guard_.each(
        rows, [&](std::uint32_t i) { values_[i] = call(f_, rows.keys[i], rows.values[i]); });
    rows_.push(rows.template with<K, W>(rows.keys, values_, went_through));
  }

 private:
  F f_;
  RowGuard guard_;
  KeyedOutlet<K, W> rows_{*this};
  Column<W> values_;
};

template <class K, class V, class L, class F>
class SelectKey final : public Operator, public KeyedConsumer<K, V> {
 public:
  SelectKey(std::string name, F f, TaskContext& context)
      : f_(std::move(f)), guard_(std::move(name), context) {}

  std::string describe() const override { return "select_key " + guard_.name(); }
  bool stateless() const override { return true; }
  KeyedOutlet<L, V>& rows() { return rows_; }

  void process(const KeyedRows<K, V>& rows) override {
    if (keys_.size() < rows.column_size()) keys_.resize(rows.column_size());
    const auto went_through = guard_.each(
        rows, [&](std::uint32_t i) { keys_[i] = call(f_, rows.keys[i], rows.values[i]); });
    rows_.push(rows.template with<L, V>(keys_, rows.values, went_through));
  }

 private:
  F f_;
  RowGuard guard_;
  KeyedOutlet<L, V> rows_{*this};
  Column<L> keys_;
};

// f gives a pair of the new key and the new value.
template <class K, class V, class L, class W, class F>
class MapRows final : public Operator, public KeyedConsumer<K, V> {
 public:
  MapRows(std::string name, F f, TaskContext& context)
      : f_(std::move(f)), guard_(std::move(name), context) {}

  std::string describe() const override { return "map " + guard_.name(); }
  bool stateless() const override { return true; }
  KeyedOutlet<L, W>& rows() { return rows_; }

  void process(const KeyedRows<K, V>& rows) override {
    if (keys_.size() < rows.column_size()) {
      keys_.resize(rows.column_size());
      values_.resize(rows.column_size());
    }
    const auto went_through = guard_.each(rows, [&](std::uint32_t i) {
      auto [key, value] = call(f_, rows.keys[i], rows.values[i]);
      keys_[i] = std::move(key);
      values_[i] = std::move(value);
    });
    rows_.push(rows.template with<L, W>(keys_, values_, went_through));
  }

 private:
  F f_;
  RowGuard guard_;
  KeyedOutlet<L, W> rows_{*this};
  Column<L> keys_;
  Column<W> values_;
};

// Where flat_map's function puts what a row becomes: none, one or several rows of the row's time.
template <class L, class W>
class Emit {
 public:
  Emit(KeyedBatch<L, W>& batch, Timestamp time, std::uint32_t origin)
      : batch_(batch), time_(time), origin_(origin) {}
  void operator()(L key, W value) { batch_.add(std::move(key), std::move(value), time_, origin_); }

 private:
  KeyedBatch<L, W>& batch_;
  Timestamp time_;
  std::uint32_t origin_;
};

// f(key, value, emit). What a throwing call had emitted before stays emitted.
template <class K, class V, class L, class W, class F>
class FlatMap final : public Operator, public KeyedConsumer<K, V> {
 public:
  FlatMap(std::string name, F f, TaskContext& context)
      : f_(std::move(f)), guard_(std::move(name), context) {}

  std::string describe() const override { return "flat_map " + guard_.name(); }
  bool stateless() const override { return true; }
  KeyedOutlet<L, W>& rows() { return rows_; }

  void process(const KeyedRows<K, V>& rows) override {
    guard_.each(rows, [&](std::uint32_t i) {
      std::invoke(f_, rows.keys[i], rows.values[i],
                  Emit<L, W>(batch_, rows.times[i], rows.origins[i]));
    });
    batch_.push(rows_, rows.ledger);
  }

 private:
  F f_;
  RowGuard guard_;
  KeyedOutlet<L, W> rows_{*this};
  KeyedBatch<L, W> batch_;
};

// The first predicate that holds takes the row, the last outlet takes the rest.
template <class K, class V, class... Predicates>
class KeyedBranch final : public Operator, public KeyedConsumer<K, V> {
 public:
  static constexpr std::size_t kOutletCount = sizeof...(Predicates) + 1;

  KeyedBranch(std::string name, TaskContext& context, Predicates... predicates)
      : predicates_(std::move(predicates)...),
        guard_(std::move(name), context),
        outlets_(make_outlets(std::make_index_sequence<kOutletCount>())) {}

  std::string describe() const override {
    return "branch " + guard_.name() + " in " + std::to_string(kOutletCount);
  }
  bool stateless() const override { return true; }
  KeyedOutlet<K, V>& rows(std::size_t index) { return outlets_[index]; }

  void process(const KeyedRows<K, V>& rows) override {
    for (auto& selection : selections_) selection.clear();
    guard_.each(rows, [&](std::uint32_t i) {
      selections_[choose<0>(rows.keys[i], rows.values[i])].push_back(i);
    });
    for (std::size_t i = 0; i < kOutletCount; ++i) outlets_[i].push(rows.select(selections_[i]));
  }

 private:
  template <std::size_t... I>
  auto make_outlets(std::index_sequence<I...>) {
    return std::array{(static_cast<void>(I), KeyedOutlet<K, V>(*this))...};
  }
  template <std::size_t I>
  std::size_t choose(const K& key, const V& value) {
    if constexpr (I == sizeof...(Predicates)) {
      return I;
    } else {
      if (call(std::get<I>(predicates_), key, value)) return I;
      return choose<I + 1>(key, value);
    }
  }

  std::tuple<Predicates...> predicates_;
  RowGuard guard_;
  std::array<KeyedOutlet<K, V>, kOutletCount> outlets_;
  std::array<std::vector<std::uint32_t>, kOutletCount> selections_;
};

template <class K, class V>
class Merge final : public Operator, public KeyedConsumer<K, V> {
 public:
  std::string describe() const override { return "merge"; }
  bool stateless() const override { return true; }
  KeyedOutlet<K, V>& rows() { return rows_; }
  void process(const KeyedRows<K, V>& rows) override { rows_.push(rows); }

 private:
  KeyedOutlet<K, V> rows_{*this};
};

// Calls f for every row where it stands, before anything behind it sees the batch.
template <class K, class V, class F>
class Peek final : public Operator, public KeyedConsumer<K, V> {
 public:
  Peek(std::string name, F f, TaskContext& context)
      : f_(std::move(f)), guard_(std::move(name), context) {}

  std::string describe() const override { return "peek " + guard_.name(); }
  bool stateless() const override { return true; }
  KeyedOutlet<K, V>& rows() { return rows_; }
  void process(const KeyedRows<K, V>& rows) override {
    rows_.push(rows.select(
        guard_.each(rows, [&](std::uint32_t i) { call(f_, rows.keys[i], rows.values[i]); })));
  }

 private:
  F f_;
  RowGuard guard_;
  KeyedOutlet<K, V> rows_{*this};
};

// Whether records of a topic go where their key says, or stay in the partition they came from.
enum class Placement : std::uint8_t { own_partition, by_key };

// The key that decides about the partition: of a windowed key the key within.
template <class K>
ByteView partition_key(const K& key, ByteView encoded_key, Buffer& scratch) {
  if constexpr (requires { key.window; })
    return encoded(key.key, scratch);
  else
    return encoded_key;
}

template <class K, class V>
class ToTopic final : public Operator, public KeyedConsumer<K, V> {
 public:
  ToTopic(Sink& sink, Placement placement, TaskContext& context)
      : sink_(sink), placement_(placement), context_(context) {}

  std::string describe() const override { return "to " + sink_.topic(); }
  bool stateless() const override { return true; }
  // Encodes also in a replay: how large a row is decides what becomes of its record.
  void process(const KeyedRows<K, V>& rows) override {
    for (const std::uint32_t i : rows.selected) {
      const auto key = encoded_or_null(rows.keys[i], key_bytes_);
      const auto value = encoded_or_null(rows.values[i], value_bytes_);
      if (!Sink::fits(key, value)) [[unlikely]] {
        refuse_row(rows, i, {describe(), kTooLong, sink_.why_too_large(key, value)},
                   context_.counts.reason(kTooLong), context_);
        continue;
      }
      rows.mark(i, Ending::counted);
      if (!sink_.muted()) write(rows.keys[i], key, value, rows.times[i]);
    }
  }

 private:
  void write(const K& key, std::optional<ByteView> key_bytes, std::optional<ByteView> value_bytes,
             Timestamp time) {
    if (placement_ == Placement::own_partition || !key_bytes)
      return sink_.add(time, key_bytes, value_bytes);
    const ByteView by = partition_key(value_of(key), *key_bytes, partition_bytes_);
    sink_.add_to(kafka_partition(by, sink_.partition_count()), time, key_bytes, value_bytes);
  }

  Sink& sink_;
  Placement placement_;
  TaskContext& context_;
  Buffer key_bytes_, value_bytes_, partition_bytes_;
};

// Sends every row to the task that owns its key. Rows without a key have no owner and are dropped.
template <class K, class V>
class KeyedRepartition final : public Operator, public KeyedConsumer<K, V> {
 public:
  KeyedRepartition(Sink& sink, TaskContext& context)
      : sink_(sink), context_(context), no_key_(context.counts.reason(kKeyMissing)) {}

  std::string describe() const override { return "repartition " + sink_.topic(); }
  bool stateless() const override { return true; }
  void process(const KeyedRows<K, V>& rows) override {
    for (const std::uint32_t i : rows.selected) {
      const auto key = encoded_or_null(rows.keys[i], key_bytes_);
      if (!key) {
        rows.mark(i, Ending::filtered, no_key_);
        continue;
      }
      const auto value = encoded_or_null(rows.values[i], value_bytes_);
      const auto headers = header_.make(origin(rows, i));
      if (!Sink::fits(key, value, headers)) [[unlikely]] {
        refuse_row(rows, i, {describe(), kTooLong, sink_.why_too_large(key, value)},
                   context_.counts.reason(kTooLong), context_);
        continue;
      }
      rows.mark(i, Ending::forwarded);
      // A replay still counts what it forwarded; only the record is there already.
      if (sink_.muted()) continue;
      const ByteView by = partition_key(value_of(rows.keys[i]), *key, partition_bytes_);
      sink_.add_to(kafka_partition(by, context_.partition_count), rows.times[i], key, value,
                   headers);
    }
  }

 private:
  RecordOrigin origin(const KeyedRows<K, V>& rows, std::uint32_t i) const {
    if (rows.ledger == nullptr) return {context_.partition, Offset{-1}, rows.times[i]};
    const TakenRecord& record = rows.ledger->record(rows.origins[i]);
    return {record.origin_partition, record.offset, record.append_time};
  }

  Sink& sink_;
  TaskContext& context_;
  ReasonId no_key_;
  OriginHeader header_;
  Buffer key_bytes_, value_bytes_, partition_bytes_;
};

}  // namespace adbrook::stream
