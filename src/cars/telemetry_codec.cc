#include "cars/telemetry_codec.h"

namespace adbrook::cars {

bool TelemetryCodec::operator()(const record::RecordView& record, std::string_view& car,
                                Telemetry& reading, Timestamp& time, stream::Refusal& why) {
  if (!record.key || record.key->empty() || record.key->size() > kCarSizeMax) {
    why = {"bad_car", "key", "the key names the car and has 1 to 200 bytes"};
    return false;
  }
  car = as_text(*record.key);
  const std::string_view json = as_text(record.value.value_or(ByteView{}));
  auto read = parse_telemetry(json, reader_);
  if (!read) {
    why = {"bad_telemetry", "value", kept_.emplace_back(std::move(read.error().message))};
    return false;
  }
  reading = *read;
  // A route with escapes lies in the reader, which the next record overwrites.
  const char* begin = reading.route.data();
  const bool in_record =
      json.data() <= begin && begin + reading.route.size() <= json.data() + json.size();
  if (!in_record) reading.route = kept_.emplace_back(reading.route);
  time = reading.time;
  return true;
}

}  // namespace adbrook::cars
