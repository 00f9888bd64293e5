#include "io/tcp.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <future>
#include <optional>

#include "io/process.h"
#include "io/random.h"
#include "io/thread_executor.h"

namespace adbrook::io {
namespace {

constexpr std::chrono::seconds kTooLong{10};
constexpr Millis kPatience{5000};

// A listener, one client and the server's end of the same connection.
class TcpTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto bound = network_.listen("127.0.0.1", 0);
    ASSERT_TRUE(bound) << bound.error().message;
    listener_.emplace(std::move(*bound));
  }
  void TearDown() override {
    executor_.stop();
    client_.reset();
    server_.reset();
    listener_.reset();
  }

  void connect() {
    std::promise<TcpStream> accepted;
    std::promise<Result<TcpStream>> connected;
    listener_->start([&](TcpStream stream) { accepted.set_value(std::move(stream)); });
    network_.connect("127.0.0.1", listener_->port(), kPatience,
                     [&](Result<TcpStream> stream) { connected.set_value(std::move(stream)); });
    auto stream = connected.get_future().get();
    ASSERT_TRUE(stream) << stream.error().message;
    client_.emplace(std::move(*stream));
    server_.emplace(accepted.get_future().get());
  }

  std::future<Result<std::size_t>> read(TcpStream& stream, std::span<std::byte> into,
                                        Millis patience = kPatience) {
    auto promise = std::make_shared<std::promise<Result<std::size_t>>>();
    stream.read_some(into, patience,
                     [promise](Result<std::size_t> result) { promise->set_value(result); });
    return promise->get_future();
  }

  std::future<Result<void>> write(TcpStream& stream, ByteView bytes, Millis patience = kPatience) {
    auto promise = std::make_shared<std::promise<Result<void>>>();
    stream.write_all(bytes, patience,
                     [promise](Result<void> result) { promise->set_value(result); });
    return promise->get_future();
  }

  ThreadExecutor executor_{2};
  Network network_{executor_};
  std::optional<TcpListener> listener_;
  std::optional<TcpStream> client_;
  std::optional<TcpStream> server_;
};

TEST_F(TcpTest, bytes_arrive_whole_and_the_end_is_told) {
  connect();
  Buffer sent(3'000'000);
  SeededRandom(1).fill(sent);
  auto written = write(*client_, sent);
  Buffer got;
  std::array<std::byte, 65536> piece;
  while (got.size() < sent.size()) {
    const auto size = read(*server_, piece).get();
    ASSERT_TRUE(size) << size.error().message;
    ASSERT_GT(*size, 0u);
    append(got, std::span(piece).first(*size));
  }
  EXPECT_TRUE(written.get());
  EXPECT_EQ(got, sent);
  client_->end_writes();
  EXPECT_EQ(read(*server_, piece).get().value(), 0u);
  EXPECT_TRUE(write(*server_, as_bytes("still")).get());
  EXPECT_EQ(read(*client_, piece).get().value(), 5u);
  EXPECT_EQ(client_->peer(), "127.0.0.1:" + std::to_string(listener_->port()));
}

TEST_F(TcpTest, pieces_arrive_in_their_order_and_both_ends_know_the_address) {
  connect();
  const Buffer large(1'000'000, std::byte{7});
  auto promise = std::make_shared<std::promise<Result<void>>>();
  const std::vector<ByteView> pieces{as_bytes("head"), large, as_bytes("tail")};
  client_->write_all(pieces, kPatience,
                     [promise](Result<void> result) { promise->set_value(result); });
  Buffer got;
  std::array<std::byte, 65536> piece;
  while (got.size() < large.size() + 8) {
    const auto size = read(*server_, piece).get();
    ASSERT_TRUE(size && *size > 0);
    append(got, std::span(piece).first(*size));
  }
  EXPECT_TRUE(promise->get_future().get());
  EXPECT_EQ(as_text(got).substr(0, 4), "head");
  EXPECT_EQ(as_text(got).substr(got.size() - 4), "tail");
  EXPECT_EQ(server_->local(), client_->peer());
}

TEST_F(TcpTest, silent_peer_uses_up_the_patience_and_can_still_be_told) {
  connect();
  std::array<std::byte, 16> into;
  const auto result = read(*server_, into, Millis(20)).get();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::overloaded);
  EXPECT_NE(result.error().message.find("longer than 20ms"), std::string::npos);
  EXPECT_TRUE(write(*server_, as_bytes("408")).get());
  EXPECT_EQ(read(*client_, into).get().value(), 3u);
}

TEST_F(TcpTest, peer_that_does_not_read_uses_up_the_patience_of_a_write) {
  connect();
  const Buffer much(64 << 20);
  const auto result = write(*server_, much, Millis(50)).get();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::overloaded);
}

TEST_F(TcpTest, late_timer_does_not_end_the_next_call) {
  connect();
  std::array<std::byte, 16> into;
  for (int i = 0; i < 20; ++i) {
    auto first = read(*server_, into, Millis(1));
    EXPECT_TRUE(write(*client_, as_bytes("x")).get());
    const auto result = first.get();
    if (result) continue;
    EXPECT_EQ(result.error().kind, ErrorKind::overloaded);
    ASSERT_EQ(read(*server_, into).get().value(), 1u);
  }
}

TEST_F(TcpTest, close_ends_the_calls_under_way) {
  connect();
  std::array<std::byte, 16> into;
  auto waiting = read(*server_, into);
  server_->close();
  EXPECT_EQ(waiting.get().error().kind, ErrorKind::closed);
  EXPECT_EQ(write(*server_, as_bytes("x")).get().error().kind, ErrorKind::closed);
  EXPECT_EQ(read(*client_, into).get().value(), 0u);
}

TEST_F(TcpTest, destroyed_stream_ends_its_calls_and_the_connection) {
  connect();
  std::array<std::byte, 16> into;
  auto waiting = read(*server_, into);
  server_.reset();
  EXPECT_EQ(waiting.get().error().kind, ErrorKind::closed);
  EXPECT_EQ(read(*client_, into).get().value(), 0u);
}

TEST_F(TcpTest, callbacks_and_posted_steps_of_a_stream_never_overlap) {
  connect();
  std::promise<void> all;
  int count = 0;  // no atomic: the stream's steps are one after the other
  for (int i = 0; i < 5000; ++i) {
    server_->post([&] {
      if (++count == 5000) all.set_value();
    });
  }
  ASSERT_EQ(all.get_future().wait_for(kTooLong), std::future_status::ready);
}

TEST_F(TcpTest, connections_under_way_do_not_keep_the_executor_from_stopping) {
  connect();
  std::array<std::byte, 16> into;
  auto unanswered = read(*server_, into);
  executor_.stop();
  EXPECT_NE(unanswered.wait_for(std::chrono::seconds(0)), std::future_status::ready);
}

TEST_F(TcpTest, port_in_use_names_its_user) {
  const auto second = network_.listen("127.0.0.1", listener_->port());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::busy);
  EXPECT_EQ(second.error().message,
            "cannot listen on '127.0.0.1:" + std::to_string(listener_->port()) +
                "': the port is in use by " + describe_process(process_id()) +
                "; stop that process or choose another port");
}

TEST_F(TcpTest, stopped_listener_frees_its_port) {
  const std::uint16_t port = listener_->port();
  listener_.reset();
  const auto again = network_.listen("localhost", port);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->port(), port);
}

TEST_F(TcpTest, peers_wait_while_no_descriptor_is_left) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  std::promise<TcpStream> accepted;
  auto server = accepted.get_future();
  listener_->start([&](TcpStream stream) { accepted.set_value(std::move(stream)); });
  const int next_descriptor = ::dup(STDIN_FILENO);
  ::close(next_descriptor);
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(next_descriptor) + 1;  // the client's own socket
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  std::promise<Result<TcpStream>> connected;
  network_.connect("127.0.0.1", listener_->port(), kPatience,
                   [&](Result<TcpStream> stream) { connected.set_value(std::move(stream)); });
  auto client = connected.get_future().get();
  EXPECT_EQ(server.wait_for(Millis(20)), std::future_status::timeout);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_TRUE(client) << client.error().message;
  EXPECT_EQ(server.wait_for(kTooLong), std::future_status::ready);
}

TEST_F(TcpTest, address_that_is_not_ours_is_refused_with_a_remedy) {
  EXPECT_EQ(network_.listen("example", 1).error().kind, ErrorKind::invalid);
  const auto foreign = network_.listen("192.0.2.1", 0);
  ASSERT_FALSE(foreign);
  EXPECT_NE(foreign.error().message.find("choose an address that this machine has"),
            std::string::npos)
      << foreign.error().message;
}

TEST_F(TcpTest, connecting_to_a_port_without_listener_fails) {
  const std::uint16_t port = listener_->port();
  listener_.reset();
  std::promise<Result<TcpStream>> connected;
  network_.connect("localhost", port, kPatience,
                   [&](Result<TcpStream> stream) { connected.set_value(std::move(stream)); });
  const auto result = connected.get_future().get();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::io_failed);
  EXPECT_NE(result.error().message.find("refused"), std::string::npos) << result.error().message;
}

}  // namespace
}  // namespace adbrook::io
