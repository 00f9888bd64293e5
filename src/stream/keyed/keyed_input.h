// The ways into a keyed flow: a topic from outside, and the internal topic of a repartition. Both
// decode straight into columns and settle each record once all operators behind have seen it.
#pragma once

#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "stream/input.h"
#include "stream/keyed/dead_letters.h"
#include "stream/keyed/keyed_rows.h"
#include "stream/keyed/serde.h"
#include "stream/operator.h"
#include "stream/origin.h"

namespace adbrook::stream {

// Reads key, value and event time out of a record: true, or false with the reason in `why`. `key`
// and `value` are fresh, `time` is the record's own. Texts may be views into the record or into the
// codec, which keeps them until its next begin_step() (which it need not have).
template <class C, class K, class V>
concept KeyedCodec = requires(C& codec, const record::RecordView& record, K& key, V& value,
                              Timestamp& time, Refusal& why) {
  { codec(record, key, value, time, why) } -> std::same_as<bool>;
};

// By the types' serdes; the event time is the record's.
template <class K, class V>
struct SerdeCodec {
  bool operator()(const record::RecordView& record, K& key, V& value, Timestamp&,
                  Refusal& why) const {
    if (!decode_or_null(record.key, key)) {
      why = record.key ? Refusal{kKeyUnreadable, "key", "these bytes are no key of this type"}
                       : Refusal{kKeyMissing, "key", "this stream's key is not optional"};
      return false;
    }
    if (decode_or_null(record.value, value)) return true;
    why = record.value ? Refusal{kValueUnreadable, "value", "these bytes are no value of this type"}
                       : Refusal{kValueMissing, "value", "this stream's value is not optional"};
    return false;
  }
};

// The codec is inlined into its loop: no virtual call and, but for long texts, no allocation per
// record.
template <class K, class V, class Codec>
class KeyedInput final : public Input {
 public:
  KeyedInput(InputPlace place, WatermarkOptions options, Codec codec, TaskContext& context)
      : Input(std::move(place), options),
        codec_(std::move(codec)),
        context_(context),
        ledger_(index(), origin_topic()) {}

  KeyedOutlet<K, V>& rows() { return rows_; }

  std::string describe() const override {
    return internal() ? "keyed input " + topic() + " from " + origin_topic()
                      : "keyed source " + topic();
  }
  Result<void> check() const override {
    if (rows_.connected()) return {};
    return fail(ErrorKind::invalid,
                "source " + topic() +
                    " is connected to nothing: its records would be read and dropped; attach an "
                    "operator to its stream or do not make it");
  }

  Result<void> take(std::span<StepBatch> batches) override {
    if constexpr (requires { codec_.begin_step(); }) codec_.begin_step();
    Result<void> origins;
    std::uint64_t count = 0;
    auto read = for_each_record(batches, [&](const record::RecordView& record, Timestamp at) {
      if (internal()) {
        const auto origin = read_origin(record);
        if (!origin || origin->partition < 0 || origin->partition >= context_.partition_count) {
          origins = missing_origin(record);
          return;
        }
        add(record, {origin->append_time, origin->offset, origin->partition});
      } else {
        add(record, {at, record.offset, context_.partition});
      }
      ++count;
      if (times_.size() == kRowsPerPush) flush();
    });
    context_.counts.take(index(), count);
    flush();
    return read ? origins : read;
  }

 private:
  struct Arrived {
    Timestamp append_time;
    Offset offset;
    std::int32_t partition;
  };

  std::unexpected<Error> missing_origin(const record::RecordView& record) const {
    return fail(ErrorKind::corrupt, topic() + ": record without its origin at offset " +
                                        std::to_string(record.offset.value) +
                                        "; only this topology may write to it");
  }

  void add(const record::RecordView& record, const Arrived& arrived) {
    TakenRecord& taken = ledger_.add();
    taken = {record.key,          record.value,   record.timestamp,
             arrived.append_time, arrived.offset, arrived.partition};
    Timestamp time = record.timestamp;
    Refusal why;
    if (!decode(record, time, why)) [[unlikely]]
      return refuse(taken, why);
    if (!internal()) {
      if (!Input::time().accepts(time, arrived.append_time)) [[unlikely]]
        return refuse(taken, {kTimestampOutOfRange, "timestamp",
                              "before 2000-01-01 or too far after its arrival"});
      observe(record, time);
    }
    times_.push_back(time);
  }

  bool decode(const record::RecordView& record, Timestamp& time, Refusal& why) {
    try {
      return codec_(record, keys_.emplace_back(), values_.emplace_back(), time, why);
    } catch (const std::bad_alloc&) {
      throw;
    } catch (...) {
      why = {kThrew, "", "the codec threw"};
      return false;
    }
  }

  // One key's clock that runs ahead must not move time alone: another key has to confirm it.
  void observe(const record::RecordView& record, Timestamp time) {
    const auto confirmed = Input::time().confirmed();
    if (confirmed && time <= *confirmed) [[likely]]
      return;
    const Uuid id = record.key ? Uuid{0, xxh3(*record.key)}
                               : Uuid{1, static_cast<std::uint64_t>(record.offset.value)};
    Input::time().observe(id, time);
  }

  void refuse(const TakenRecord& taken, const Refusal& why) {
    keys_.resize(times_.size());
    values_.resize(times_.size());
    context_.dead_letters->add(origin_topic(), taken, {describe(), why.reason, why.text});
    context_.counts.settle({index(), taken.origin_partition}, Outcome::rejected,
                           context_.counts.reason(why.reason));
    ledger_.undo();
  }

  void flush() {
    if (!times_.empty())
      rows_.push(
          {keys_, values_, times_, all_.first(times_.size()), &ledger_, all_.first(times_.size())});
    ledger_.settle(context_.counts);
    keys_.clear();
    values_.clear();
    times_.clear();
  }

  Codec codec_;
  TaskContext& context_;
  RecordLedger ledger_;
  KeyedOutlet<K, V> rows_{*this};
  Column<K> keys_;
  Column<V> values_;
  std::vector<Timestamp> times_;
  WholeSelection all_;
};

}  // namespace adbrook::stream
