// What flows between operators: batches of rows with the place each came from, and a selection of
// those that go on. A row's texts are views into the fetched bytes and live until the step's end.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "record/batch.h"
#include "state/seen_store.h"
#include "stream/operator.h"

namespace adbrook::stream {

struct RowMeta {
  Arrival arrival;              // input it came by and origin partition
  Offset origin_offset;         // where the topic that first received it keeps it
  Timestamp append_time;        // when that topic took it
  Timestamp record_time;        // timestamp of the record
  std::optional<ByteView> key;  // bytes as received
  ByteView value;               // bytes as received; what the codec read
  state::SeenRef seen;          // the dedupe store's entry, once it passed one
  Outcome outcome{};            // set on rows that an operator turned away
  ReasonId reason;
};

// One batch. `values` and `meta` run parallel; only the rows whose index is in `selected`
// (ascending) take part. Operators narrow a batch by passing on a shorter selection, nothing is
// moved.
template <class T>
struct Rows {
  std::span<const T> values;
  std::span<RowMeta> meta;
  std::span<const std::uint32_t> selected;
};

// Takes part in the flow: one virtual call per batch.
template <class T>
class Consumer {
 public:
  virtual ~Consumer() = default;
  virtual void process(const Rows<T>& rows) = 0;
};

// Where an operator hands its batches on, in the order in which the consumers were attached.
template <class T>
class Outlet : public OutletPlace {
 public:
  using OutletPlace::OutletPlace;

  // `consumer` is an end of `part`.
  void attach(Consumer<T>& consumer, Operator& part) {
    consumers_.push_back(&consumer);
    note_reader(part);
  }
  template <std::derived_from<Operator> Part>
  void attach(Part& part) {
    attach(part, part);
  }
  void push(const Rows<T>& rows) const {
    if (rows.selected.empty()) return;
    for (Consumer<T>* consumer : consumers_) consumer->process(rows);
  }

 private:
  std::vector<Consumer<T>*> consumers_;
};

// Why a codec or a rule refused a record; empty texts for "not known".
struct Refusal {
  std::string_view reason;  // a stable word from code: counted and exported
  std::string_view field;
  std::string_view text;  // a sentence for people
};

// A record that never became a T: what a dead letter is made of. Views live until the step's end.
struct Rejected {
  record::RecordView record;
  Refusal why;
};

}  // namespace adbrook::stream
