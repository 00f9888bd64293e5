// Reads records of the topic `telemetry`: for the topology, and for whoever counts them again.
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "cars/telemetry.h"
#include "record/batch.h"
#include "serde/json_reader.h"
#include "stream/rows.h"

namespace adbrook::cars {

inline constexpr std::size_t kCarSizeMax = 200;

// A KeyedCodec: the key of a record is the car, the event time the reading's own.
class TelemetryCodec {
 public:
  // Texts are views into the record or into this object, until its next begin_step().
  bool operator()(const record::RecordView& record, std::string_view& car, Telemetry& reading,
                  Timestamp& time, stream::Refusal& why);
  void begin_step() { kept_.clear(); }

 private:
  serde::JsonReader reader_;
  std::deque<std::string> kept_;
};

}  // namespace adbrook::cars
