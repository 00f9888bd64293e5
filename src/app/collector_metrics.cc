#include "app/collector_metrics.h"

#include "base/text.h"

namespace adbrook::app {
namespace {

constexpr std::size_t kNameSizeMax = 64;

}  // namespace

Counter& CollectorMetrics::accepted(std::string_view topic, std::string_view source) {
  return metrics_.counter("adbrook_events_received_total",
                          "Events acknowledged as durable, by topic and way in.",
                          {{"topic", std::string(topic)}, {"source", std::string(source)}});
}

Counter& CollectorMetrics::refused(std::string_view topic, ads::Reason reason) {
  return metrics_.counter(
      "adbrook_events_refused_total", "Events refused at the edge, by topic and reason.",
      {{"topic", std::string(topic)}, {"reason", std::string(to_string(reason))}});
}

void CollectorMetrics::count_unknown(std::string_view topic,
                                     std::span<const std::string_view> names) {
  for (const std::string_view name : names) {
    const std::lock_guard lock(mutex_);
    std::string key = std::string(topic) + ":" + printable(name, kNameSizeMax);
    auto found = unknown_.find(key);
    if (found == unknown_.end()) {
      const bool full = unknown_.size() >= kUnknownNamesMax;
      if (full) key = std::string(topic) + ":other";
      Counter& counter = metrics_.counter(
          "adbrook_events_unknown_fields_total", "Fields nobody knows, kept with their event.",
          {{"topic", std::string(topic)},
           {"field", full ? "other" : printable(name, kNameSizeMax)}});
      found = unknown_.try_emplace(std::move(key), &counter).first;
    }
    found->second->add();
  }
}

}  // namespace adbrook::app
