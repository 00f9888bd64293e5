#include "app/kafka_replay.h"

#include <algorithm>
#include <optional>

#include "app/kafka_exchange.h"
#include "base/text.h"
#include "protocol/k01_fetch.h"
#include "protocol/k02_list_offsets.h"
#include "protocol/k03_metadata.h"
#include "protocol/k18_api_versions.h"

namespace adbrook::app {
namespace {

using protocol::Api;
using protocol::ErrorCode;

// Newest versions that name topics by name: all that this replay needs.
constexpr std::int16_t kMetadataVersionMax = 9;
constexpr std::int16_t kListOffsetsVersionMax = 5;
constexpr std::int16_t kFetchVersionMax = 11;
constexpr std::int32_t kFetchBytes = 1 << 20;
constexpr std::size_t kFetchTriesMax = 8;  // partitions, to find one with a record

constexpr std::string_view kAdvertiseFix =
    "tell the broker what to advertise: kafka.advertise of adbrook serve, advertised.listeners of "
    "Apache Kafka";

std::string place(const std::string& host, int port) {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host.starts_with("127.") || host == "::1";
}
bool is_wildcard(const std::string& host) {
  return host.empty() || host == "0.0.0.0" || host == "::";
}

std::string counted(std::size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

struct AdvertisedBroker {
  std::int32_t id;
  std::string host;
  int port;
};

// A partition that can be read, and who leads it.
struct Readable {
  std::string topic;
  std::int32_t partition;
  std::int32_t leader;
};

class Replay {
 public:
  Replay(io::Network& network, const http::HostPort& bootstrap, Millis patience)
      : network_(network), bootstrap_(bootstrap), patience_(patience) {}

  std::vector<Finding> run() {
    auto first = connect_first();
    if (!first || !ask_versions(*first) || !ask_metadata(*first)) return std::move(findings_);
    first.reset();
    for (const auto& broker : brokers_) visit(broker);
    fetch();
    return std::move(findings_);
  }

 private:
  void add(std::string hop, Health health, std::string seen, std::string_view fix) {
    findings_.push_back({std::move(hop), health, std::move(seen), std::string(fix)});
  }

  std::optional<KafkaExchange> connect_first() {
    const std::string where = place(bootstrap_.host, bootstrap_.port);
    auto made = KafkaExchange::connect(network_, bootstrap_.host, bootstrap_.port, patience_);
    if (!made) {
      add("connect to " + where, Health::bad, made.error().message,
          "start the broker, or correct the address; across machines or containers, publish the "
          "port and open the firewall");
      return std::nullopt;
    }
    add("connect to " + where, Health::good, "it accepts connections", "");
    return std::move(*made);
  }

  bool ask_versions(KafkaExchange& broker) {
    const auto answer =
        broker.ask<protocol::ApiVersionsResponse>(protocol::ApiVersionsRequest{}, 0);
    if (!answer) {
      add("ApiVersions", Health::bad, answer.error().message,
          "this port does not speak plaintext Kafka: name the Kafka port, or give clients "
          "security.protocol=SSL or SASL_SSL when it wants TLS");
      return false;
    }
    if (answer->error_code != ErrorCode::none) {
      add("ApiVersions", Health::bad, "it answers with error " + code_text(answer->error_code),
          "the broker's log says why");
      return false;
    }
    apis_ = answer->api_keys;
    add("ApiVersions", Health::good, "it speaks " + std::to_string(apis_.size()) + " APIs", "");
    return true;
  }

  bool ask_metadata(KafkaExchange& broker) {
    const auto version = version_of(protocol::kMetadata, kMetadataVersionMax);
    if (!version) {
      add("Metadata", Health::bad, "it does not offer it in a version that clients use",
          "name the listener of a broker, not that of a controller");
      return false;
    }
    protocol::MetadataRequest request;
    if (*version > 0) request.topics.reset();  // all of them
    request.allow_auto_topic_creation = false;
    const auto answer = broker.ask<protocol::MetadataResponse>(request, *version);
    if (!answer || answer->brokers.empty()) {
      add("Metadata", Health::bad, answer ? "it names no broker" : answer.error().message,
          answer ? kAdvertiseFix
                 : "the listener may want SASL: give clients security.protocol and sasl.*");
      return false;
    }
    for (const auto& named : answer->brokers)
      brokers_.push_back({named.node_id, std::string(named.host), named.port});
    cluster_ = std::string(answer->cluster_id.value_or(""));
    remember_readable(*answer);
    add("Metadata", Health::good,
        counted(brokers_.size(), "broker") + ", " + counted(answer->topics.size(), "topic"), "");
    return true;
  }

  void remember_readable(const protocol::MetadataResponse& answer) {
    for (const auto& topic : answer.topics)
      for (const auto& partition : topic.partitions)
        if (readable_.size() < kFetchTriesMax && !topic.is_internal && topic.name &&
            partition.leader_id >= 0)
          readable_.push_back(
              {std::string(*topic.name), partition.partition_index, partition.leader_id});
  }

  // Connects as a client would next: to what the broker says of itself.
  void visit(const AdvertisedBroker& broker) {
    const std::string where = place(broker.host, broker.port);
    const std::string hop = "broker " + std::to_string(broker.id) + " at " + where;
    if (is_wildcard(broker.host))
      return add(hop, Health::bad, "clients are sent to an address that is no place",
                 kAdvertiseFix);
    auto made = KafkaExchange::connect(network_, broker.host,
                                       static_cast<std::uint16_t>(broker.port), patience_);
    if (!made)
      return add(hop, Health::bad, "clients are sent there, and: " + made.error().message,
                 std::string(kAdvertiseFix) + "; it must be reachable from where clients run");
    const auto cluster = cluster_behind(*made);
    if (!cluster)
      return add(hop, Health::bad, "clients are sent there, and: " + cluster.error().message,
                 kAdvertiseFix);
    if (*cluster != cluster_)
      return add(hop, Health::bad,
                 "another cluster answers there ('" + printable(*cluster) + "', not '" +
                     printable(cluster_) + "')",
                 kAdvertiseFix);
    if (is_loopback(broker.host) && !is_loopback(bootstrap_.host))
      return add(hop, Health::warning,
                 "it works here, but clients on other machines are sent to themselves",
                 kAdvertiseFix);
    add(hop, Health::good, "the advertised address answers", "");
  }

  Result<std::string> cluster_behind(KafkaExchange& broker) {
    protocol::MetadataRequest request;
    request.topics.emplace();
    request.allow_auto_topic_creation = false;
    const auto version = version_of(protocol::kMetadata, kMetadataVersionMax).value_or(1);
    const auto answer = broker.ask<protocol::MetadataResponse>(request, version);
    if (!answer) return pass(answer.error());
    return std::string(answer->cluster_id.value_or(""));
  }

  // Reads from the first partition that has a record, or says which one fails.
  void fetch() {
    std::string seen = "there is no partition to try";
    for (const auto& partition : readable_) {
      const std::string what =
          "fetch " + printable(partition.topic) + "-" + std::to_string(partition.partition);
      const auto read = read_from_leader(partition);
      if (!read)
        return add(what, Health::bad, read.error().message,
                   "the hop above, or the broker's log, says why");
      if (*read) return add(what, Health::good, **read, "");
      seen = "no record in the first " + std::to_string(readable_.size()) + " partitions";
    }
    add("fetch", Health::good, seen, "");
  }

  // What was read; nothing when the partition is empty.
  Result<std::optional<std::string>> read_from_leader(const Readable& partition) {
    const auto leader = std::find_if(brokers_.begin(), brokers_.end(), [&](const auto& broker) {
      return broker.id == partition.leader;
    });
    if (leader == brokers_.end())
      return fail(ErrorKind::io_failed, "its leader is not among the brokers that were named");
    auto made = KafkaExchange::connect(network_, leader->host,
                                       static_cast<std::uint16_t>(leader->port), patience_);
    if (!made) return pass(made.error());
    return read_last(*made, partition);
  }

  Result<std::optional<std::string>> read_last(KafkaExchange& leader, const Readable& from) {
    const auto end = offset_at(leader, from, -1);
    if (!end) return pass(end.error());
    const auto begin = offset_at(leader, from, -2);
    if (!begin) return pass(begin.error());
    const std::string range = "offsets " + std::to_string(*begin) + " to " + std::to_string(*end);
    if (*begin == *end) return std::nullopt;
    const auto version = version_of(protocol::kFetch, kFetchVersionMax);
    if (!version) return fail(ErrorKind::unsupported, "no version of Fetch in common");
    protocol::FetchRequest request;
    request.max_wait_ms = 0;
    request.max_bytes = kFetchBytes;
    protocol::FetchRequest::Partition partition;
    partition.partition = from.partition;
    partition.fetch_offset = *end - 1;
    partition.partition_max_bytes = kFetchBytes;
    request.topics.push_back({from.topic, {}, {partition}});
    const auto answer = leader.ask<protocol::FetchResponse>(request, *version);
    if (!answer) return pass(answer.error());
    if (answer->responses.empty() || answer->responses[0].partitions.empty())
      return fail(ErrorKind::corrupt, "the answer to Fetch is without the partition");
    if (const auto code = answer->responses[0].partitions[0].error_code; code != ErrorCode::none)
      return fail(ErrorKind::io_failed, "Fetch answers with error " + code_text(code));
    return range + ", the last one was read";
  }

  Result<std::int64_t> offset_at(KafkaExchange& leader, const Readable& from, std::int64_t time) {
    const auto version = version_of(protocol::kListOffsets, kListOffsetsVersionMax);
    if (!version) return fail(ErrorKind::unsupported, "no version of ListOffsets in common");
    protocol::ListOffsetsRequest request;
    request.replica_id = -1;
    request.topics.push_back({from.topic, {{from.partition, -1, time}}});
    const auto answer = leader.ask<protocol::ListOffsetsResponse>(request, *version);
    if (!answer) return pass(answer.error());
    if (answer->topics.empty() || answer->topics[0].partitions.empty())
      return fail(ErrorKind::corrupt, "the answer to ListOffsets is without the partition");
    const auto& found = answer->topics[0].partitions[0];
    if (found.error_code != ErrorCode::none)
      return fail(ErrorKind::io_failed,
                  "ListOffsets answers with error " + code_text(found.error_code));
    return found.offset;
  }

  // The newest version that both sides speak, up to `most`.
  std::optional<std::int16_t> version_of(const Api& api, std::int16_t most) const {
    for (const auto& spoken : apis_) {
      if (spoken.api_key != api.key) continue;
      const auto version = std::min({spoken.max_version, api.last, most});
      if (version >= std::max(spoken.min_version, api.first)) return version;
    }
    return std::nullopt;
  }

  static std::string code_text(ErrorCode code) { return std::string(protocol::to_string(code)); }

  io::Network& network_;
  const http::HostPort& bootstrap_;
  Millis patience_;
  std::vector<Finding> findings_;
  std::vector<protocol::ApiVersionsResponse::ApiKey> apis_;
  std::vector<AdvertisedBroker> brokers_;
  std::string cluster_;
  std::vector<Readable> readable_;
};

}  // namespace

std::vector<Finding> replay_kafka_client(io::Network& network, const http::HostPort& bootstrap,
                                         Millis patience) {
  return Replay(network, bootstrap, patience).run();
}

}  // namespace adbrook::app
