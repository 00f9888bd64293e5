#include "bus/kafka_consumer.h"

#include <array>

#include "base/assert.h"
#include "base/text.h"
#include "bus/kafka_handle.h"

namespace adbrook::bus {
namespace {

std::optional<ByteView> bytes_of(const void* begin, std::size_t size) {
  if (begin == nullptr) return std::nullopt;
  return ByteView(static_cast<const std::byte*>(begin), size);
}

std::vector<KafkaHeader> headers_of(const rd_kafka_message_t* message) {
  rd_kafka_headers_t* headers = nullptr;
  std::vector<KafkaHeader> found;
  if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return found;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i)
    found.push_back({name, bytes_of(value, size)});
  return found;
}

KafkaRecord record_of(const rd_kafka_message_t* message) {
  KafkaRecord record;
  record.topic = rd_kafka_topic_name(message->rkt);
  record.partition = message->partition;
  record.offset = Offset{message->offset};
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  const std::int64_t time = rd_kafka_message_timestamp(message, &type);
  if (type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) record.time = Timestamp{time};
  record.key = bytes_of(message->key, message->key_len);
  record.value = bytes_of(message->payload, message->len);
  record.headers = headers_of(message);
  return record;
}

// What passes by itself: librdkafka goes on trying, and the next poll may bring records.
bool passes_by_itself(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN: return true;
    default: return false;
  }
}

}  // namespace

struct KafkaConsumer::State {
  KafkaHandle handle;
  KafkaTopicHandle topic;  // of start(): before the queue in age, after it in death
  std::vector<std::int32_t> started;
  KafkaQueue queue;
  KafkaMessage message;  // the last record polled
  bool in_group = false;
  bool closed = false;

  ~State() {
    message.reset();
    for (const auto number : started) rd_kafka_consume_stop(topic.get(), number);
    if (in_group && !closed) rd_kafka_consumer_close(handle.get());
  }
};

KafkaConsumer::KafkaConsumer(std::unique_ptr<State> state) : state_(std::move(state)) {}
KafkaConsumer::KafkaConsumer(KafkaConsumer&&) noexcept = default;
KafkaConsumer& KafkaConsumer::operator=(KafkaConsumer&&) noexcept = default;
KafkaConsumer::~KafkaConsumer() = default;

Result<KafkaConsumer> KafkaConsumer::open(const KafkaOptions& options) {
  const std::array<KafkaProperty, 2> defaults = {
      {{"enable.partition.eof", "true"}, {"enable.auto.commit", "false"}}};
  auto handle = KafkaHandle::open(RD_KAFKA_CONSUMER, options, defaults);
  if (!handle) return pass(std::move(handle.error()));
  auto state = std::make_unique<State>();
  state->handle = std::move(*handle);
  state->queue.reset(rd_kafka_queue_new(state->handle.get()));
  return KafkaConsumer(std::move(state));
}

Result<KafkaConsumer> KafkaConsumer::join(const KafkaOptions& options, const std::string& group,
                                          const std::string& topic) {
  // An offset is stored only by done_with(), so nothing is committed before it was processed.
  const std::array<KafkaProperty, 5> defaults = {{{"group.id", group},
                                                  {"enable.partition.eof", "true"},
                                                  {"enable.auto.commit", "true"},
                                                  {"auto.commit.interval.ms", "5000"},
                                                  {"enable.auto.offset.store", "false"}}};
  auto handle = KafkaHandle::open(RD_KAFKA_CONSUMER, options, defaults);
  if (!handle) return pass(std::move(handle.error()));
  auto state = std::make_unique<State>();
  state->handle = std::move(*handle);
  state->in_group = true;
  rd_kafka_poll_set_consumer(state->handle.get());
  const Commit::Position wanted{{topic, RD_KAFKA_PARTITION_UA}, Offset{RD_KAFKA_OFFSET_INVALID}};
  const auto list = kafka_list({&wanted, 1});
  if (const auto code = rd_kafka_subscribe(state->handle.get(), list.get());
      code != RD_KAFKA_RESP_ERR_NO_ERROR)
    return pass(state->handle.error("join group '" + printable(group) + "'", code));
  return KafkaConsumer(std::move(state));
}

Result<std::vector<Ends>> KafkaConsumer::ends(std::span<const Partition> partitions) {
  std::vector<Ends> found(partitions.size());
  for (const std::int64_t time : {kEarliest, kLatest}) {
    std::vector<Commit::Position> asked;
    for (const auto& partition : partitions) asked.push_back({partition, Offset{time}});
    const auto list = kafka_list(asked);
    const auto code =
        rd_kafka_offsets_for_times(state_->handle.get(), list.get(), state_->handle.patience_ms());
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
      return pass(state_->handle.error("ask for the ends of the partitions", code));
    for (std::size_t i = 0; i < found.size(); ++i) {
      const auto& answer = list->elems[i];
      if (answer.err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return pass(state_->handle.error("ask for the ends of " + printable(answer.topic) + "-" +
                                             std::to_string(answer.partition),
                                         answer.err));
      (time == kEarliest ? found[i].start : found[i].end) = Offset{answer.offset};
    }
  }
  return found;
}

Result<void> KafkaConsumer::start(std::span<const Commit::Position> positions) {
  ADBROOK_ASSERT(!state_->in_group && state_->topic == nullptr, "start() is called once");
  if (positions.empty()) return {};
  const std::string& name = positions.front().partition.topic;
  state_->topic.reset(rd_kafka_topic_new(state_->handle.get(), name.c_str(), nullptr));
  if (state_->topic == nullptr)
    return pass(
        state_->handle.error("read topic '" + printable(name) + "'", rd_kafka_last_error()));
  for (const auto& position : positions) {
    if (rd_kafka_consume_start_queue(state_->topic.get(), position.partition.number,
                                     position.offset.value, state_->queue.get()) != 0)
      return pass(state_->handle.error(
          "read " + printable(name) + "-" + std::to_string(position.partition.number),
          rd_kafka_last_error()));
    state_->started.push_back(position.partition.number);
  }
  return {};
}

Result<KafkaPolled> KafkaConsumer::poll(Millis patience) {
  const int wait_ms = static_cast<int>(patience.count());
  state_->message.reset(state_->in_group ? rd_kafka_consumer_poll(state_->handle.get(), wait_ms)
                                         : rd_kafka_consume_queue(state_->queue.get(), wait_ms));
  const auto* message = state_->message.get();
  if (message == nullptr) return KafkaPolled{};
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
    return KafkaPolled{KafkaPolled::Kind::record, record_of(message)};
  if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    KafkaPolled end{KafkaPolled::Kind::end_of_partition, {}};
    end.record.topic = rd_kafka_topic_name(message->rkt);
    end.record.partition = message->partition;
    end.record.offset = Offset{message->offset};
    return end;
  }
  if (passes_by_itself(message->err)) return KafkaPolled{};
  return pass(state_->handle.error("read records", message->err, rd_kafka_message_errstr(message)));
}

std::vector<Partition> KafkaConsumer::assigned() const {
  rd_kafka_topic_partition_list_t* answer = nullptr;
  if (rd_kafka_assignment(state_->handle.get(), &answer) != RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  const KafkaPartitionList list(answer);
  std::vector<Partition> partitions;
  for (auto& position : kafka_positions(*list)) partitions.push_back(std::move(position.partition));
  return partitions;
}

void KafkaConsumer::done_with(std::span<const Commit::Position> positions) {
  // A partition that went to another member meanwhile is refused, and rightly so: its new owner
  // reads those records again.
  const auto list = kafka_list(positions);
  static_cast<void>(rd_kafka_offsets_store(state_->handle.get(), list.get()));
}

Result<void> KafkaConsumer::close() {
  state_->message.reset();
  if (!state_->in_group || state_->closed) return {};
  state_->closed = true;
  const auto code = rd_kafka_consumer_close(state_->handle.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
    return pass(state_->handle.error("commit and leave the group", code));
  return {};
}

}  // namespace adbrook::bus
