// The endpoint on real sockets, files and threads: framing, order, and what bad input gets. Meant
// for the thread sanitizer as well.
#include "broker/server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <future>
#include <mutex>

#include "broker/broker_test_bed.h"
#include "io/process.h"
#include "io/real_file_system.h"
#include "io/test_seed.h"
#include "io/thread_executor.h"
#include "protocol/k00_produce.h"
#include "protocol/k01_fetch.h"
#include "protocol/k03_metadata.h"
#include "protocol/k18_api_versions.h"

namespace adbrook::broker {
namespace server_test {

using namespace protocol;  // NOLINT: tests name many messages

constexpr Millis kPatience{10'000};
constexpr std::chrono::seconds kTooLong{20};

// A client's end, used from the test's thread.
class Peer {
 public:
  Peer(io::Network& network, std::uint16_t port) {
    std::promise<Result<io::TcpStream>> connected;
    network.connect("127.0.0.1", port, kPatience,
                    [&](Result<io::TcpStream> stream) { connected.set_value(std::move(stream)); });
    auto stream = connected.get_future().get();
    EXPECT_TRUE(stream);
    stream_.emplace(std::move(*stream));
  }

  void send(ByteView bytes) {
    std::promise<void> done;
    stream_->write_all(bytes, kPatience, [&](const Result<void>&) { done.set_value(); });
    done.get_future().wait();
  }
  template <Message Request>
  void send(const Request& request, std::int16_t version, std::int32_t correlation) {
    send(request_frame(request, version, correlation, "test").joined());
  }
  // The next whole frame without its size; empty when the other side closed.
  Buffer receive() {
    while (buffered_.size() < kSizePrefix || buffered_.size() - kSizePrefix < frame_size())
      if (!read_more()) return {};
    const auto end = buffered_.begin() + static_cast<std::ptrdiff_t>(kSizePrefix + frame_size());
    Buffer frame(buffered_.begin() + kSizePrefix, end);
    buffered_.erase(buffered_.begin(), end);
    return frame;
  }
  std::int32_t receive_correlation() {
    const Buffer frame = receive();
    return frame.size() < 4 ? -1 : load_be<std::int32_t>(frame.data());
  }
  bool is_closed_by_the_other() { return receive().empty(); }
  // False: the other side closed.
  bool read_more() {
    std::array<std::byte, 65536> piece;
    std::promise<std::size_t> done;
    stream_->read_some(piece, kPatience,
                       [&](const Result<std::size_t>& size) { done.set_value(size.value_or(0)); });
    const std::size_t size = done.get_future().get();
    append(buffered_, std::span(piece).first(size));
    return size > 0;
  }

 private:
  std::size_t frame_size() const {
    return static_cast<std::size_t>(load_be<std::int32_t>(buffered_.data()));
  }

  std::optional<io::TcpStream> stream_;
  Buffer buffered_;
};

class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    path_ = std::filesystem::temp_directory_path() /
            ("adbrook-broker-server-" + std::to_string(io::process_id()));
    std::filesystem::remove_all(path_);
    options_.listen = {"127.0.0.1:0"};
  }
  ~ServerTest() override {
    stop();
    std::filesystem::remove_all(path_);
  }

  void start() {
    log_ = log::Log::open(files_, clock_, log_executor_, metrics_, path_.string(), {}).value();
    auto opened = Broker::open({*log_, clock_, random_, executor_, slow_executor_, metrics_,
                                [this](std::string_view note) {
                                  const std::lock_guard lock(mutex_);
                                  notes_ += std::string(note) + "\n";
                                }},
                               options_, {}, {});
    ASSERT_TRUE(opened) << opened.error().message;
    broker_ = std::move(*opened);
    auto started = Server::start(network_, *broker_);
    ASSERT_TRUE(started) << started.error().message;
    server_ = std::move(*started);
    port_ = parse_endpoint(server_->addresses().at(0))->port;
  }
  void stop() {
    if (server_) server_->stop(Millis(1'000));
    if (log_) {
      EXPECT_TRUE(log_->close());
    }
    slow_executor_.stop();
    executor_.stop();
    log_executor_.stop();
  }
  std::string notes() {
    const std::lock_guard lock(mutex_);
    return notes_;
  }
  // What a connection that sends these bytes was closed for.
  void expect_closed_for(ByteView bytes, std::string_view reason) {
    Counter& counted =
        metrics_.counter("adbrook_kafka_closed_total", "Kafka connections closed for a reason.",
                         {{"reason", std::string(reason)}});
    const std::uint64_t before = counted.value();
    Peer peer(network_, port_);
    peer.send(bytes);
    EXPECT_TRUE(peer.is_closed_by_the_other()) << reason;
    EXPECT_EQ(counted.value(), before + 1) << reason;
  }

  std::filesystem::path path_;
  io::RealFileSystem files_;
  io::RealClock clock_;
  io::SystemRandom random_;
  Metrics metrics_;
  std::mutex mutex_;  // guards the notes
  std::string notes_;
  BrokerOptions options_;
  io::ThreadExecutor log_executor_{2};
  io::ThreadExecutor executor_{2};
  io::ThreadExecutor slow_executor_{1};
  io::Network network_{executor_};
  std::unique_ptr<log::Log> log_;
  std::unique_ptr<Broker> broker_;
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
};

TEST_F(ServerTest, requests_of_one_connection_are_answered_in_their_order) {
  start();
  ASSERT_TRUE(log_->create_topic("t", 1, {}));
  Peer peer(network_, port_);
  FetchRequest waits{.max_wait_ms = 200, .min_bytes = 1};
  waits.topics.push_back({.topic = "t"});
  waits.topics[0].partitions.push_back({.partition_max_bytes = 1'000});
  peer.send(waits, 11, 1);
  for (std::int32_t i = 2; i < 50; ++i) peer.send(ApiVersionsRequest{}, 0, i);
  for (std::int32_t i = 1; i < 50; ++i) EXPECT_EQ(peer.receive_correlation(), i);
}

TEST_F(ServerTest, a_request_may_come_in_pieces_and_a_large_one_grows) {
  start();
  ASSERT_TRUE(log_->create_topic("t", 1, {}));
  const Buffer batch = produced_batch({std::string(3'000'000, 'x')});
  ProduceRequest request{.acks = -1};
  request.topic_data.push_back({.name = "t"});
  request.topic_data[0].partition_data.push_back({.index = 0, .records = {{batch}}});
  const Buffer frame = request_frame(request, 9, 5, "test").joined();
  Peer peer(network_, port_);
  for (std::size_t at = 0; at < 10; ++at) peer.send(ByteView(frame).subspan(at, 1));
  peer.send(ByteView(frame).subspan(10));
  const Buffer answer = peer.receive();
  const auto header = read_response_header(answer, kProduce, 9);
  ASSERT_TRUE(header);
  const auto response = decode<ProduceResponse>(header->body, 9);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->responses.at(0).partition_responses.at(0).error_code, ErrorCode::none);
  FetchRequest fetch;
  fetch.topics.push_back({.topic = "t"});
  fetch.topics[0].partitions.push_back({.partition_max_bytes = 1'000});
  peer.send(fetch, 11, 6);
  EXPECT_GT(peer.receive().size(), batch.size());
}

// A partition as it was produced: batches with their offsets, one behind the other.
struct Produced {
  Buffer bytes;
  std::vector<std::size_t> ends;    // of its batches
  std::vector<std::int64_t> lasts;  // their last offsets
  std::size_t index_of(std::int64_t offset) const {
    return static_cast<std::size_t>(std::ranges::lower_bound(lasts, offset) - lasts.begin());
  }
  std::size_t begin_of(std::size_t batch) const { return batch == 0 ? 0 : ends[batch - 1]; }
};

Produced fill_partition(log::Log& log, std::int32_t number, std::size_t size,
                        std::uint64_t value_max, io::Random& random) {
  Produced made;
  while (made.bytes.size() < size) {
    Buffer value(1 + random.below(random.below(3) == 0 ? value_max : value_max / 100));
    random.fill(value);
    Buffer batch =
        produced_batch(std::vector<std::string>(1 + random.below(3), std::string(as_text(value))));
    log::Append what;
    what.batches.push_back({log.partition("t", number).value(), batch});
    std::promise<log::AppendedBatch> done;
    log.append(std::move(what), [&](log::AppendResult result) { done.set_value(result->front()); });
    const log::AppendedBatch place = done.get_future().get();
    record::patch_base(batch, place.base, 0);
    append(made.bytes, batch);
    made.ends.push_back(made.bytes.size());
    made.lasts.push_back(place.last.value);
  }
  return made;
}

FetchRequest fetch_of(std::int32_t partition_count, std::int32_t size_max) {
  FetchRequest fetch{.max_wait_ms = 0, .min_bytes = 0, .max_bytes = size_max};
  auto& topic = fetch.topics.emplace_back();
  topic.topic = "t";
  for (std::int32_t p = 0; p < partition_count; ++p)
    topic.partitions.push_back({.partition = p, .partition_max_bytes = size_max});
  return fetch;
}

// `whole`: how much the answer held in front of this partition.
void expect_whole_batches(const Produced& made, const FetchRequest::Partition& asked, ByteView got,
                          std::size_t whole) {
  const std::size_t first = made.index_of(asked.fetch_offset);
  const std::size_t begin = made.begin_of(first);
  ASSERT_TRUE(std::ranges::equal(got, ByteView(made.bytes).subspan(begin, got.size())));
  ASSERT_TRUE(got.empty() || std::ranges::binary_search(made.ends, begin + got.size()));
  // Only the first batch of the answer may be larger than what was asked for.
  const bool only_one = whole == 0 && begin + got.size() == made.ends[first];
  ASSERT_TRUE(only_one || std::ssize(got) <= asked.partition_max_bytes);
}

TEST_F(ServerTest, any_fetch_gets_whole_batches_as_they_were_produced) {
  constexpr std::int32_t kPartitions = 3;
  for (const std::uint64_t seed : io::test_seeds(1)) {
    SCOPED_TRACE(io::seed_note(seed));
    io::SeededRandom random(seed);
    start();
    // Small segments, so that most of them are closed.
    ASSERT_TRUE(log_->create_topic("t", kPartitions, {.segment_bytes = 1_MiB}));
    std::vector<Produced> model;
    for (std::int32_t p = 0; p < kPartitions; ++p)
      model.push_back(fill_partition(*log_, p, 3'000'000, 300'000, random));
    Peer peer(network_, port_);
    for (std::int32_t round = 0; round < 60; ++round) {
      FetchRequest fetch =
          fetch_of(kPartitions, 1 + static_cast<std::int32_t>(random.below(2'000'000)));
      for (std::size_t p = 0; p < kPartitions; ++p) {
        auto& asked = fetch.topics[0].partitions[p];
        asked.fetch_offset = static_cast<std::int64_t>(
            random.below(static_cast<std::uint64_t>(model[p].lasts.back()) + 1));
        asked.partition_max_bytes = 1 + static_cast<std::int32_t>(random.below(1'000'000));
      }
      peer.send(fetch, 11, round);
      const Buffer frame = peer.receive();
      const auto response =
          decode<FetchResponse>(read_response_header(frame, kFetch, 11)->body, 11);
      ASSERT_TRUE(response) << response.error().message;
      std::size_t whole = 0;
      for (std::size_t p = 0; p < kPartitions; ++p) {
        const ByteView got = response->responses.at(0).partitions.at(p).records.bytes();
        expect_whole_batches(model[p], fetch.topics[0].partitions[p], got, whole);
        whole += got.size();
      }
      ASSERT_GT(whole, 0u);
    }
  }
}

TEST_F(ServerTest, an_answer_under_way_outlives_its_topic) {
  start();
  ASSERT_TRUE(log_->create_topic("t", 1, {}));
  io::SeededRandom random(1);
  // More than the sockets of both ends hold.
  const Produced made = fill_partition(*log_, 0, 40'000'000, 2'000'000, random);
  Peer peer(network_, port_);
  peer.send(fetch_of(1, 60'000'000), 11, 1);
  ASSERT_TRUE(peer.read_more());
  ASSERT_TRUE(log_->delete_topic("t"));
  const Buffer frame = peer.receive();
  const auto response = decode<FetchResponse>(read_response_header(frame, kFetch, 11)->body, 11);
  ASSERT_TRUE(response) << response.error().message;
  const ByteView got = response->responses.at(0).partitions.at(0).records.bytes();
  ASSERT_TRUE(std::ranges::equal(got, made.bytes));
  peer.send(fetch_of(1, 60'000'000), 11, 2);
  const Buffer second = peer.receive();
  const auto gone = decode<FetchResponse>(read_response_header(second, kFetch, 11)->body, 11);
  EXPECT_EQ(gone->responses.at(0).partitions.at(0).error_code,
            ErrorCode::unknown_topic_or_partition);
}

TEST_F(ServerTest, what_is_no_kafka_closes_with_one_line_and_disturbs_nobody) {
  start();
  Peer good(network_, port_);
  good.send(ApiVersionsRequest{}, 0, 1);
  EXPECT_EQ(good.receive_correlation(), 1);
  expect_closed_for(as_bytes("GET / HTTP/1.1\r\n\r\n"), "http");
  expect_closed_for(as_bytes(std::string_view("\x16\x03\x01\x02\x00\x01", 6)), "tls");
  expect_closed_for(as_bytes("\xff\xff\xff\xff garbage"), "garbage");
  expect_closed_for(as_bytes(std::string_view("\x7f\xff\xff\xff", 4)), "too_large");
  expect_closed_for(as_bytes(std::string_view("\0\0\0\2xx", 6)), "refused");
  EXPECT_NE(notes().find("HTTP"), std::string::npos);
  EXPECT_NE(notes().find("TLS"), std::string::npos);
  good.send(ApiVersionsRequest{}, 0, 2);
  EXPECT_EQ(good.receive_correlation(), 2);
}

TEST_F(ServerTest, too_many_connections_are_closed_and_the_others_live) {
  options_.connections_max = 2;
  start();
  Peer a(network_, port_);
  a.send(ApiVersionsRequest{}, 0, 1);
  EXPECT_EQ(a.receive_correlation(), 1);
  Peer b(network_, port_);
  b.send(ApiVersionsRequest{}, 0, 1);
  EXPECT_EQ(b.receive_correlation(), 1);
  Peer c(network_, port_);
  EXPECT_TRUE(c.is_closed_by_the_other());
  a.send(ApiVersionsRequest{}, 0, 2);
  EXPECT_EQ(a.receive_correlation(), 2);
}

TEST_F(ServerTest, who_begins_a_request_and_falls_silent_is_closed) {
  options_.request_timeout = Millis(50);
  start();
  expect_closed_for(as_bytes(std::string_view("\0\0\0\x20", 4)), "timeout");
}

TEST_F(ServerTest, clients_are_told_the_address_they_came_in_by_or_the_advertised_one) {
  options_.listen = {"127.0.0.1:0", "127.0.0.1:0"};
  options_.advertise = {"kafka.example:19092", "other.example:0"};
  start();
  const auto told = [&](std::uint16_t port) {
    Peer peer(network_, port);
    peer.send(MetadataRequest{}, 1, 1);
    const Buffer frame = peer.receive();
    const auto response =
        decode<MetadataResponse>(read_response_header(frame, kMetadata, 1)->body, 1);
    return std::string(response->brokers.at(0).host) + ":" +
           std::to_string(response->brokers.at(0).port);
  };
  const std::uint16_t second = parse_endpoint(server_->addresses().at(1))->port;
  EXPECT_EQ(told(port_), "kafka.example:19092");
  EXPECT_EQ(told(second), "other.example:" + std::to_string(second));
}

TEST_F(ServerTest, without_an_advertised_address_it_is_the_one_that_was_reached) {
  start();
  Peer peer(network_, port_);
  peer.send(MetadataRequest{}, 1, 1);
  const Buffer frame = peer.receive();
  const auto response =
      decode<MetadataResponse>(read_response_header(frame, kMetadata, 1)->body, 1);
  EXPECT_EQ(response->brokers.at(0).host, "127.0.0.1");
  EXPECT_EQ(response->brokers.at(0).port, port_);
}

TEST_F(ServerTest, a_stop_lets_nobody_wait) {
  start();
  ASSERT_TRUE(log_->create_topic("t", 1, {}));
  Peer peer(network_, port_);
  FetchRequest waits{.max_wait_ms = 60'000, .min_bytes = 1};
  waits.topics.push_back({.topic = "t"});
  waits.topics[0].partitions.push_back({.partition_max_bytes = 1'000});
  peer.send(waits, 11, 1);
  const auto begun = std::chrono::steady_clock::now();
  server_->stop(Millis(5'000));
  // A fetch that waits already when the broker stops has its empty answer before the end.
  if (!peer.receive().empty()) {
    EXPECT_TRUE(peer.is_closed_by_the_other());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begun, kTooLong);
}

TEST(ParseEndpoint, an_address_is_a_host_and_a_port) {
  EXPECT_EQ(parse_endpoint("[::1]:9092")->host, "::1");
  EXPECT_EQ(parse_endpoint("localhost:1")->port, 1);
  for (const char* wrong : {"", ":1", "host", "host:", "host:x", "host:70000", "::1:9092"})
    EXPECT_FALSE(parse_endpoint(wrong)) << wrong;
}

}  // namespace server_test
}  // namespace adbrook::broker
