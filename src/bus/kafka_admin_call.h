// One call of librdkafka's admin client: its options, the wait for its answer, and the answer as an
// owned event. Only kafka_admin*.cc use it.
#pragma once

#include <functional>

#include "bus/kafka_handle.h"

namespace adbrook::bus {

// `ask` starts the call with these options and this queue. Gives the event that answers it, or the
// error of the whole call; errors of single topics or groups are inside the event.
Result<KafkaEvent> ask_kafka(
    const KafkaHandle& handle, rd_kafka_admin_op_t operation, std::string_view what,
    const std::function<void(const rd_kafka_AdminOptions_t*, rd_kafka_queue_t*)>& ask);

// "delete the topic 'x'", for errors.
std::string named(std::string_view action, const std::string& name);

}  // namespace adbrook::bus
