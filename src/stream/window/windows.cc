#include "stream/window/windows.h"

namespace adbrook::stream {

namespace {

std::unexpected<Error> wrong(const std::string& store, const std::string& what) {
  return fail(ErrorKind::invalid, "the windows of store " + store + " " + what);
}

Result<void> check_times(const std::string& store, Millis length, Millis grace, Millis retention) {
  if (grace < Millis(0))
    return wrong(store, "have a negative grace of " + format_duration(grace) + "; use 0 for none");
  if (retention != Millis(0) && retention < length + grace)
    return wrong(store, "are kept for " + format_duration(retention) + ", but take records for " +
                            format_duration(length + grace) +
                            " (with the grace); make the retention at least that long");
  return {};
}

std::string kept_for(Millis retention) {
  return retention == Millis(0) ? "" : " kept " + format_duration(retention);
}

}  // namespace

Millis bucket_for(Millis length) {
  return std::clamp<Millis>(length, std::chrono::seconds(1), std::chrono::hours(24));
}

std::string describe(const HoppingWindow& window) {
  return "windows of " + format_duration(window.size) + " every " +
         format_duration(window.advance) + " grace " + format_duration(window.grace) +
         kept_for(window.retention);
}

std::string describe(const SessionWindow& window) {
  return "sessions by gaps of " + format_duration(window.gap) + " grace " +
         format_duration(window.grace) + kept_for(window.retention);
}

Result<void> check_window(const std::string& store, const HoppingWindow& window) {
  if (window.size <= Millis(0) || window.advance <= Millis(0))
    return wrong(store, "have a size of " + format_duration(window.size) + " and begin every " +
                            format_duration(window.advance) + "; both must be at least 1 ms");
  if (window.advance > window.size)
    return wrong(store, "begin every " + format_duration(window.advance) + " but hold only " +
                            format_duration(window.size) +
                            ", so that some records lie in none; make the size at least as long");
  return check_times(store, window.size, window.grace, window.retention);
}

Result<void> check_window(const std::string& store, const SessionWindow& window) {
  if (window.gap <= Millis(0))
    return wrong(store, "are sessions with a gap of " + format_duration(window.gap) +
                            "; it must be at least 1 ms");
  return check_times(store, window.gap, window.grace, window.retention);
}

}  // namespace adbrook::stream
