// Sends records to any Kafka cluster and tells for each one what became of it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "bus/bus.h"
#include "bus/kafka_options.h"

namespace adbrook::bus {

struct KafkaOutgoing {
  std::string topic;
  std::int32_t partition = -1;  // -1: by the key, as Kafka's own clients choose it
  std::optional<ByteView> key;
  std::optional<ByteView> value;  // absent: a tombstone
  std::vector<std::pair<std::string, std::string>> headers;
};

// What became of one record.
struct KafkaDelivery {
  std::uint64_t number = 0;  // as it was given to send()
  Partition partition;
  Result<Offset> offset;  // -1 when the broker was told not to answer (acks 0)
};

// Owned by one thread: deliveries are told inside send(), poll() and flush().
class KafkaProducer {
 public:
  using OnDelivery = std::function<void(const KafkaDelivery&)>;

  static Result<KafkaProducer> open(const KafkaOptions& options, OnDelivery on_delivery);
  KafkaProducer(KafkaProducer&&) noexcept;
  KafkaProducer& operator=(KafkaProducer&&) noexcept;
  // Forgets what was not delivered; call flush() and abandon() before.
  ~KafkaProducer();

  // Takes a copy of the record into the queue. overloaded: the queue is full, so poll() first. Any
  // other error is about this record, which will have no delivery.
  Result<void> send(const KafkaOutgoing& record, std::uint64_t number);

  // Waits at most `patience` for deliveries.
  void poll(Millis patience);

  // Waits at most `patience` until every record has its delivery; how many have none.
  std::size_t flush(Millis patience);

  // Gives up every record that has no delivery yet: each gets one, as `closed`. Whether a record
  // that was under way arrived is then unknown.
  void abandon();

 private:
  struct State;
  explicit KafkaProducer(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace adbrook::bus
