// The two ways into a task: a topic from outside, whose records are decoded, checked and placed,
// and an internal topic of the same topology, whose records were checked where they first arrived.
#pragma once

#include <array>
#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stream/operator.h"
#include "stream/origin.h"
#include "stream/rows.h"
#include "stream/sink.h"

namespace adbrook::stream {

// Rows handed on at once. A larger step goes through in several pushes with one watermark.
inline constexpr std::size_t kRowsPerPush = 1024;
// What a compressed batch may become; larger ones stop the task instead of the machine.
inline constexpr Bytes kDecompressedSizeMax = 64_MiB;

inline constexpr std::string_view kTimestampOutOfRange = "timestamp_out_of_range";

// Reads one T out of a record: true, or false with the reason in `why`. `out` is a fresh T. Texts
// may be views into the record or into the codec, which keeps them until its next begin_step().
template <class C, class T>
concept CodecFor = requires(C& codec, const record::RecordView& record, T& out, Refusal& why) {
  { codec(record, out, why) } -> std::same_as<bool>;
};

// What is known of rows of a kind wherever they flow: their identity, time and encoding.
template <class T>
class RowKind {
 public:
  RowKind(Uuid T::* id, Timestamp T::* time) : id_(id), time_(time) {}
  virtual ~RowKind() = default;

  Uuid id(const T& row) const { return row.*id_; }
  Timestamp time(const T& row) const { return row.*time_; }
  // For single records that waited encoded.
  virtual bool decode(const record::RecordView& record, T& out, Refusal& why) = 0;
  virtual void begin_step() = 0;
  // A way in for the internal topic that carries such rows, still encoded as they first were.
  virtual std::unique_ptr<Input> internal_input(InputPlace place, WatermarkOptions options,
                                                TaskContext& context, Outlet<T>& accepted,
                                                Outlet<Rejected>& rejected) = 0;

 private:
  Uuid T::* id_;
  Timestamp T::* time_;
};

// Collects decoded rows and pushes them on in batches. Its buffers are reused for ever.
template <class T>
class RowCollector {
 public:
  RowCollector(TaskContext& context, Outlet<T>& accepted, Outlet<Rejected>& rejected)
      : context_(context), accepted_(accepted), rejected_(rejected) {}

  // The row to decode into; then keep(), reject() or undo() it.
  T& next() { return values_.emplace_back(); }
  void undo() { values_.pop_back(); }
  void keep(const record::RecordView& record, Arrival arrival, Offset offset,
            Timestamp append_time) {
    fill(meta_.emplace_back(), record, arrival, offset, append_time);
    if (values_.size() == kRowsPerPush) flush();
  }
  void reject(const record::RecordView& record, Arrival arrival, Offset offset,
              Timestamp append_time, const Refusal& why) {
    values_.pop_back();
    rejected_values_.push_back({record, why});
    RowMeta& meta = rejected_meta_.emplace_back();
    fill(meta, record, arrival, offset, append_time);
    meta.outcome = Outcome::rejected;
    meta.reason = context_.counts.reason(why.reason);
    context_.counts.settle(arrival, Outcome::rejected, meta.reason);
    if (rejected_values_.size() == kRowsPerPush) flush();
  }
  void flush() {
    push(rejected_, rejected_values_, rejected_meta_);
    push(accepted_, values_, meta_);
  }

 private:
  static void fill(RowMeta& meta, const record::RecordView& record, Arrival arrival, Offset offset,
                   Timestamp append_time) {
    meta.arrival = arrival;
    meta.origin_offset = offset;
    meta.append_time = append_time;
    meta.record_time = record.timestamp;
    meta.key = record.key;
    meta.value = record.value.value_or(ByteView{});
  }
  template <class Row>
  void push(Outlet<Row>& outlet, std::vector<Row>& values, std::vector<RowMeta>& meta) {
    while (all_.size() < values.size()) all_.push_back(static_cast<std::uint32_t>(all_.size()));
    outlet.push({values, meta, std::span(all_).first(values.size())});
    values.clear();
    meta.clear();
  }

  TaskContext& context_;
  Outlet<T>& accepted_;
  Outlet<Rejected>& rejected_;
  std::vector<T> values_;
  std::vector<RowMeta> meta_;
  std::vector<Rejected> rejected_values_;
  std::vector<RowMeta> rejected_meta_;
  std::vector<std::uint32_t> all_;  // 0, 1, 2, …
};

// Calls f(record, append_time) for every data record; corrupt when a batch does not parse.
template <class F>
Result<void> for_each_record(std::span<StepBatch> batches, F f) {
  record::RecordView record;
  for (StepBatch& batch : batches) {
    if (batch.reader.header().control()) continue;
    for (;;) {
      const auto more = batch.reader.next(record);
      if (!more) return std::unexpected(more.error());
      if (!*more) break;
      f(record, batch.append_time);
    }
  }
  return {};
}

// Takes no time from its records and checks none: both were done where they first arrived.
template <class T, class Codec>
class InternalInput final : public Input {
 public:
  InternalInput(InputPlace place, WatermarkOptions options, std::shared_ptr<Codec> codec,
                TaskContext& context, Outlet<T>& accepted, Outlet<Rejected>& rejected)
      : Input(std::move(place), options),
        codec_(std::move(codec)),
        context_(context),
        rows_(context, accepted, rejected) {}

  std::string describe() const override { return "input " + topic() + " from " + origin_topic(); }

  Result<void> take(std::span<StepBatch> batches) override {
    if constexpr (requires { codec_->begin_step(); }) codec_->begin_step();
    Result<void> origins;
    auto read = for_each_record(batches, [&](const record::RecordView& record, Timestamp) {
      context_.counts.take(index(), 1);
      const auto origin = read_origin(record);
      if (!origin || origin->partition < 0 || origin->partition >= context_.partition_count) {
        origins = fail(ErrorKind::corrupt, topic() + ": record without its origin at offset " +
                                               std::to_string(record.offset.value) +
                                               "; only this topology may write to it");
        return;
      }
      const Arrival arrival{index(), origin->partition};
      Refusal why;
      if ((*codec_)(record, rows_.next(), why))
        rows_.keep(record, arrival, origin->offset, origin->append_time);
      else
        rows_.reject(record, arrival, origin->offset, origin->append_time, why);
    });
    rows_.flush();
    return read ? origins : read;
  }

 private:
  std::shared_ptr<Codec> codec_;  // shared with the source, which it decodes for
  TaskContext& context_;
  RowCollector<T> rows_;
};

// Knows the codec's type, which the handles of a flow have forgotten.
template <class T, class Codec>
class CodecRowKind final : public RowKind<T> {
 public:
  CodecRowKind(std::shared_ptr<Codec> codec, Uuid T::* id, Timestamp T::* time)
      : RowKind<T>(id, time), codec_(std::move(codec)) {}

  bool decode(const record::RecordView& record, T& out, Refusal& why) override {
    return (*codec_)(record, out, why);
  }
  void begin_step() override {
    if constexpr (requires { codec_->begin_step(); }) codec_->begin_step();
  }
  std::unique_ptr<Input> internal_input(InputPlace place, WatermarkOptions options,
                                        TaskContext& context, Outlet<T>& accepted,
                                        Outlet<Rejected>& rejected) override {
    return std::make_unique<InternalInput<T, Codec>>(std::move(place), options, codec_, context,
                                                     accepted, rejected);
  }

 private:
  std::shared_ptr<Codec> codec_;  // one per source, used by each of its inputs in turn
};

// The codec is inlined into its loop: no virtual call and no allocation per event.
template <class T, class Codec>
class SourceInput final : public Input {
 public:
  // `through` is null when records are taken wherever they lie.
  SourceInput(InputPlace place, WatermarkOptions options, std::shared_ptr<Codec> codec,
              const RowKind<T>& kind, TaskContext& context, Sink* through)
      : Input(std::move(place), options),
        codec_(std::move(codec)),
        kind_(kind),
        context_(context),
        through_(through),
        rows_(context, accepted_, rejected_) {}

  std::string describe() const override {
    return "source " + topic() + (through_ ? " through " + through_->topic() : "");
  }
  Outlet<T>& accepted() { return accepted_; }
  Outlet<Rejected>& rejected() { return rejected_; }

  Result<void> take(std::span<StepBatch> batches) override {
    if constexpr (requires { codec_->begin_step(); }) codec_->begin_step();
    std::uint64_t count = 0;
    auto read = for_each_record(batches, [&](const record::RecordView& record, Timestamp at) {
      ++count;
      take_record(record, at);
    });
    context_.counts.take(index(), count);
    rows_.flush();
    return read;
  }

 private:
  // Misplaced events move this input's time too: it is about what the partition delivers.
  void take_record(const record::RecordView& record, Timestamp append_time) {
    const Arrival arrival{index(), context_.partition};
    Refusal why;
    T& row = rows_.next();
    if (!may_go_on(record)) [[unlikely]]
      return rows_.reject(record, arrival, record.offset, append_time,
                          {kTooLong, "", "key and value have more than 9 MiB together"});
    if (!(*codec_)(record, row, why)) [[unlikely]]
      return rows_.reject(record, arrival, record.offset, append_time, why);
    const Timestamp event_time = kind_.time(row);
    if (!time().accepts(event_time, append_time)) [[unlikely]]
      return rows_.reject(
          record, arrival, record.offset, append_time,
          {kTimestampOutOfRange, "timestamp", "before 2000-01-01 or too far after its arrival"});
    const Uuid id = kind_.id(row);
    time().observe(id, event_time);
    if (through_ != nullptr && context_.partition_count > 1) {
      const auto text = id.text();
      const ByteView key = as_bytes({text.data(), text.size()});
      const auto place = kafka_partition(key, context_.partition_count);
      if (place != context_.partition) return forward(record, place, append_time);
    }
    rows_.keep(record, arrival, record.offset, append_time);
  }

  // To where it belongs, under its own key or under another event's id.
  bool may_go_on(const record::RecordView& record) {
    static constexpr std::array<std::byte, 36> kAnyId{};
    const ByteView key = record.key.value_or(ByteView{});
    return Sink::fits(key.size() > kAnyId.size() ? key : ByteView(kAnyId), record.value,
                      header_.make({}));
  }

  // Not a receipt: the event is counted where it arrived and decided where it belongs.
  void forward(const record::RecordView& record, std::int32_t place, Timestamp append_time) {
    rows_.undo();
    context_.counts.forward(index());
    through_->add_to(place, record.timestamp, record.key, record.value.value_or(ByteView{}),
                     header_.make({context_.partition, record.offset, append_time}));
  }

  std::shared_ptr<Codec> codec_;  // shared with the internal inputs that carry its records
  const RowKind<T>& kind_;
  TaskContext& context_;
  Sink* through_;
  OriginHeader header_;
  Outlet<T> accepted_{*this};
  Outlet<Rejected> rejected_{*this};
  RowCollector<T> rows_;
};

}  // namespace adbrook::stream
