// Librdkafka's handle with its life, its complaints and its errors as values. Only bus/kafka_*
// includes this: nobody else sees librdkafka.
#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "bus/bus.h"
#include "bus/kafka_options.h"

namespace adbrook::bus {

// Frees any of librdkafka's objects by the function that belongs to it.
template <auto kFree>
struct KafkaFree {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using KafkaQueue = std::unique_ptr<rd_kafka_queue_t, KafkaFree<rd_kafka_queue_destroy>>;
using KafkaEvent = std::unique_ptr<rd_kafka_event_t, KafkaFree<rd_kafka_event_destroy>>;
using KafkaMessage = std::unique_ptr<rd_kafka_message_t, KafkaFree<rd_kafka_message_destroy>>;
using KafkaTopicHandle = std::unique_ptr<rd_kafka_topic_t, KafkaFree<rd_kafka_topic_destroy>>;
using KafkaError = std::unique_ptr<rd_kafka_error_t, KafkaFree<rd_kafka_error_destroy>>;
using KafkaPartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t,
                                           KafkaFree<rd_kafka_topic_partition_list_destroy>>;

// Times with a meaning of their own in the protocol's ListOffsets.
inline constexpr std::int64_t kLatest = -1;
inline constexpr std::int64_t kEarliest = -2;

using KafkaProperty = std::pair<std::string, std::string>;
using KafkaDeliveryCallback = void (*)(rd_kafka_t*, const rd_kafka_message_t*, void* opaque);

// Librdkafka logs on threads of its own why a broker cannot be reached, while the call that waits
// only gets "timed out". The newest complaint of each handle is kept to name the cause.
class KafkaComplaints {
 public:
  void add(std::string text);
  std::string newest() const;

 private:
  mutable std::mutex mutex_;  // the log comes on librdkafka's threads
  std::string newest_;
};

// One client of one cluster. Thread-safe as librdkafka's handles are. The destructor waits for
// librdkafka's threads, a fraction of a second.
class KafkaHandle {
 public:
  // `defaults` are below options.properties. invalid: a property that librdkafka refuses, with its
  // words. Nothing is connected yet.
  static Result<KafkaHandle> open(rd_kafka_type_t type, const KafkaOptions& options,
                                  std::span<const KafkaProperty> defaults,
                                  KafkaDeliveryCallback on_delivery = nullptr,
                                  void* opaque = nullptr);

  rd_kafka_t* get() const { return handle_.get(); }
  int patience_ms() const { return static_cast<int>(options_.patience.count()); }

  // "<what> at <bootstrap>: <why>; <what to do next>". `words` are the broker's own when it sent
  // some.
  Error error(std::string_view what, rd_kafka_resp_err_t code, const char* words = nullptr) const;
  Error error(std::string_view what, const rd_kafka_error_t* error) const;

 private:
  struct Opaque {
    KafkaComplaints complaints;
    KafkaDeliveryCallback on_delivery;
    void* opaque;
  };
  static void on_log(const rd_kafka_t* handle, int level, const char* facility, const char* text);
  static void on_delivery(rd_kafka_t* handle, const rd_kafka_message_t* message, void* opaque);

  KafkaOptions options_;
  std::unique_ptr<Opaque> opaque_;  // outlives the handle, whose threads write to it
  std::unique_ptr<rd_kafka_t, KafkaFree<rd_kafka_destroy>> handle_;
};

// The kind that fits an error of the broker or of librdkafka.
ErrorKind kafka_error_kind(rd_kafka_resp_err_t code);

// A list of partitions with an offset each, and back.
KafkaPartitionList kafka_list(std::span<const Commit::Position> positions);
std::vector<Commit::Position> kafka_positions(const rd_kafka_topic_partition_list_t& list);

}  // namespace adbrook::bus
