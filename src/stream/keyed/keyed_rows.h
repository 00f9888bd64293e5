// What flows between the operators of keyed streams and tables: columns of keys, values and times
// with a selection, and for each row the record it came from.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "stream/keyed/column.h"
#include "stream/operator.h"

namespace adbrook::stream {

// A record as it was taken, for origins and dead letters. Views live until the step's end.
struct TakenRecord {
  std::optional<ByteView> key, value;
  Timestamp record_time;
  Timestamp append_time;
  Offset offset;                      // in the topic that first received it
  std::int32_t origin_partition = 0;  // of that topic
};

// How a record ended, by rank: of several ends on several ways the highest counts. A record that
// nobody marks was processed to its end and is counted.
enum class Ending : std::uint8_t { none, filtered, late, rejected, forwarded, counted };

// The records of one push and how each ends. Owned by the input; operators mark, the input settles.
class RecordLedger {
 public:
  RecordLedger(std::uint16_t input, std::string topic) : input_(input), topic_(std::move(topic)) {}

  std::uint16_t input() const { return input_; }
  const std::string& topic() const { return topic_; }  // that first received the records
  const TakenRecord& record(std::uint32_t origin) const {
    return main_ != nullptr ? main_->records_[origin] : records_[origin];
  }
  // The same records for rows beside the main way, such as late ones: their record has its end, and
  // what becomes of the row does not change it.
  RecordLedger* aside() {
    if (main_ != nullptr) return this;
    if (!aside_) {
      aside_ = std::make_unique<RecordLedger>(input_, topic_);
      aside_->main_ = this;
    }
    return aside_.get();
  }

  TakenRecord& add() {
    endings_.push_back(0);
    return records_.emplace_back();
  }
  void undo() {
    endings_.pop_back();
    records_.pop_back();
  }
  void mark(std::uint32_t origin, Ending ending, ReasonId reason = {}) {
    if (main_ != nullptr) return;
    const std::uint32_t mark = static_cast<std::uint32_t>(ending) << 16 | reason.value;
    if (mark > endings_[origin]) endings_[origin] = mark;
  }
  // Counts the end of every record and forgets them.
  void settle(OutcomeCounts& counts);

 private:
  std::uint16_t input_;
  std::string topic_;
  std::vector<TakenRecord> records_;
  std::vector<std::uint32_t> endings_;  // Ending and reason
  const RecordLedger* main_ = nullptr;  // whose records these are, when this is the one aside
  std::unique_ptr<RecordLedger> aside_;
};

// The origin of a row that no record made: a final result, a timer's.
inline constexpr std::uint32_t kNoOrigin = std::numeric_limits<std::uint32_t>::max();

// One batch. The columns run parallel; only rows whose index is in `selected` (ascending) take
// part. `ledger` is null when time made the rows; origins are kNoOrigin then. Valid during the
// call.
template <class K, class V>
struct KeyedRows {
  std::span<const K> keys;
  std::span<const V> values;
  std::span<const Timestamp> times;
  std::span<const std::uint32_t> origins;
  RecordLedger* ledger = nullptr;
  std::span<const std::uint32_t> selected;

  std::size_t column_size() const { return times.size(); }
  void mark(std::uint32_t row, Ending ending, ReasonId reason = {}) const {
    if (ledger != nullptr) ledger->mark(origins[row], ending, reason);
  }
  // The same rows with other columns; an operator gives what it made and passes on the rest.
  template <class L, class W>
  KeyedRows<L, W> with(std::span<const L> new_keys, std::span<const W> new_values,
                       std::span<const std::uint32_t> new_selected) const {
    return {new_keys, new_values, times, origins, ledger, new_selected};
  }
  KeyedRows select(std::span<const std::uint32_t> fewer) const {
    KeyedRows rows = *this;
    rows.selected = fewer;
    return rows;
  }
};

// Takes part in the flow: one virtual call per batch.
template <class K, class V>
class KeyedConsumer {
 public:
  virtual ~KeyedConsumer() = default;
  virtual void process(const KeyedRows<K, V>& rows) = 0;
};

// Where an operator hands its batches on, in the order in which the consumers were attached.
template <class K, class V>
class KeyedOutlet : public OutletPlace {
 public:
  using OutletPlace::OutletPlace;

  // `consumer` is an end of `part`.
  void attach(KeyedConsumer<K, V>& consumer, Operator& part) {
    consumers_.push_back(&consumer);
    note_reader(part);
  }
  template <std::derived_from<Operator> Part>
  void attach(Part& part) {
    attach(part, part);
  }
  bool connected() const { return !consumers_.empty(); }
  void push(const KeyedRows<K, V>& rows) const {
    if (rows.selected.empty()) return;
    for (KeyedConsumer<K, V>* consumer : consumers_) consumer->process(rows);
  }

 private:
  std::vector<KeyedConsumer<K, V>*> consumers_;
};

// 0, 1, 2, … up to `count`: the selection of a batch that was built dense.
class WholeSelection {
 public:
  std::span<const std::uint32_t> first(std::size_t count) {
    while (all_.size() < count) all_.push_back(static_cast<std::uint32_t>(all_.size()));
    return std::span(all_).first(count);
  }

 private:
  std::vector<std::uint32_t> all_;
};

// A batch that an operator builds row by row. Its buffers are kept for the next one.
template <class K, class V>
class KeyedBatch {
 public:
  void add(K key, V value, Timestamp time, std::uint32_t origin = kNoOrigin) {
    keys_.push_back(std::move(key));
    values_.push_back(std::move(value));
    times_.push_back(time);
    origins_.push_back(origin);
  }
  std::size_t size() const { return times_.size(); }
  // Pushes what was added, if anything, and is empty again. `ledger` is that of the rows it was
  // made from, null for rows that time made.
  void push(const KeyedOutlet<K, V>& outlet, RecordLedger* ledger) {
    if (times_.empty()) return;
    outlet.push({keys_, values_, times_, origins_, ledger, all_.first(times_.size())});
    clear();
  }
  void clear() {
    keys_.clear();
    values_.clear();
    times_.clear();
    origins_.clear();
  }
  // What was added behind the first `count` was never added.
  void take_back(std::size_t count) {
    keys_.erase(keys_.begin() + static_cast<std::ptrdiff_t>(count), keys_.end());
    values_.erase(values_.begin() + static_cast<std::ptrdiff_t>(count), values_.end());
    times_.resize(count);
    origins_.resize(count);
  }

 private:
  Column<K> keys_;
  Column<V> values_;
  std::vector<Timestamp> times_;
  std::vector<std::uint32_t> origins_;
  WholeSelection all_;
};

}  // namespace adbrook::stream
