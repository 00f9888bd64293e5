#include "http/event_feed.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>
#include <thread>

#include "http/client.h"
#include "http/server.h"
#include "io/thread_executor.h"

namespace adbrook::http {
namespace {

constexpr Millis kPatience{20'000};

Request request_with(std::string_view last_event_id = "", Method method = Method::get) {
  Request request;
  request.method = method;
  if (!last_event_id.empty()) request.fields.add("Last-Event-ID", last_event_id);
  return request;
}

// What the reader has got when it asks once; nothing when it would have to wait.
std::optional<Result<std::string>> next_piece(Response& response) {
  auto got = std::make_shared<std::optional<Result<std::string>>>();
  response.live([got](Result<std::string> piece) { *got = std::move(piece); });
  return *got;
}

TEST(EventFeed, a_new_reader_is_greeted_and_then_gets_each_event) {
  EventFeed feed("e");
  feed.publish("frame", "0");
  Response reader = feed.open(request_with(), "{\"a\":1}");
  EXPECT_EQ(reader.content_type, "text/event-stream");
  EXPECT_EQ(reader.body, "retry: 1000\nid: e-1\nevent: hello\ndata: {\"a\":1}\n\n");
  feed.publish("frame", "1");
  feed.publish("frame", "2");
  EXPECT_EQ(next_piece(reader).value().value(),
            "id: e-2\nevent: frame\ndata: 1\n\nid: e-3\nevent: frame\ndata: 2\n\n");
  EXPECT_FALSE(next_piece(reader)) << "nothing more yet";
}

TEST(EventFeed, a_waiting_reader_gets_the_event_when_it_comes) {
  EventFeed feed("e");
  Response reader = feed.open(request_with(), "{}");
  std::string got;
  reader.live([&](Result<std::string> piece) { got = piece.value(); });
  EXPECT_EQ(got, "");
  feed.publish("frame", "1");
  EXPECT_EQ(got, "id: e-1\nevent: frame\ndata: 1\n\n");
}

TEST(EventFeed, a_reader_that_comes_again_goes_on_behind_its_last_event) {
  EventFeed feed("e");
  for (const char* data : {"1", "2", "3"}) feed.publish("frame", data);
  Response reader = feed.open(request_with("e-2"), "{}");
  EXPECT_EQ(reader.body, "retry: 1000\n");
  EXPECT_EQ(next_piece(reader).value().value(), "id: e-3\nevent: frame\ndata: 3\n\n");
}

TEST(EventFeed, an_id_that_is_not_kept_or_not_ours_is_greeted) {
  EventFeed feed("e", {.kept_count_max = 2});
  for (const char* data : {"1", "2", "3", "4"}) feed.publish("frame", data);
  for (const char* id : {"e-1", "e-5", "f-3", "e-", "e", "e-3x", "e3", "e-99999999999999999999"})
    EXPECT_NE(feed.open(request_with(id), "{}").body.find("event: hello"), std::string::npos) << id;
  for (const char* id : {"e-2", "e-3", "e-4"})
    EXPECT_EQ(feed.open(request_with(id), "{}").body, "retry: 1000\n") << id;
}

TEST(EventFeed, a_reader_that_is_too_slow_is_cut_instead_of_missing_events) {
  EventFeed feed("e", {.kept_count_max = 2});
  Response reader = feed.open(request_with(), "{}");
  for (const char* data : {"1", "2", "3"}) feed.publish("frame", data);
  EXPECT_FALSE(next_piece(reader).value().has_value());
}

TEST(EventFeed, kept_events_are_bounded_by_their_size) {
  EventFeed feed("e", {.kept_count_max = 100, .kept_bytes_max = 10'000});
  Response reader = feed.open(request_with(), "{}");
  for (int i = 0; i < 4; ++i) feed.publish("frame", std::string(4'000, 'x'));
  EXPECT_FALSE(next_piece(reader).value().has_value());
}

TEST(EventFeed, readers_beyond_the_limit_are_refused_and_those_who_left_make_room) {
  EventFeed feed("e", {.readers_max = 1});
  {
    const Response reader = feed.open(request_with(), "{}");
    EXPECT_EQ(feed.reader_count(), 1U);
    EXPECT_EQ(feed.open(request_with(), "{}").status, 503);
  }
  EXPECT_EQ(feed.reader_count(), 0U);
  EXPECT_EQ(feed.open(request_with("", Method::head), "{}").status, 200);
  EXPECT_EQ(feed.reader_count(), 0U) << "HEAD reads nothing";
}

TEST(EventFeed, streams_end_when_the_feed_does) {
  std::optional<EventFeed> feed(std::in_place, "e");
  Response waiting = feed->open(request_with(), "{}");
  Response later = feed->open(request_with(), "{}");
  std::optional<std::string> got;
  waiting.live([&](Result<std::string> piece) { got = piece.value(); });
  feed.reset();
  EXPECT_EQ(got, "");
  EXPECT_EQ(next_piece(later).value().value(), "");
}

// The same over real connections.
class EventFeedServer : public ::testing::Test {
 protected:
  EventFeedServer() {
    Router router(metrics_);
    router.add(Method::get, "/live", [this](const Request& request, Responder responder) {
      responder.send(feed_.open(request, "{}"));
    });
    server_ = std::move(
        Server::start(network_, clock_, metrics_, std::move(router), {.listen = "127.0.0.1:0"})
            .value());
  }
  ~EventFeedServer() override {
    server_.reset();
    executor_.stop();
  }

  std::shared_ptr<io::TcpStream> connect() {
    auto connected = std::make_shared<std::promise<std::shared_ptr<io::TcpStream>>>();
    network_.connect("127.0.0.1", server_->port(), kPatience,
                     [connected](Result<io::TcpStream> stream) {
                       connected->set_value(std::make_shared<io::TcpStream>(std::move(*stream)));
                     });
    auto stream = connected->get_future().get();
    static const std::string kAsked = "GET /live HTTP/1.1\r\nHost: x\r\n\r\n";
    stream->write_all(as_bytes(kAsked), kPatience, [stream](Result<void>) {});
    return stream;
  }
  // Until `part` has come, or the connection has ended.
  static std::string read_until(io::TcpStream& stream, const std::string& part) {
    std::string seen;
    while (seen.find(part) == std::string::npos) {
      auto got = std::make_shared<std::promise<std::size_t>>();
      auto room = std::make_shared<std::array<std::byte, 4096>>();
      stream.read_some(*room, kPatience,
                       [got, room](Result<std::size_t> r) { got->set_value(r.value_or(0)); });
      const std::size_t size = got->get_future().get();
      if (size == 0) break;
      seen += as_text({room->data(), size});
    }
    return seen;
  }

  io::ThreadExecutor executor_{2};
  io::Network network_{executor_};
  io::RealClock clock_;
  Metrics metrics_;
  EventFeed feed_{"e"};
  std::unique_ptr<Server> server_;
};

TEST_F(EventFeedServer, an_event_reaches_every_connection_as_a_chunk) {
  const auto a = connect();
  const auto b = connect();
  for (const auto& stream : {a, b})
    EXPECT_NE(read_until(*stream, "hello\ndata: {}\n\n").find("Transfer-Encoding: chunked"),
              std::string::npos);
  feed_.publish("frame", "1");
  for (const auto& stream : {a, b})
    EXPECT_NE(read_until(*stream, "data: 1\n\n").find("event: frame"), std::string::npos);
}

TEST_F(EventFeedServer, a_reader_that_went_away_is_noticed_without_an_event) {
  auto stream = connect();
  read_until(*stream, "data: {}\n\n");
  EXPECT_EQ(feed_.reader_count(), 1U);
  stream->close();
  const Nanos give_up = clock_.monotonic() + kPatience;
  while (feed_.reader_count() != 0 && clock_.monotonic() < give_up) std::this_thread::yield();
  EXPECT_EQ(feed_.reader_count(), 0U);
}

TEST_F(EventFeedServer, stopping_the_server_ends_the_streams) {
  const auto stream = connect();
  read_until(*stream, "data: {}\n\n");
  const Nanos begin = clock_.monotonic();
  server_->stop(kPatience);
  EXPECT_LT(clock_.monotonic() - begin, std::chrono::seconds(5));
  EXPECT_EQ(read_until(*stream, "never"), "");
}

}  // namespace
}  // namespace adbrook::http
