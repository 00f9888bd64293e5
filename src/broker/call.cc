#include "broker/call.h"

#include "base/metrics.h"

namespace adbrook::broker {

void count_errors(Metrics& metrics, const std::vector<protocol::ErrorCode>& errors) {
  for (const protocol::ErrorCode code : errors)
    metrics
        .counter("adbrook_kafka_errors_total", "Error codes in answers to Kafka requests.",
                 {{"code", std::string(protocol::to_string(code))}})
        .add();
}

}  // namespace adbrook::broker
