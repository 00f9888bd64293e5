#include "broker/call.h"

#include <map>

#include "base/metrics.h"

namespace adbrook::broker {

void count_errors(Metrics& metrics, const std::vector<protocol::ErrorCode>& errors) {
  std::map<protocol::ErrorCode, std::uint64_t> counts;  // an answer may have a code a million times
  for (const protocol::ErrorCode code : errors) ++counts[code];
  for (const auto& [code, count] : counts)
    metrics
        .counter("adbrook_kafka_errors_total", "Error codes in answers to Kafka requests.",
                 {{"code", std::string(protocol::to_string(code))}})
        .add(count);
}

}  // namespace adbrook::broker
