// What the readers of drive files share: rows of known signals by their time become readings with
// numbers and the time that each covers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string_view>

#include "cars/drive_file.h"

namespace adbrook::cars {

class DriveRows {
 public:
  // Counts a row; add() then tells what it said. A value beyond what the sensor can say is absent.
  void begin_row() {
    ++row_count_;
    row_was_read_ = false;
  }
  // Two values of one time and signal: the first one stands.
  void add(Timestamp time, Signal signal, double value) {
    const SignalKind& kind = kSignals[static_cast<std::size_t>(signal)];
    if (!(value >= kind.min && value <= kind.max)) {
      ++odd_count_;
      return;
    }
    if (!row_was_read_) ++read_count_;
    row_was_read_ = true;
    Telemetry& reading = readings_[time];
    if (!reading[signal]) reading[signal] = value;
  }
  // Moves what was read into the drive.
  void finish(Drive& drive) {
    const Timestamp* before = nullptr;
    for (auto& [time, reading] : readings_) {
      reading.time = time;
      reading.row = drive.readings.size();
      if (before != nullptr) reading.covers = std::min(time - *before, kCoversMax);
      before = &time;
      drive.readings.push_back(reading);
    }
    drive.row_count = row_count_;
    drive.unread_count = row_count_ - read_count_;
    drive.odd_count = odd_count_;
  }

 private:
  std::map<Timestamp, Telemetry> readings_;
  std::uint64_t row_count_ = 0, read_count_ = 0, odd_count_ = 0;
  bool row_was_read_ = false;
};

// One reader per kind; `text` is the unpacked file, `drive` has its names.
Result<void> read_envirocar(std::string_view text, Drive& drive);
Result<void> read_openxc(std::string_view text, Drive& drive);
Result<void> read_carobd(std::string_view text, Timestamp start, Drive& drive);

}  // namespace adbrook::cars
