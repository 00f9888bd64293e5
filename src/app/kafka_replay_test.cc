#include "app/kafka_replay.h"

#include <gtest/gtest.h>

#include <memory>

#include "io/thread_executor.h"
#include "protocol/header.h"
#include "protocol/k01_fetch.h"
#include "protocol/k02_list_offsets.h"
#include "protocol/k03_metadata.h"
#include "protocol/k18_api_versions.h"

namespace adbrook::app {
namespace {

constexpr Millis kPatience{5'000};

struct Script {
  std::string cluster = "ours";
  std::string advertised_host = "127.0.0.1";
  int advertised_port = 0;  // 0: its own
  std::string instead;      // answers these bytes to everything, then closes
  protocol::ErrorCode fetch_error = protocol::ErrorCode::none;
};

// A broker with one topic that answers the four requests of a replay as its script says.
class ScriptedBroker {
 public:
  ScriptedBroker(io::Network& network, Script script)
      : script_(std::move(script)), listener_(*network.listen("127.0.0.1", 0)) {
    if (script_.advertised_port == 0) script_.advertised_port = listener_.port();
    listener_.start([this](io::TcpStream stream) {
      auto peer = std::make_shared<Peer>(std::move(stream));
      read(peer);
    });
  }

  http::HostPort address() const { return {"127.0.0.1", listener_.port()}; }

 private:
  struct Peer {
    explicit Peer(io::TcpStream from) : stream(std::move(from)) {}
    io::TcpStream stream;
    Buffer piece = Buffer(4096);
    Buffer taken;
    Buffer answer;
  };

  void read(const std::shared_ptr<Peer>& peer) {
    peer->stream.read_some(peer->piece, kPatience, [this, peer](Result<std::size_t> size) {
      if (!size || *size == 0) return;
      append(peer->taken, ByteView(peer->piece).first(*size));
      answer(peer);
    });
  }

  void answer(const std::shared_ptr<Peer>& peer) {
    if (!script_.instead.empty()) {
      const ByteView bytes = as_bytes(script_.instead);
      peer->answer.assign(bytes.begin(), bytes.end());
      return write(peer, false);
    }
    if (peer->taken.size() < protocol::kSizePrefix) return read(peer);
    const auto size = static_cast<std::size_t>(load_be<std::int32_t>(peer->taken.data()));
    if (peer->taken.size() < protocol::kSizePrefix + size) return read(peer);
    const auto header =
        protocol::read_request_header(ByteView(peer->taken).subspan(protocol::kSizePrefix, size));
    ASSERT_TRUE(header);
    peer->answer = answer_to(*header);
    peer->taken.clear();
    write(peer, true);
  }

  void write(const std::shared_ptr<Peer>& peer, bool goes_on) {
    peer->stream.write_all(peer->answer, kPatience, [this, peer, goes_on](Result<void> done) {
      if (done && goes_on) return read(peer);
      peer->stream.close();
    });
  }

  template <class Response>
  static Buffer framed(const Response& response, const protocol::RequestHeader& to) {
    return protocol::response_frame(response, to.api_version, to.correlation_id).joined();
  }

  Buffer answer_to(const protocol::RequestHeader& header) const {
    switch (header.api_key) {
      case 18: {
        protocol::ApiVersionsResponse response;
        response.api_keys = {{1, 4, 17}, {2, 1, 9}, {3, 0, 12}, {18, 0, 3}};
        return framed(response, header);
      }
      case 3: {
        protocol::MetadataResponse response;
        response.brokers = {{7, script_.advertised_host, script_.advertised_port, std::nullopt}};
        response.cluster_id = script_.cluster;
        protocol::MetadataResponse::Topic topic;
        topic.name = "orders";
        topic.partitions.emplace_back();
        topic.partitions.back().leader_id = 7;
        response.topics = {topic};
        return framed(response, header);
      }
      case 2: {
        const auto asked =
            protocol::decode<protocol::ListOffsetsRequest>(header.body, header.api_version);
        protocol::ListOffsetsResponse response;
        const bool end = asked && asked->topics[0].partitions[0].timestamp == -1;
        response.topics = {{"orders", {{0, protocol::ErrorCode::none, -1, end ? 5 : 2, -1}}}};
        return framed(response, header);
      }
      default: {
        protocol::FetchResponse response;
        protocol::FetchResponse::Partition partition;
        partition.error_code = script_.fetch_error;
        response.responses = {{"orders", {}, {partition}}};
        return framed(response, header);
      }
    }
  }

  Script script_;
  io::TcpListener listener_;
};

class KafkaReplay : public testing::Test {
 protected:
  // The executor ends first, so no callback finds its broker gone.
  ~KafkaReplay() override { executor_.stop(); }

  ScriptedBroker& broker(Script script) {
    brokers_.push_back(std::make_unique<ScriptedBroker>(network_, std::move(script)));
    return *brokers_.back();
  }
  std::vector<Finding> replay(Script script) {
    return replay_kafka_client(network_, broker(std::move(script)).address(), kPatience);
  }
  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }

  io::ThreadExecutor executor_{1};
  io::Network network_{executor_};
  std::vector<std::unique_ptr<ScriptedBroker>> brokers_;
};

TEST_F(KafkaReplay, a_good_broker_passes_every_hop) {
  const auto findings = replay({});
  ASSERT_EQ(findings.size(), 5u);
  for (const auto& finding : findings)
    EXPECT_EQ(finding.health, Health::good) << finding.what << ": " << finding.seen;
  EXPECT_EQ(findings.back().what, "fetch orders-0");
  EXPECT_TRUE(has(findings.back().seen, "offsets 2 to 5")) << findings.back().seen;
}

TEST_F(KafkaReplay, an_advertised_address_where_nobody_listens_is_named_with_its_fix) {
  const auto findings = replay({.advertised_port = 1});
  ASSERT_EQ(findings.size(), 5u);
  EXPECT_EQ(findings[2].health, Health::good);
  EXPECT_EQ(findings[3].what, "broker 7 at 127.0.0.1:1");
  EXPECT_EQ(findings[3].health, Health::bad);
  EXPECT_TRUE(has(findings[3].seen, "refused")) << findings[3].seen;
  EXPECT_TRUE(has(findings[3].fix, "kafka.advertise")) << findings[3].fix;
  EXPECT_EQ(findings[4].health, Health::bad);
}

TEST_F(KafkaReplay, the_wildcard_address_is_no_place_to_send_clients_to) {
  const auto findings = replay({.advertised_host = "0.0.0.0"});
  EXPECT_EQ(findings[3].health, Health::bad);
  EXPECT_TRUE(has(findings[3].what, "0.0.0.0"));
}

TEST_F(KafkaReplay, another_cluster_behind_the_advertised_address_is_noticed) {
  const auto other = broker({.cluster = "theirs"}).address();
  const auto findings = replay({.advertised_port = other.port});
  EXPECT_EQ(findings[3].health, Health::bad);
  EXPECT_TRUE(has(findings[3].seen, "'theirs', not 'ours'")) << findings[3].seen;
}

TEST_F(KafkaReplay, a_partition_that_cannot_be_read_names_the_brokers_error) {
  const auto findings = replay({.fetch_error = protocol::ErrorCode::topic_authorization_failed});
  EXPECT_EQ(findings.back().health, Health::bad);
  EXPECT_TRUE(has(findings.back().seen, "TOPIC_AUTHORIZATION_FAILED")) << findings.back().seen;
}

TEST_F(KafkaReplay, what_is_no_kafka_is_called_by_its_name) {
  for (const auto& [bytes, name] : std::vector<std::pair<std::string, std::string>>{
           {"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP"},
           {std::string("\x15\x03\x01\0\x02\x02\x46", 7), "TLS"},
           {"220 mail.example ready\r\n", "no Kafka"}}) {
    const auto findings = replay({.instead = bytes});
    ASSERT_EQ(findings.size(), 2u);
    EXPECT_EQ(findings[1].what, "ApiVersions");
    EXPECT_EQ(findings[1].health, Health::bad);
    EXPECT_TRUE(has(findings[1].seen, name)) << findings[1].seen;
  }
}

TEST_F(KafkaReplay, nobody_at_the_first_address_ends_it_there) {
  const auto findings = replay_kafka_client(network_, {"127.0.0.1", 1}, kPatience);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].health, Health::bad);
  EXPECT_FALSE(findings[0].fix.empty());
}

}  // namespace
}  // namespace adbrook::app
