// Drive files of lines: OpenXC traces with one signal per line, and carOBD logs with one second per
// line.
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "base/text.h"
#include "cars/drive_rows.h"
#include "serde/json_reader.h"

namespace adbrook::cars {
namespace {

std::optional<double> number(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Calls f(line, line number) until it fails; empty lines are passed over.
template <class F>
Result<void> for_each_line(std::string_view text, F f) {
  for (std::size_t line_number = 1; !text.empty(); ++line_number) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty())
      if (auto done = f(line, line_number); !done)
        return pass(done.error(), "line " + std::to_string(line_number));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

struct NamedSignal {
  std::string_view name;
  Signal signal;
};
constexpr std::array<NamedSignal, 7> kOpenXc = {{
    {"vehicle_speed", Signal::speed_kmh},
    {"engine_speed", Signal::engine_rpm},
    {"engine_coolant_temperature", Signal::coolant_c},
    {"engine_oil_temperature", Signal::oil_c},
    {"fuel_level", Signal::fuel_level_percent},
    {"latitude", Signal::latitude},
    {"longitude", Signal::longitude},
}};
constexpr std::string_view kOpenXcFuel = "fuel_consumed_since_restart";
constexpr std::array<NamedSignal, 5> kCarObd = {{
    {"VEHICLE_SPEED", Signal::speed_kmh},
    {"ENGINE_RPM", Signal::engine_rpm},
    {"ENGINE_LOAD", Signal::engine_load_percent},
    {"COOLANT_TEMPERATURE", Signal::coolant_c},
    {"FUEL_TANK", Signal::fuel_level_percent},
}};

// Signals come ten times a second and each alone: a reading is what one second said last.
class TraceReader {
 public:
  Result<void> add(std::string_view line) {
    rows_.begin_row();
    std::optional<double> seconds;
    if (!line.starts_with('{')) {
      const auto colon = line.find(": ");
      if (colon == line.npos || !(seconds = number(line.substr(0, colon))))
        return fail(ErrorKind::invalid, "`" + printable(line, 40) + "` is no signal");
      line.remove_prefix(colon + 2);
    }
    const auto fields = reader_.object(line);
    if (!fields) return pass(fields.error());
    std::string_view name;
    std::optional<double> value;
    for (const serde::JsonField& field : *fields) {
      if (field.key == "name") name = field.value.text;
      const auto found = field.value.number();
      if (field.key == "value" && found) value = *found;
      if (field.key == "timestamp" && found) seconds = *found;
    }
    if (!seconds || !(std::abs(*seconds) < 1e11))
      return fail(ErrorKind::invalid,
                  "the signal has no time; a trace without times cannot be read");
    if (!value || !take(Timestamp{std::llround(*seconds * 1000)}, name, *value)) ++unread_count_;
    return {};
  }

  void finish(Drive& drive) {
    std::optional<double> fuel_before;
    for (auto& [start, second] : seconds_) {
      if (second.fuel) {
        // It begins anew when the engine is started: what was used in between is not known.
        if (fuel_before && *second.fuel >= *fuel_before)
          rows_.add(second.time, Signal::fuel_used_l, *second.fuel - *fuel_before);
        fuel_before = second.fuel;
      }
      for (std::size_t i = 0; i < kOpenXc.size(); ++i)
        if (second.values[i]) rows_.add(second.time, kOpenXc[i].signal, *second.values[i]);
    }
    rows_.finish(drive);
    drive.unread_count = unread_count_;
  }

 private:
  struct Second {
    Timestamp time;  // of its last line
    std::array<std::optional<double>, kOpenXc.size()> values;
    std::optional<double> fuel;
  };

  // False: a signal that we do not know.
  bool take(Timestamp time, std::string_view name, double value) {
    const auto known = std::find_if(kOpenXc.begin(), kOpenXc.end(),
                                    [&](const NamedSignal& one) { return one.name == name; });
    if (known == kOpenXc.end() && name != kOpenXcFuel) return false;
    Second& second = seconds_[bucket_start(time, Millis(1000))];
    second.time = std::max(second.time, time);
    (known == kOpenXc.end() ? second.fuel
                            : second.values[static_cast<std::size_t>(known - kOpenXc.begin())]) =
        value;
    return true;
  }

  DriveRows rows_;
  serde::JsonReader reader_;
  std::map<Timestamp, Second> seconds_;
  std::uint64_t unread_count_ = 0;
};

// "VEHICLE_SPEED ()" without its unit, which the files leave empty.
std::string_view column_name(std::string_view cell) {
  return cell.substr(0, cell.find_first_of(" ("));
}

template <class F>
void for_each_cell(std::string_view line, F f) {
  for (std::size_t index = 0; !line.empty(); ++index) {
    const auto end = std::min(line.find(','), line.size());
    f(index, line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
}

}  // namespace

Result<void> read_openxc(std::string_view text, Drive& drive) {
  TraceReader trace;
  if (auto read =
          for_each_line(text, [&](std::string_view line, std::size_t) { return trace.add(line); });
      !read)
    return read;
  trace.finish(drive);
  return {};
}

Result<void> read_carobd(std::string_view text, Timestamp start, Drive& drive) {
  DriveRows rows;
  std::vector<std::optional<Signal>> columns;
  const auto read_head = [&](std::size_t, std::string_view cell) {
    columns.emplace_back();
    for (const NamedSignal& one : kCarObd)
      if (column_name(cell) == one.name) columns.back() = one.signal;
  };
  auto read = for_each_line(text, [&](std::string_view line, std::size_t n) -> Result<void> {
    if (n == 1) {
      for_each_cell(line, read_head);
      return {};
    }
    rows.begin_row();
    const Timestamp time = start + Millis(1000) * static_cast<std::int64_t>(n - 2);
    Result<void> done;
    for_each_cell(line, [&](std::size_t index, std::string_view cell) {
      if (index >= columns.size() || !columns[index]) return;
      if (const auto value = number(cell))
        rows.add(time, *columns[index], *value);
      else
        done = fail(ErrorKind::invalid, "`" + printable(cell, 40) + "` is no number");
    });
    return done;
  });
  if (!read) return read;
  rows.finish(drive);
  return {};
}

}  // namespace adbrook::cars
