// The live stream of a real engine, over a real connection.
#include "app/live_feed.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <future>

#include "app/server_connection.h"
#include "app/service.h"

namespace adbrook::app {
namespace {

constexpr Millis kFeedPatience{20'000};

// A reader of the stream that takes it apart into events.
class StreamReader {
 public:
  StreamReader(io::Network& network, std::uint16_t port, const std::string& fields = "") {
    auto connected = std::make_shared<std::promise<void>>();
    network.connect("127.0.0.1", port, kFeedPatience,
                    [this, connected](Result<io::TcpStream> stream) {
                      stream_.emplace(std::move(*stream));
                      connected->set_value();
                    });
    connected->get_future().wait();
    request_ = "GET /v1/live HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n";
    stream_->write_all(as_bytes(request_), kFeedPatience, [](Result<void>) {});
  }

  struct Event {
    std::string id, name;
    boost::json::value data;
  };
  // The next event of this name.
  Event next(std::string_view name) {
    for (;;) {
      const std::string block = next_block();
      if (block.empty()) return {};
      Event event;
      std::size_t at = 0;
      while (at < block.size()) {
        const std::size_t end = std::min(block.find('\n', at), block.size());
        const std::string line = block.substr(at, end - at);
        if (line.starts_with("id: ")) event.id = line.substr(4);
        if (line.starts_with("event: ")) event.name = line.substr(7);
        if (line.starts_with("data: ")) event.data = boost::json::parse(line.substr(6));
        at = end + 1;
      }
      if (event.name == name) return event;
    }
  }

 private:
  // Chunk sizes stand on lines of their own, which no field of an event looks like.
  std::string next_block() {
    for (;;) {
      const std::size_t end = seen_.find("\n\n");
      if (end != std::string::npos) {
        std::string block = seen_.substr(0, end);
        seen_.erase(0, end + 2);
        return block;
      }
      auto got = std::make_shared<std::promise<std::size_t>>();
      auto room = std::make_shared<std::array<std::byte, 65536>>();
      stream_->read_some(*room, kFeedPatience,
                         [got, room](Result<std::size_t> r) { got->set_value(r.value_or(0)); });
      const std::size_t size = got->get_future().get();
      if (size == 0) return {};
      seen_ += as_text({room->data(), size});
    }
  }

  std::optional<io::TcpStream> stream_;
  std::string request_;
  std::string seen_;
};

class LiveFeedTest : public ::testing::Test {
 protected:
  LiveFeedTest() : directory_(testing::TempDir() + "adbrook-live-" + std::to_string(::getpid())) {
    std::filesystem::remove_all(directory_);
    Settings settings;
    settings.engine.data = directory_;
    settings.http.listen = "127.0.0.1:0";
    settings.engine.threads = 2;
    service_ = std::move(Service::start(settings, [](std::string_view) {}).value());
    port_ = http::parse_host_port(service_->engine().url().substr(7)).value().port;
  }
  ~LiveFeedTest() override {
    service_.reset();
    executor_.stop();
    std::filesystem::remove_all(directory_);
  }

  void post(const std::string& target, const std::string& body) {
    auto server = ServerConnection::open(posts_, service_->engine().url());
    const auto answer = server->exchange({.method = http::Method::post,
                                          .target = target,
                                          .content_type = "application/json",
                                          .body = body});
    EXPECT_EQ(answer.value().status, 202) << answer.value().body;
  }

  const std::string directory_;
  io::ThreadExecutor executor_{1};
  io::ThreadExecutor posts_{1};
  io::Network network_{executor_};
  std::unique_ptr<Service> service_;
  std::uint16_t port_ = 0;
};

TEST_F(LiveFeedTest, an_event_is_shown_once_it_is_committed_and_counts_in_the_windows) {
  StreamReader reader(network_, port_);
  const auto hello = reader.next("hello");
  EXPECT_EQ(hello.data.at("frame_ms"), LiveFeed::kFrameInterval.count());
  while (reader.next("frame").data.at("state") != "running") {
  }
  post("/v1/impressions",
       R"({"uuid":"0f7e1c2a-9b3d-4e5f-8a6b-7c8d9e0f1a2b","timestamp":1700000000000,"campaignId":7,)"
       R"("pubId":3,"country":"FR","city":"</script>","latitude":48.8566,"longitude":2.3522,)"
       R"("priceMicros":1500,"currency":"EUR"})");
  boost::json::value frame;
  do frame = reader.next("frame").data;
  while (frame.at("events").as_array().empty());
  const auto& event = frame.at("events").at(0);
  EXPECT_EQ(event.at("id"), "0f7e1c2a-9b3d-4e5f-8a6b-7c8d9e0f1a2b");
  EXPECT_EQ(event.at("outcome"), "counted");
  EXPECT_EQ(event.at("city"), "</script>");
  EXPECT_EQ(event.at("lat"), 48.86);
  EXPECT_EQ(frame.at("seen").at(0), 1);
  for (const auto& window : frame.at("windows").as_array()) {
    EXPECT_EQ(window.at("impressions"), 1);
    EXPECT_EQ(window.at("spend_micros").at("EUR"), 1500);
    EXPECT_EQ(window.at("ctr"), 0);
  }
  // Whoever is shown it can open it.
  auto server = ServerConnection::open(posts_, service_->engine().url());
  const auto life = server->exchange({.target = "/v1/events/0f7e1c2a-9b3d-4e5f-8a6b-7c8d9e0f1a2b"});
  EXPECT_NE(life.value().body.find("\"counted\""), std::string::npos) << life.value().body;
}

TEST_F(LiveFeedTest, a_reader_that_comes_again_is_not_greeted_anew) {
  StreamReader first(network_, port_);
  const std::string id = first.next("frame").id;
  StreamReader again(network_, port_, "Last-Event-ID: " + id + "\r\n");
  const auto next = again.next("frame");
  EXPECT_EQ(next.id.substr(0, next.id.find('-')), id.substr(0, id.find('-')));
  EXPECT_GT(std::stoul(next.id.substr(next.id.find('-') + 1)),
            std::stoul(id.substr(id.find('-') + 1)));
}

TEST_F(LiveFeedTest, frames_keep_coming_without_traffic) {
  StreamReader reader(network_, port_);
  const auto first = reader.next("frame").data.at("at").as_int64();
  const auto second = reader.next("frame").data.at("at").as_int64();
  EXPECT_GE(second, first);
}

}  // namespace
}  // namespace adbrook::app
