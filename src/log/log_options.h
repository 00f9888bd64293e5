// What can be set about the log and about a topic, in Kafka's words where Kafka has a word.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "base/settings.h"
#include "record/compression.h"

namespace adbrook::log {

enum class Durability {
  sync,     // acknowledged after fdatasync
  relaxed,  // acknowledged from memory of the kernel; a power loss may take the last moments
};

enum class TimestampType {
  create_time,      // as the producer set it
  log_append_time,  // when the log took the batch
};

struct TopicConfig {
  Millis retention{-1};             // retention.ms; -1 keeps everything; counts from append time
  Bytes retention_bytes{-1};        // retention.bytes, per partition; -1 has no limit
  Bytes segment_bytes = 128_MiB;    // segment.bytes
  Bytes message_bytes_max = 8_MiB;  // max.message.bytes: one batch
  Durability durability = Durability::sync;
  Millis segment_time{604'800'000};  // segment.ms: a segment takes no more after it; -1: only bytes
  TimestampType timestamp_type = TimestampType::create_time;  // message.timestamp.type
  // message.timestamp.before/after.max.ms: how far the times of a client's batch may be from now.
  Millis timestamp_before_max{-1};
  Millis timestamp_after_max{-1};
  // compression.type: a client's batch in another codec is written anew in this one; none keeps
  // the producer's.
  std::optional<record::Compression> compression;
  // What an administrator set, by its Kafka name and as text. Kept and given back; the log goes by
  // the fields above.
  std::map<std::string, std::string> given;
};

struct LogOptions {
  Bytes wal_file_bytes = 32_MiB;
  Bytes append_queue_bytes = 32_MiB;
  Bytes segment_bytes = 128_MiB;
  Millis retention_check{300'000};
  Millis producer_expiration{86'400'000};

  template <class O = LogOptions>
  static constexpr auto settings() {
    // The first two bound one append: no less than a part of a task's commit has at most
    // (stream/task.h).
    return std::tuple{
        Setting<O, Bytes>{"wal.file.bytes", &O::wal_file_bytes, 16_MiB, 1024_MiB,
                          "Size of one write-ahead file; larger ones sync less often and replay "
                          "longer after a crash."},
        Setting<O, Bytes>{
            "append.queue.bytes", &O::append_queue_bytes, 16_MiB, 1024_MiB,
            "Appends waiting for the disk; when it is full senders get 429 and try again."},
        Setting<O, Bytes>{"segment.bytes", &O::segment_bytes, 1_MiB, 2047_MiB,
                          "Start a new segment file at this size; smaller ones free space sooner "
                          "and cost more files."},
        Setting<O, Millis>{"retention.check.interval.ms", &O::retention_check, Millis(100),
                           std::nullopt, "How often old segments are looked for."},
        Setting<O, Millis>{"producer.id.expiration.ms", &O::producer_expiration, Millis(1'000),
                           std::nullopt,
                           "How long a silent idempotent producer is remembered; a repeated batch "
                           "that comes later is taken twice."},
    };
  }
};

}  // namespace adbrook::log
