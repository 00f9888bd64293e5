// What the collector counts: events taken and refused, and the names of fields nobody knows.
// All labels come from bounded sets, also the names that strangers make up.
#pragma once

#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "ads/event_refusal.h"
#include "base/metrics.h"

namespace adbrook::app {

inline constexpr std::size_t kUnknownNamesMax = 64;

// Thread-safe.
class CollectorMetrics {
 public:
  explicit CollectorMetrics(Metrics& metrics) : metrics_(metrics) {}

  // Acknowledged as durable; `source` is http, pixel or link.
  Counter& accepted(std::string_view topic, std::string_view source);
  Counter& refused(std::string_view topic, ads::Reason reason);
  // Further names than kUnknownNamesMax are counted under "other".
  void count_unknown(std::string_view topic, std::span<const std::string_view> names);

 private:
  Metrics& metrics_;
  std::mutex mutex_;  // guards the names: any thread may meet a new one
  std::map<std::string, Counter*, std::less<>> unknown_;
};

}  // namespace adbrook::app
