// Drive files of any bytes: never crashes; readings are numbered, in order of time, and every value
// is one that its sensor can say.
#include <cstdlib>

#include "cars/drive_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace adbrook;
  const auto drive = cars::read_drive(std::as_bytes(std::span(bytes, size)), {"f", "", {}});
  if (!drive) return 0;
  for (std::size_t i = 0; i < drive->readings.size(); ++i) {
    const cars::Telemetry& reading = drive->readings[i];
    if (reading.row != i || reading.covers > cars::kCoversMax) std::abort();
    if (i > 0 && reading.time <= drive->readings[i - 1].time) std::abort();
    for (std::size_t s = 0; s < cars::kSignalCount; ++s)
      if (reading.signals[s] && !(*reading.signals[s] >= cars::kSignals[s].min &&
                                  *reading.signals[s] <= cars::kSignals[s].max))
        std::abort();
  }
  return 0;
}
