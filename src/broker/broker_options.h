// What can be set about the Kafka endpoint, under Kafka's names where Kafka has one.
#pragma once

#include <string>
#include <tuple>
#include <vector>

#include "base/settings.h"

namespace adbrook::broker {

struct BrokerOptions {
  std::vector<std::string> listen{"127.0.0.1:9092"};
  std::vector<std::string> advertise;
  std::int64_t node_id = 1;
  std::int64_t connections_max = 20'000;
  Bytes request_max = 100_MiB;
  Bytes requests_max = 512_MiB;
  Bytes answers_max = 512_MiB;
  Bytes fetch_max = 55_MiB;
  Bytes decompressed_max = 64_MiB;
  Millis idle_timeout{600'000};
  Millis request_timeout{30'000};
  Millis write_timeout{30'000};
  bool auto_create = true;
  std::int64_t partitions = 1;
  Millis retention{std::int64_t{7} * 86'400'000};
  Bytes retention_bytes{-1};
  Bytes message_max{1'048'588};
  bool check_compressed = true;
  bool clamp_replication = false;
  Millis transaction_timeout_max{900'000};
  Millis transactional_id_expiration{std::int64_t{7} * 86'400'000};

  template <class O = BrokerOptions>
  static constexpr auto settings() {
    using Texts = std::vector<std::string>;
    return std::tuple{
        Setting<O, Texts>{"listen", &O::listen, std::nullopt, std::nullopt,
                          "HOST:PORT of each Kafka listener; port 0 takes any free one."},
        Setting<O, Texts>{"advertise", &O::advertise, std::nullopt, std::nullopt,
                          "HOST:PORT that clients are told, one per listener; empty tells each the "
                          "address it came in by."},
        Setting<O, std::int64_t>{"node.id", &O::node_id, 0, 1'000'000,
                                 "The number of this broker in answers to clients."},
        Setting<O, std::int64_t>{"max.connections", &O::connections_max, 1, 1'000'000,
                                 "Open connections; each costs up to 16 KiB while it is idle."},
        Setting<O, Bytes>{"socket.request.max.bytes", &O::request_max, 1_KiB, 2047_MiB,
                          "Largest request; a connection that announces more is closed."},
        Setting<O, Bytes>{"queued.max.request.bytes", &O::requests_max, 1_MiB,
                          Bytes{std::int64_t{1} << 40},
                          "All requests that are being received or handled; above it connections "
                          "are closed."},
        Setting<O, Bytes>{"answers.max.bytes", &O::answers_max, 1_MiB, Bytes{std::int64_t{1} << 40},
                          "Fetched bytes on their way to clients; above it fetches get less."},
        Setting<O, Bytes>{"fetch.max.bytes", &O::fetch_max, 1_KiB, 1024_MiB,
                          "Most that one fetch is given, whatever it asks for."},
        // No more than the streams read, which would stop at a larger one (stream/input.h).
        Setting<O, Bytes>{"decompressed.max.bytes", &O::decompressed_max, 1_MiB, 64_MiB,
                          "What a compressed batch may become; a larger one is refused."},
        Setting<O, Millis>{"connections.max.idle.ms", &O::idle_timeout, Millis(10), std::nullopt,
                           "How long a connection may stay open between two requests."},
        Setting<O, Millis>{"request.receive.timeout.ms", &O::request_timeout, Millis(10),
                           std::nullopt, "How long the rest of a begun request may take to come."},
        Setting<O, Millis>{"write.timeout.ms", &O::write_timeout, Millis(10), std::nullopt,
                           "How long a client may take to accept an answer."},
        Setting<O, bool>{"auto.create.topics.enable",
                         &O::auto_create,
                         {},
                         {},
                         "Makes a topic when a client first asks for it."},
        Setting<O, std::int64_t>{"num.partitions", &O::partitions, 1, 10'000,
                                 "Partitions of a topic whose maker names no number."},
        Setting<O, Millis>{
            "log.retention.ms", &O::retention, Millis(-1), std::nullopt,
            "How long a topic that a client makes keeps its records, unless its maker "
            "says; -1 for ever."},
        Setting<O, Bytes>{"log.retention.bytes", &O::retention_bytes, Bytes{-1}, std::nullopt,
                          "What such a topic keeps per partition; -1 has no limit."},
        Setting<O, Bytes>{"message.max.bytes", &O::message_max, Bytes{1}, 1024_MiB,
                          "Largest batch in such a topic."},
        Setting<O, bool>{"check.compressed",
                         &O::check_compressed,
                         {},
                         {},
                         "Looks into compressed batches before they are taken; false trusts "
                         "producers and saves their decompression."},
        Setting<O, bool>{"compat.replication.clamp",
                         &O::clamp_replication,
                         {},
                         {},
                         "Takes a replication factor above 1 as 1 instead of refusing it."},
        Setting<O, Millis>{"transaction.max.timeout.ms", &O::transaction_timeout_max, Millis(1),
                           Millis(2'147'483'647),
                           "Longest transaction that a producer may ask for; readers of committed "
                           "records wait that long for one that hangs."},
        Setting<O, Millis>{"transactional.id.expiration.ms", &O::transactional_id_expiration,
                           Millis(1), std::nullopt,
                           "How long a transactional id without a transaction is remembered."},
    };
  }
};

}  // namespace adbrook::broker
