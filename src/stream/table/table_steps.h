// The steps of a table: keeping it, filter, map_values, and its changes as a stream.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stream/keyed/stateless_steps.h"
#include "stream/keyed/step_bytes.h"
#include "stream/table/change.h"
#include "stream/table/table_store.h"

namespace adbrook::stream {

// What a row becomes in a table: of an update its new value, of a value itself.
template <class V>
const std::optional<V>& table_value(const Change<V>& change) {
  return change.new_value;
}
template <class V>
const std::optional<V>& table_value(const std::optional<V>& value) {
  return value;
}
template <class V>
std::optional<V> table_value(const V& value) {
  return value;
}

// Keeps the last row of each key, in the order of arrival whatever the times are, and tells each
// change. In is V, std::optional<V> or Change<V>; rows without a key are no rows of a table.
template <class InK, class In, class V>
class KeepTable final : public Operator, public KeyedConsumer<InK, In> {
 public:
  using K = NonNull<InK>;

  KeepTable(std::string store, const StoreOptions& options, TaskContext& context)
      : name_(std::move(store)),
        options_(options),
        no_key_(context.counts.reason(kKeyMissing)),
        bytes_(key_value_options(options, context.hash_seed)),
        store_(bytes_) {}

  std::string describe() const override { return "table " + name_; }
  Result<void> check() const override { return check_budget(name_, options_); }
  TableStore<K, V>& store() { return store_; }
  KeyedOutlet<K, Change<V>>& rows() { return rows_; }

  void process(const KeyedRows<InK, In>& rows) override {
    kept_bytes_.clear();
    for (const std::uint32_t i : rows.selected) {
      if (is_null(rows.keys[i])) {
        rows.mark(i, Ending::filtered, no_key_);
        continue;
      }
      rows.mark(i, Ending::counted);
      keep(value_of(rows.keys[i]), table_value(rows.values[i]), rows.times[i], rows.origins[i]);
    }
    batch_.push(rows_, rows.ledger);
  }

  void open(state::Checkpoint& checkpoint) override { bytes_.open(checkpoint); }
  Result<void> trouble() const override {
    return bytes_.trouble() ? Result<void>() : pass(bytes_.trouble().error(), "store " + name_);
  }
  void save(state::Checkpoint& checkpoint) override { bytes_.save(checkpoint, name_); }
  Result<void> load(const state::Checkpoint& checkpoint) override {
    return bytes_.load(checkpoint, name_);
  }
  std::int64_t memory() const override { return bytes_.memory().count; }
  bool full() const override { return bytes_.full(); }

 private:
  void keep(const K& key, const std::optional<V>& value, Timestamp time, std::uint32_t origin) {
    if (rows_.connected()) batch_.add(key, {old_value(key), value}, time, origin);
    if (value)
      store_.put(key, *value, time);
    else
      store_.erase(key);
  }
  std::optional<V> old_value(const K& key) {
    auto row = store_.find(key);
    if (!row) return std::nullopt;
    if constexpr (kBorrowsBytes<V>) {
      Serde<V>::encode(row->value, scratch_);
      Serde<V>::decode(kept_bytes_.keep(scratch_), row->value);
      scratch_.clear();
    }
    return std::move(row->value);
  }

  std::string name_;
  StoreOptions options_;
  ReasonId no_key_;
  state::KeyValueStore bytes_;
  TableStore<K, V> store_;
  StepBytes kept_bytes_;
  Buffer scratch_;
  KeyedOutlet<K, Change<V>> rows_{*this};
  KeyedBatch<K, Change<V>> batch_;
};

// The changes of a table that nobody keeps.
template <class InK, class V>
class TableUpdates final : public Operator, public KeyedConsumer<InK, std::optional<V>> {
 public:
  using K = NonNull<InK>;

  explicit TableUpdates(TaskContext& context) : no_key_(context.counts.reason(kKeyMissing)) {}

  std::string describe() const override { return "table updates"; }
  bool stateless() const override { return true; }
  KeyedOutlet<K, Change<V>>& rows() { return rows_; }
  void process(const KeyedRows<InK, std::optional<V>>& rows) override {
    for (const std::uint32_t i : rows.selected) {
      if (is_null(rows.keys[i]))
        rows.mark(i, Ending::filtered, no_key_);
      else
        batch_.add(value_of(rows.keys[i]), {std::nullopt, rows.values[i]}, rows.times[i],
                   rows.origins[i]);
    }
    batch_.push(rows_, rows.ledger);
  }

 private:
  ReasonId no_key_;
  KeyedOutlet<K, Change<V>> rows_{*this};
  KeyedBatch<K, Change<V>> batch_;
};

// A row that no longer passes becomes a deletion. Where the row before is known, one that neither
// passed nor passes says nothing.
template <class K, class V, class Keep>
class TableFilter final : public Operator, public KeyedConsumer<K, Change<V>> {
 public:
  TableFilter(std::string name, Keep keep, bool knows_old, TaskContext& context)
      : keep_(std::move(keep)),
        knows_old_(knows_old),
        guard_(name, context),
        reason_(context.counts.reason(name)) {}

  std::string describe() const override { return "filter table " + guard_.name(); }
  bool stateless() const override { return true; }
  KeyedOutlet<K, Change<V>>& rows() { return rows_; }

  void process(const KeyedRows<K, Change<V>>& rows) override {
    kept_.clear();
    if (changes_.size() < rows.column_size()) changes_.resize(rows.column_size());
    guard_.each(rows, [&](std::uint32_t i) {
      const Change<V>& from = rows.values[i];
      changes_[i] = {passing(rows.keys[i], from.old_value), passing(rows.keys[i], from.new_value)};
      if (knows_old_ && !changes_[i].old_value && !changes_[i].new_value)
        rows.mark(i, Ending::filtered, reason_);
      else
        kept_.push_back(i);
    });
    rows_.push(rows.template with<K, Change<V>>(rows.keys, changes_, kept_));
  }

 private:
  std::optional<V> passing(const K& key, const std::optional<V>& value) {
    return value && call(keep_, key, *value) ? value : std::nullopt;
  }

  Keep keep_;
  bool knows_old_;
  RowGuard guard_;
  ReasonId reason_;
  KeyedOutlet<K, Change<V>> rows_{*this};
  std::vector<Change<V>> changes_;
  std::vector<std::uint32_t> kept_;
};

// f of the row before and of the row now. An absent result is a deletion.
template <class K, class V, class W, class F>
class TableMapValues final : public Operator, public KeyedConsumer<K, Change<V>> {
 public:
  TableMapValues(std::string name, F f, TaskContext& context)
      : f_(std::move(f)), guard_(std::move(name), context) {}

  std::string describe() const override { return "map_values table " + guard_.name(); }
  bool stateless() const override { return true; }
  KeyedOutlet<K, Change<W>>& rows() { return rows_; }

  void process(const KeyedRows<K, Change<V>>& rows) override {
    if (changes_.size() < rows.column_size()) changes_.resize(rows.column_size());
    const auto went_through = guard_.each(rows, [&](std::uint32_t i) {
      const Change<V>& from = rows.values[i];
      changes_[i] = {mapped(rows.keys[i], from.old_value), mapped(rows.keys[i], from.new_value)};
    });
    rows_.push(rows.template with<K, Change<W>>(rows.keys, changes_, went_through));
  }

 private:
  std::optional<W> mapped(const K& key, const std::optional<V>& value) {
    if (!value) return std::nullopt;
    return call(f_, key, *value);
  }

  F f_;
  RowGuard guard_;
  KeyedOutlet<K, Change<W>> rows_{*this};
  std::vector<Change<W>> changes_;
};

template <class K, class V>
class TableToStream final : public Operator, public KeyedConsumer<K, Change<V>> {
 public:
  explicit TableToStream(TaskContext&) {}

  std::string describe() const override { return "to_stream"; }
  bool stateless() const override { return true; }
  KeyedOutlet<K, std::optional<V>>& rows() { return rows_; }
  void process(const KeyedRows<K, Change<V>>& rows) override {
    if (values_.size() < rows.column_size()) values_.resize(rows.column_size());
    for (const std::uint32_t i : rows.selected) values_[i] = rows.values[i].new_value;
    rows_.push(rows.template with<K, std::optional<V>>(rows.keys, values_, rows.selected));
  }

 private:
  KeyedOutlet<K, std::optional<V>> rows_{*this};
  std::vector<std::optional<V>> values_;
};

}  // namespace adbrook::stream
