#include "bus/kafka_admin_call.h"

#include <array>

namespace adbrook::bus {
namespace {

// The answer comes within the request's own time; this much later librdkafka itself is stuck.
constexpr int kGraceMillis = 2000;

using AdminOptions =
    std::unique_ptr<rd_kafka_AdminOptions_t, KafkaFree<rd_kafka_AdminOptions_destroy>>;

bool takes_operation_timeout(rd_kafka_admin_op_t operation) {
  return operation == RD_KAFKA_ADMIN_OP_CREATETOPICS ||
         operation == RD_KAFKA_ADMIN_OP_DELETETOPICS ||
         operation == RD_KAFKA_ADMIN_OP_CREATEPARTITIONS;
}

}  // namespace

Result<KafkaEvent> ask_kafka(
    const KafkaHandle& handle, rd_kafka_admin_op_t operation, std::string_view what,
    const std::function<void(const rd_kafka_AdminOptions_t*, rd_kafka_queue_t*)>& ask) {
  std::array<char, 256> words{};
  const AdminOptions options(rd_kafka_AdminOptions_new(handle.get(), operation));
  if (auto code = rd_kafka_AdminOptions_set_request_timeout(options.get(), handle.patience_ms(),
                                                            words.data(), words.size());
      code != RD_KAFKA_RESP_ERR_NO_ERROR)
    return pass(handle.error(what, code, words.data()));
  if (takes_operation_timeout(operation))
    if (auto code = rd_kafka_AdminOptions_set_operation_timeout(options.get(), handle.patience_ms(),
                                                                words.data(), words.size());
        code != RD_KAFKA_RESP_ERR_NO_ERROR)
      return pass(handle.error(what, code, words.data()));
  const KafkaQueue queue(rd_kafka_queue_new(handle.get()));
  ask(options.get(), queue.get());
  KafkaEvent event(rd_kafka_queue_poll(queue.get(), handle.patience_ms() + kGraceMillis));
  if (event == nullptr) return pass(handle.error(what, RD_KAFKA_RESP_ERR__TIMED_OUT));
  if (const auto code = rd_kafka_event_error(event.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR)
    return pass(handle.error(what, code, rd_kafka_event_error_string(event.get())));
  return event;
}

std::string named(std::string_view action, const std::string& name) {
  return std::string(action) + " '" + printable(name) + "'";
}

}  // namespace adbrook::bus
