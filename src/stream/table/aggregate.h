// count, sum, reduce and aggregate of what is grouped by a key: each update is a change of a table.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "stream/keyed/stateless_steps.h"
#include "stream/table/change.h"
#include "stream/table/table_store.h"

namespace adbrook::stream {

// How rows are folded into an aggregate A: false when a row says nothing. `is_new` when there is no
// aggregate yet; `state` is a fresh A then.
template <class F, class A, class K, class V>
concept Fold = requires(F& fold, A& state, bool is_new, const K& key, const V& value) {
  { fold(state, is_new, key, value) } -> std::same_as<bool>;
};

// Whether rows with an absent value count: in windows they do, without them not, as in Kafka.
enum class NullValues : std::uint8_t { skipped, counted };

// Kafka's count().
template <NullValues kNulls>
struct CountFold {
  template <class K, class V>
  bool operator()(std::int64_t& state, bool, const K&, const V& value) const {
    if (kNulls == NullValues::skipped && is_null(value)) return false;
    ++state;
    return true;
  }
};

// The sum of the values, in their own type.
struct SumFold {
  template <class A, class K, class V>
  bool operator()(A& state, bool, const K&, const V& value) const {
    if (is_null(value)) return false;
    state += value_of(value);
    return true;
  }
};

// f(so far, next) from the second value on.
template <class F>
struct ReduceFold {
  F f;
  template <class A, class K, class V>
  bool operator()(A& state, bool is_new, const K&, const V& value) {
    if (is_null(value)) return false;
    state = is_new ? A(value_of(value)) : A(std::invoke(f, std::as_const(state), value_of(value)));
    return true;
  }
};

// f(aggregate, key, value) or f(aggregate, value) changes the aggregate in place.
template <class F, class A, class K, class V>
concept Adder = std::invocable<F&, A&, const K&, const V&> || std::invocable<F&, A&, const V&>;

template <class F, class A, class K, class V>
  requires Adder<F, A, K, V>
void call_adder(F& f, A& state, const K& key, const V& value) {
  if constexpr (std::invocable<F&, A&, const K&, const V&>)
    std::invoke(f, state, key, value);
  else
    std::invoke(f, state, value);
}

template <class A, class F, NullValues kNulls>
struct AggregateFold {
  A initial;
  F f;
  template <class K, class V>
  bool operator()(A& state, bool is_new, const K& key, const V& value) {
    if (kNulls == NullValues::skipped && is_null(value)) return false;
    if (is_new) state = initial;
    call_adder(f, state, key, value);
    return true;
  }
};

// One fold over the bytes of a row: [time][aggregate] as TableStore keeps them, in place when all
// aggregates have one size. The row's time is the greatest of its records'.
template <class A>
class FoldedRow {
 public:
  A state{};
  Timestamp time;

  // `upsert(size)` gives the row's bytes, `get()` them or nothing, `put(bytes)` replaces them,
  // `erase()` undoes what upsert() made. False when the fold says nothing; nothing changed then.
  template <class Row, class F>
  bool fold(Row row, Timestamp record_time, F f, std::optional<A>* old_state) {
    if constexpr (kFixedSize<A> != 0)
      return fold_in_place(row, record_time, f, old_state);
    else
      return fold_and_put(row, record_time, f, old_state);
  }

 private:
  template <class Row, class F>
  bool fold_in_place(Row row, Timestamp record_time, F f, std::optional<A>* old_state) {
    const std::span<std::byte> bytes = row.upsert(kRowTimeSize + kFixedSize<A>);
    const bool is_new = is_new_row(bytes);
    if (!is_new) load(bytes, old_state);
    try {
      if (!f(state, is_new)) {
        if (is_new) row.erase();
        return false;
      }
    } catch (...) {
      if (is_new) row.erase();
      throw;
    }
    time = is_new ? record_time : std::max(time, record_time);
    store_row_time(bytes.data(), time);
    scratch_.clear();
    Serde<A>::encode(state, scratch_);
    std::memcpy(bytes.data() + kRowTimeSize, scratch_.data(), kFixedSize<A>);
    return true;
  }
  template <class Row, class F>
  bool fold_and_put(Row row, Timestamp record_time, F f, std::optional<A>* old_state) {
    const std::optional<ByteView> bytes = row.get();
    if (bytes) load(*bytes, old_state);
    if (!f(state, !bytes)) return false;
    time = bytes ? std::max(time, record_time) : record_time;
    scratch_.resize(kRowTimeSize);
    store_row_time(scratch_.data(), time);
    Serde<A>::encode(state, scratch_);
    row.put(scratch_);
    return true;
  }
  void load(ByteView bytes, std::optional<A>* old_state) {
    time = load_row_time(bytes.data());
    Serde<A>::decode(bytes.subspan(kRowTimeSize), state);
    if (old_state != nullptr) *old_state = state;
  }

  Buffer scratch_;
};

// The aggregate of all rows of a key.
template <class InK, class V, class A, class F>
class Aggregate final : public Operator, public KeyedConsumer<InK, V> {
 public:
  using K = NonNull<InK>;
  static_assert(!kBorrowsBytes<A>, "an aggregate holds its own bytes");

  Aggregate(std::string store, const StoreOptions& options, F fold, TaskContext& context)
      : options_(options),
        guard_(std::move(store), context),
        no_key_(context.counts.reason(kKeyMissing)),
        bytes_(key_value_options(options, context.hash_seed)),
        store_(bytes_),
        fold_(std::move(fold)) {}

  std::string describe() const override { return "aggregate " + guard_.name(); }
  Result<void> check() const override { return check_budget(guard_.name(), options_); }
  TableStore<K, A>& store() { return store_; }
  KeyedOutlet<K, Change<A>>& rows() { return rows_; }

  void process(const KeyedRows<InK, V>& rows) override {
    const bool told = rows_.connected();
    guard_.each(rows, [&](std::uint32_t i) {
      if (is_null(rows.keys[i])) return rows.mark(i, Ending::filtered, no_key_);
      const K& key = value_of(rows.keys[i]);
      row_.state = A{};
      std::optional<A> old;
      const bool changed = row_.fold(
          StoredRow{bytes_, encoded(key, key_bytes_)}, rows.times[i],
          [&](A& state, bool is_new) { return fold_(state, is_new, key, rows.values[i]); },
          told ? &old : nullptr);
      if (!changed) return rows.mark(i, Ending::filtered);
      rows.mark(i, Ending::counted);
      if (told) batch_.add(key, {std::move(old), row_.state}, row_.time, rows.origins[i]);
    });
    batch_.push(rows_, rows.ledger);
  }

  void open(state::Checkpoint& checkpoint) override { bytes_.open(checkpoint); }
  Result<void> trouble() const override {
    return bytes_.trouble() ? Result<void>()
                            : pass(bytes_.trouble().error(), "store " + guard_.name());
  }
  void save(state::Checkpoint& checkpoint) override { bytes_.save(checkpoint, guard_.name()); }
  Result<void> load(const state::Checkpoint& checkpoint) override {
    return bytes_.load(checkpoint, guard_.name());
  }
  std::int64_t memory() const override { return bytes_.memory().count; }
  bool full() const override { return bytes_.full(); }

 private:
  struct StoredRow {
    state::KeyValueStore& store;
    ByteView key;
    std::span<std::byte> upsert(std::size_t size) { return store.upsert(key, size); }
    std::optional<ByteView> get() { return store.get(key); }
    void put(ByteView value) { store.put(key, value); }
    void erase() { store.erase(key); }
  };

  StoreOptions options_;
  RowGuard guard_;
  ReasonId no_key_;
  state::KeyValueStore bytes_;
  TableStore<K, A> store_;
  F fold_;
  FoldedRow<A> row_;
  Buffer key_bytes_;
  KeyedOutlet<K, Change<A>> rows_{*this};
  KeyedBatch<K, Change<A>> batch_;
};

// How the rows of a table count in their groups: the old one is taken away, the new one added.
template <class A, class Add, class Subtract>
struct TableFold {
  A initial;
  Add add;
  Subtract subtract;
  template <class K, class V>
  bool operator()(A& state, bool is_new, const K& key, const Change<V>& change) {
    if (is_new && !change.new_value) return false;
    if (is_new) state = initial;
    if (!is_new && change.old_value) call_adder(subtract, state, key, *change.old_value);
    if (change.new_value) call_adder(add, state, key, *change.new_value);
    return true;
  }
};

template <class Add, class Subtract>
struct TableReduceFold {
  Add add;
  Subtract subtract;
  template <class A, class K>
  bool operator()(A& state, bool is_new, const K&, const Change<A>& change) {
    if (is_new && !change.new_value) return false;
    if (is_new) {
      state = *change.new_value;
      return true;
    }
    if (change.old_value) state = std::invoke(subtract, std::as_const(state), *change.old_value);
    if (change.new_value) state = std::invoke(add, std::as_const(state), *change.new_value);
    return true;
  }
};

// Says for each change of a table's row which groups lose and gain what: one row when both are the
// same group, so that the group is never seen without it.
template <class K, class V, class L, class W, class F>
class GroupChanges final : public Operator, public KeyedConsumer<K, Change<V>> {
 public:
  GroupChanges(std::string name, F f, TaskContext& context)
      : f_(std::move(f)), guard_(std::move(name), context) {}

  std::string describe() const override { return "group_by table " + guard_.name(); }
  bool stateless() const override { return true; }
  KeyedOutlet<L, Change<W>>& rows() { return rows_; }

  void process(const KeyedRows<K, Change<V>>& rows) override {
    guard_.each(rows, [&](std::uint32_t i) {
      const Change<V>& change = rows.values[i];
      auto before = member(rows.keys[i], change.old_value);
      auto after = member(rows.keys[i], change.new_value);
      const auto add = [&](L key, std::optional<W> old_value, std::optional<W> new_value) {
        batch_.add(std::move(key), {std::move(old_value), std::move(new_value)}, rows.times[i],
                   rows.origins[i]);
      };
      if (before && after && before->first == after->first)
        return add(std::move(after->first), std::move(before->second), std::move(after->second));
      if (before) add(std::move(before->first), std::move(before->second), std::nullopt);
      if (after) add(std::move(after->first), std::nullopt, std::move(after->second));
    });
    batch_.push(rows_, rows.ledger);
  }

 private:
  std::optional<std::pair<L, W>> member(const K& key, const std::optional<V>& value) {
    if (!value) return std::nullopt;
    return std::optional<std::pair<L, W>>(std::invoke(f_, key, *value));
  }

  F f_;
  RowGuard guard_;
  KeyedOutlet<L, Change<W>> rows_{*this};
  KeyedBatch<L, Change<W>> batch_;
};

}  // namespace adbrook::stream
