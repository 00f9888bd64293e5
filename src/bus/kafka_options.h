// How to reach a Kafka cluster, adbrook's own endpoint or any other: the same for every client of
// bus/kafka_*.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/time.h"

namespace adbrook::bus {

struct KafkaOptions {
  std::string bootstrap = "127.0.0.1:9092";  // HOST:PORT, several with commas
  // librdkafka's names, for security and tuning; a later one wins over an earlier one.
  std::vector<std::pair<std::string, std::string>> properties;
  Millis patience{10'000};  // the longest that one question may take
};

// Of librdkafka, as it is loaded.
std::string kafka_client_version();

}  // namespace adbrook::bus
