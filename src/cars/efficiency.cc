#include "cars/efficiency.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "cars/byte_front.h"

namespace adbrook::cars {
namespace {

std::optional<std::int64_t> distance_of(const Telemetry& reading) {
  const auto speed = reading[Signal::speed_kmh];
  if (!speed) return std::nullopt;
  return std::llround(*speed * static_cast<double>(reading.covers.count()) / 3.6);
}

// What was measured comes before what a rate makes of the time.
std::optional<std::int64_t> fuel_of(const Telemetry& reading) {
  if (const auto used = reading[Signal::fuel_used_l]) return std::llround(*used * 1e6);
  const auto rate = reading[Signal::fuel_rate_lph];
  if (!rate) return std::nullopt;
  return std::llround(*rate * static_cast<double>(reading.covers.count()) / 3.6);
}

}  // namespace

RowSet::Added RowSet::add(std::uint64_t row) {
  const auto next = std::upper_bound(runs_.begin(), runs_.end(), row,
                                     [](std::uint64_t r, const Run& run) { return r < run.first; });
  const bool has_previous = next != runs_.begin();
  if (has_previous && row < std::prev(next)->end) return Added::was_there;
  const bool behind = has_previous && std::prev(next)->end == row;
  const bool before = next != runs_.end() && next->first == row + 1;
  if (behind && before) {
    std::prev(next)->end = next->end;
    runs_.erase(next);
  } else if (behind) {
    ++std::prev(next)->end;
  } else if (before) {
    --next->first;
  } else {
    if (runs_.size() == kRunCountMax) return Added::full;
    runs_.insert(next, {row, row + 1});
  }
  return Added::added;
}

void RowSet::merge(const RowSet& other) {
  std::vector<Run> all;
  std::ranges::merge(runs_, other.runs_, std::back_inserter(all), {}, &Run::first, &Run::first);
  runs_.clear();
  for (const Run& run : all) {
    if (!runs_.empty() && run.first <= runs_.back().end)
      runs_.back().end = std::max(runs_.back().end, run.end);
    else
      runs_.push_back(run);
  }
}

std::uint64_t RowSet::row_count() const {
  std::uint64_t count = 0;
  for (const Run& run : runs_) count += run.end - run.first;
  return count;
}

void RowSet::encode(Buffer& to) const {
  append_le(to, static_cast<std::uint32_t>(runs_.size()));
  for (const Run& run : runs_) {
    append_le(to, run.first);
    append_le(to, run.end);
  }
}

bool RowSet::decode(ByteView& from) {
  std::uint32_t count = 0;
  if (!take(from, count) || count > kRunCountMax || from.size() < count * sizeof(Run)) return false;
  runs_.resize(count);
  std::uint64_t least = 0;
  for (Run& run : runs_) {
    if (!take(from, run.first) || !take(from, run.end)) return false;
    if (run.first < least || run.end <= run.first || run.end > kRowMax) return false;
    least = run.end + 1;
  }
  return true;
}

bool RouteTotals::add(const Telemetry& reading) {
  const auto added = rows.add(reading.row);
  if (added != RowSet::Added::added) return added == RowSet::Added::was_there;
  covered_ms += reading.covers.count();
  const auto distance = distance_of(reading);
  const auto fuel = fuel_of(reading);
  if (distance) distance_mm += *distance;
  if (distance && fuel) {
    fuelled_mm += *distance;
    fuel_ul += *fuel;
  }
  return true;
}

void RouteTotals::merge(const RouteTotals& other) {
  rows.merge(other.rows);
  covered_ms += other.covered_ms;
  distance_mm += other.distance_mm;
  fuelled_mm += other.fuelled_mm;
  fuel_ul += other.fuel_ul;
}

std::optional<double> RouteTotals::litres_per_100_km() const {
  if (fuelled_mm == 0 || fuel_ul == 0) return std::nullopt;
  return static_cast<double>(fuel_ul) / static_cast<double>(fuelled_mm) * 100;
}

void RouteTotals::encode(Buffer& to) const {
  rows.encode(to);
  for (const std::int64_t sum : {covered_ms, distance_mm, fuelled_mm, fuel_ul}) append_le(to, sum);
}

bool RouteTotals::decode(ByteView from) {
  if (!rows.decode(from)) return false;
  for (std::int64_t* sum : {&covered_ms, &distance_mm, &fuelled_mm, &fuel_ul})
    if (!take(from, *sum)) return false;
  return from.empty();
}

}  // namespace adbrook::cars
