// Real drives from files as readings: enviroCar tracks (GeoJSON), OpenXC traces (one signal per
// line) and carOBD logs (CSV), plain or gzip. What each column becomes: docs/cars.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "cars/telemetry.h"

namespace adbrook::cars {

inline constexpr Bytes kDriveFileSizeMax = 256_MiB;  // unpacked

struct DriveFileOptions {
  std::string name;  // the file's name without folders; names the route where the file does not
  std::string car;   // for files that name no car; empty: named after the kind of file
  Timestamp start;   // of the first row where rows have no time but a number of seconds
};

struct Drive {
  std::string car;
  std::string route;
  std::vector<Telemetry> readings;  // in order of time, numbered from 0; their `route` is empty
  std::uint64_t row_count = 0;      // lines or features of the file
  std::uint64_t unread_count = 0;   // of these, without any signal that we know
  std::uint64_t odd_count = 0;      // values that no working sensor says: taken as absent
};

// Finds the kind by the first bytes. invalid: what is wrong in which line, or that the file has no
// times; overloaded: it unpacks to more than kDriveFileSizeMax.
Result<Drive> read_drive(ByteView file, const DriveFileOptions& options);

}  // namespace adbrook::cars
