#include "bus/kafka_producer.h"

#include <array>

#include "base/text.h"
#include "bus/kafka_handle.h"

namespace adbrook::bus {
namespace {

constexpr int kAbandonMillis = 1000;  // purged records have their deliveries at once

std::uint64_t number_of(const rd_kafka_message_t* message) {
  return reinterpret_cast<std::uintptr_t>(message->_private);
}

rd_kafka_vu_t field(rd_kafka_vtype_t type) {
  rd_kafka_vu_t made{};
  made.vtype = type;
  return made;
}

// Librdkafka takes mutable memory and, told to copy, only reads it. An empty value needs an
// address, because none means a tombstone.
rd_kafka_vu_t memory(rd_kafka_vtype_t type, const std::optional<ByteView>& bytes) {
  static constexpr std::byte kNothing{};
  auto made = field(type);
  if (bytes) {
    made.u.mem.ptr = const_cast<std::byte*>(bytes->empty() ? &kNothing : bytes->data());
    made.u.mem.size = bytes->size();
  }
  return made;
}

rd_kafka_vu_t header(const std::pair<std::string, std::string>& from) {
  auto made = field(RD_KAFKA_VTYPE_HEADER);
  made.u.header.name = from.first.c_str();
  made.u.header.val = from.second.data();
  made.u.header.size = static_cast<ssize_t>(from.second.size());
  return made;
}

}  // namespace

struct KafkaProducer::State {
  KafkaHandle handle;
  OnDelivery on_delivery;

  static void delivered(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
    const auto* self = static_cast<State*>(opaque);
    KafkaDelivery delivery{number_of(message),
                           {rd_kafka_topic_name(message->rkt), message->partition},
                           Offset{message->offset}};
    // A report's payload is the record's own value, never words about what went wrong.
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
      delivery.offset = pass(self->handle.error(
          "deliver to '" + printable(delivery.partition.topic) + "'", message->err, nullptr));
    self->on_delivery(delivery);
  }
};

KafkaProducer::KafkaProducer(std::unique_ptr<State> state) : state_(std::move(state)) {}
KafkaProducer::KafkaProducer(KafkaProducer&&) noexcept = default;
KafkaProducer& KafkaProducer::operator=(KafkaProducer&&) noexcept = default;
KafkaProducer::~KafkaProducer() = default;

Result<KafkaProducer> KafkaProducer::open(const KafkaOptions& options, OnDelivery on_delivery) {
  // Equal keys go where Kafka's own clients put them; librdkafka's default is another hash.
  const std::array<KafkaProperty, 2> defaults = {
      {{"partitioner", "murmur2_random"}, {"linger.ms", "5"}}};
  auto state = std::make_unique<State>();
  state->on_delivery = std::move(on_delivery);
  auto handle =
      KafkaHandle::open(RD_KAFKA_PRODUCER, options, defaults, State::delivered, state.get());
  if (!handle) return pass(std::move(handle.error()));
  state->handle = std::move(*handle);
  return KafkaProducer(std::move(state));
}

Result<void> KafkaProducer::send(const KafkaOutgoing& record, std::uint64_t number) {
  std::vector<rd_kafka_vu_t> fields = {field(RD_KAFKA_VTYPE_TOPIC), field(RD_KAFKA_VTYPE_PARTITION),
                                       field(RD_KAFKA_VTYPE_MSGFLAGS), field(RD_KAFKA_VTYPE_OPAQUE),
                                       memory(RD_KAFKA_VTYPE_VALUE, record.value)};
  fields[0].u.cstr = record.topic.c_str();
  fields[1].u.i32 = record.partition < 0 ? RD_KAFKA_PARTITION_UA : record.partition;
  fields[2].u.i = RD_KAFKA_MSG_F_COPY;
  fields[3].u.ptr = reinterpret_cast<void*>(static_cast<std::uintptr_t>(number));
  if (record.key) fields.push_back(memory(RD_KAFKA_VTYPE_KEY, record.key));
  for (const auto& named : record.headers) fields.push_back(header(named));
  const KafkaError error(rd_kafka_produceva(state_->handle.get(), fields.data(), fields.size()));
  rd_kafka_poll(state_->handle.get(), 0);
  if (error == nullptr) return {};
  return pass(state_->handle.error("send to '" + printable(record.topic) + "'", error.get()));
}

void KafkaProducer::poll(Millis patience) {
  rd_kafka_poll(state_->handle.get(), static_cast<int>(patience.count()));
}

std::size_t KafkaProducer::flush(Millis patience) {
  rd_kafka_flush(state_->handle.get(), static_cast<int>(patience.count()));
  return static_cast<std::size_t>(rd_kafka_outq_len(state_->handle.get()));
}

void KafkaProducer::abandon() {
  rd_kafka_purge(state_->handle.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(state_->handle.get(), kAbandonMillis);
}

}  // namespace adbrook::bus
