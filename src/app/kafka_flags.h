// What every command that talks to a Kafka cluster shares: its connection flags, its exit codes and
// its questions.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "app/console.h"
#include "app/kafka_arguments.h"
#include "base/result.h"
#include "bus/kafka_admin.h"
#include "bus/kafka_options.h"

namespace adbrook::app {

// From --bootstrap, -X and --timeout.
Result<bus::KafkaOptions> kafka_options(const KafkaArguments& arguments);

// A client for what an operator asks of the cluster.
Result<bus::KafkaAdmin> open_admin(const KafkaArguments& arguments);

// KEY and VALUE of each text. `flag` is what the error names.
Result<std::vector<std::pair<std::string, std::string>>> split_pairs(
    const std::vector<std::string>& texts, std::string_view flag);

// Complains. 1 when the cluster said no (not there, there already, in use), 2 when it refused what
// was asked, 3 when it could not be reached.
int fail_kafka(Console& console, const Error& error);

// Asks on a terminal whether to go on; true without asking when stdin is none.
bool confirm(Console& console, std::string_view question);

}  // namespace adbrook::app
