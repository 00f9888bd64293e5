#include "log/cleanup_policy.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>

namespace adbrook::log {
namespace {

// Longer times are as good as for ever, and this one can be counted with.
constexpr std::int64_t kTimeMost = 1'000'000'000'000'000;
constexpr std::int64_t kInt64Max = std::numeric_limits<std::int64_t>::max();

template <class T>
void read_number(const TopicConfig& config, const char* name, T& number) {
  const auto given = config.given.find(name);
  if (given == config.given.end()) return;
  const std::string& text = given->second;
  T value{};
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && stop == text.data() + text.size() && value >= 0) number = value;
}

void read_time(const TopicConfig& config, const char* name, Millis& time) {
  std::int64_t number = time.count();
  read_number(config, name, number);
  time = Millis(std::min(number, kTimeMost));
}

}  // namespace

CleanupPolicy cleanup_policy(const TopicConfig& config) {
  CleanupPolicy policy;
  if (const auto given = config.given.find("cleanup.policy"); given != config.given.end()) {
    policy.by_retention = given->second.find("delete") != std::string::npos;
    policy.by_key = given->second.find("compact") != std::string::npos;
  }
  read_time(config, "delete.retention.ms", policy.delete_retention);
  read_time(config, "min.compaction.lag.ms", policy.lag_min);
  std::int64_t lag_max = kInt64Max;
  read_number(config, "max.compaction.lag.ms", lag_max);
  if (lag_max != kInt64Max) policy.lag_max = Millis(std::min(lag_max, kTimeMost));
  read_number(config, "min.cleanable.dirty.ratio", policy.dirty_ratio_min);
  return policy;
}

}  // namespace adbrook::log
