#include "base/time.h"

#include <array>
#include <charconv>
#include <cstdio>

namespace adbrook {
namespace {

Error bad_time(std::string_view text) {
  return {ErrorKind::invalid, "time '" + std::string(text.substr(0, 64)) +
                                  "' cannot be read: it is neither RFC 3339 like "
                                  "2013-05-17T13:50:01Z nor whole milliseconds since 1970"};
}

// Reads exactly `digits` decimal digits at `at`; moves `at` behind them.
bool read_digits(std::string_view text, std::size_t& at, int digits, int& value) {
  value = 0;
  for (int i = 0; i < digits; ++i, ++at) {
    if (at >= text.size() || text[at] < '0' || text[at] > '9') return false;
    value = value * 10 + (text[at] - '0');
  }
  return true;
}

bool read_mark(std::string_view text, std::size_t& at, std::string_view allowed) {
  if (at >= text.size() || allowed.find(text[at]) == std::string_view::npos) return false;
  ++at;
  return true;
}

bool read_fraction(std::string_view text, std::size_t& at, int& millis) {
  millis = 0;
  if (at >= text.size() || text[at] != '.') return true;
  const std::size_t first = ++at;
  int scale = 100;
  while (at < text.size() && text[at] >= '0' && text[at] <= '9' && at - first < 9) {
    millis += (text[at] - '0') * scale;
    scale /= 10;
    ++at;
  }
  return at > first;
}

bool read_zone(std::string_view text, std::size_t& at, int& minutes) {
  minutes = 0;
  if (at < text.size() && (text[at] == 'Z' || text[at] == 'z')) {
    ++at;
    return true;
  }
  if (at >= text.size() || (text[at] != '+' && text[at] != '-')) return false;
  const int sign = text[at++] == '-' ? -1 : 1;
  int hour = 0, minute = 0;
  if (!read_digits(text, at, 2, hour) || !read_mark(text, at, ":")) return false;
  if (!read_digits(text, at, 2, minute) || hour > 23 || minute > 59) return false;
  minutes = sign * (hour * 60 + minute);
  return true;
}

struct Unit {
  std::string_view name;
  std::int64_t ms;
};
constexpr std::array<Unit, 7> kUnits = {{{"d", 86'400'000},
                                         {"h", 3'600'000},
                                         {"min", 60'000},
                                         {"m", 60'000},
                                         {"s", 1'000},
                                         {"ms", 1},
                                         {"", 1}}};

}  // namespace

std::string format_time(Timestamp time) {
  using namespace std::chrono;
  const std::int64_t day_count = bucket_start(time, Millis(86'400'000)).ms / 86'400'000;
  if (day_count < -719'528 || day_count > 2'932'896) return std::to_string(time.ms);
  const auto day = sys_days(days(day_count));
  const year_month_day date(day);
  const std::int64_t rest = time.ms - day_count * 86'400'000;
  std::array<char, 40> out;
  const int size = std::snprintf(
      out.data(), out.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(rest / 3'600'000), static_cast<int>(rest / 60'000 % 60),
      static_cast<int>(rest / 1000 % 60), static_cast<int>(rest % 1000));
  return {out.data(), static_cast<std::size_t>(size)};
}

Result<Timestamp> parse_time(std::string_view text) {
  std::int64_t plain = 0;
  const auto* end = text.data() + text.size();
  if (auto [at, ec] = std::from_chars(text.data(), end, plain); ec == std::errc{} && at == end) {
    if (plain < Timestamp::lowest().ms || plain > Timestamp::highest().ms)
      return std::unexpected(bad_time(text));
    return Timestamp{plain};
  }
  std::size_t at = 0;
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, millis = 0, zone = 0;
  const bool shape = read_digits(text, at, 4, year) && read_mark(text, at, "-") &&
                     read_digits(text, at, 2, month) && read_mark(text, at, "-") &&
                     read_digits(text, at, 2, day) && read_mark(text, at, "Tt ") &&
                     read_digits(text, at, 2, hour) && read_mark(text, at, ":") &&
                     read_digits(text, at, 2, minute) && read_mark(text, at, ":") &&
                     read_digits(text, at, 2, second) && read_fraction(text, at, millis) &&
                     read_zone(text, at, zone) && at == text.size();
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!shape || !date.ok() || hour > 23 || minute > 59 || second > 60)
    return std::unexpected(bad_time(text));
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t seconds = days * 86'400 + hour * 3600 + (minute - zone) * 60 + second;
  return Timestamp{seconds * 1000 + millis};
}

Result<Millis> parse_duration(std::string_view text) {
  std::int64_t count = 0;
  const auto* end = text.data() + text.size();
  auto [at, ec] = std::from_chars(text.data(), end, count);
  const std::string_view unit(at, static_cast<std::size_t>(end - at));
  if (ec == std::errc{}) {
    for (const Unit& known : kUnits) {
      std::int64_t ms = 0;
      if (unit == known.name && !__builtin_mul_overflow(count, known.ms, &ms)) return Millis(ms);
    }
  }
  return fail(ErrorKind::invalid,
              "duration '" + std::string(text.substr(0, 64)) +
                  "' cannot be read: write a whole number and ms, s, m, h or d, "
                  "like 250ms, 10s or 24h");
}

std::string format_duration(Millis duration) {
  const std::int64_t ms = duration.count();
  for (const Unit& unit : kUnits) {
    if (unit.name == "m" || unit.name.empty()) continue;
    if (ms != 0 && ms % unit.ms == 0) return std::to_string(ms / unit.ms) + std::string(unit.name);
  }
  return std::to_string(ms) + "ms";
}

}  // namespace adbrook
