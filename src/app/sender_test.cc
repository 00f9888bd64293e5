#include "app/sender.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <sstream>

#include "base/metrics.h"
#include "http/server.h"

namespace adbrook::app {
namespace {

// A collector that keeps what it took, in order, and answers as the test says.
class FakeCollector {
 public:
  FakeCollector() {
    http::Router router(metrics_);
    for (const char* path : {"/v1/impressions", "/v1/clicks", "/v1/dead-letters"})
      router.add(http::Method::post, path,
                 [this, path](http::Request request, http::Responder responder) {
                   take(path, std::move(request), std::move(responder));
                 },
                 {.content_types = {"application/x-ndjson"}});
    auto started = http::Server::start(network_, clock_, metrics_, std::move(router),
                                       {.listen = "127.0.0.1:0"});
    EXPECT_TRUE(started) << started.error().message;
    server_ = std::move(*started);
  }
  ~FakeCollector() {
    server_->stop(Millis(1000));
    executor_.stop();
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }
  std::vector<std::string> lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  std::vector<std::size_t> sizes() {
    const std::lock_guard lock(mutex_);
    return sizes_;
  }
  std::atomic<int> fail_next{0};  // answers so many requests with 429
  std::atomic<int> status{202};
  std::string rejected;  // JSON list put into each answer

 private:
  void take(const char* path, http::Request request, http::Responder responder) {
    const std::lock_guard lock(mutex_);
    if (fail_next > 0) {
      --fail_next;
      return responder.send({.status = 429,
                             .content_type = "",
                             .body = "",
                             .fields = {{"Retry-After", "0"}},
                             .pieces = {}});
    }
    std::istringstream in(request.body);
    std::size_t count = 0;
    for (std::string line; std::getline(in, line); ++count)
      lines_.push_back(std::string(path + 4) + " " + line);
    sizes_.push_back(count);
    responder.send({.status = status,
                    .content_type = "application/json",
                    .body = "{\"accepted\":0,\"rejected\":[" + rejected + "]}",
                    .fields = {},
                    .pieces = {}});
  }

  io::ThreadExecutor executor_{1};
  io::RealClock clock_;
  io::Network network_{executor_};
  Metrics metrics_;
  std::mutex mutex_;  // the test reads what the server's thread writes
  std::vector<std::string> lines_;
  std::vector<std::size_t> sizes_;
  std::unique_ptr<http::Server> server_;
};

class SenderTest : public testing::Test {
 protected:
  Sender make(SenderOptions options = {}) { return Sender(server_, clock_, interrupt_, options); }
  static OutgoingEvent impression(std::int64_t second, std::string_view json) {
    return {Lane::impressions, {second * 1000}, json};
  }
  static OutgoingEvent click(std::int64_t second, std::string_view json) {
    return {Lane::clicks, {second * 1000}, json};
  }

  FakeCollector collector_;
  io::ThreadExecutor executor_{1};
  io::RealClock clock_;
  Interrupt interrupt_{executor_};
  ServerConnection server_ = *ServerConnection::open(executor_, collector_.url());
};

TEST_F(SenderTest, impressions_go_before_the_clicks_of_the_same_moments) {
  Sender sender = make();
  ASSERT_TRUE(sender.add(impression(1, "i1")));
  ASSERT_TRUE(sender.add(click(2, "c1")));
  ASSERT_TRUE(sender.add(impression(3, "i2")));
  ASSERT_TRUE(sender.flush());
  EXPECT_EQ(collector_.lines(),
            (std::vector<std::string>{"impressions i1", "impressions i2", "clicks c1"}));
  EXPECT_EQ(sender.acknowledged(), 3u);
}

TEST_F(SenderTest, no_topic_is_ahead_of_the_other_by_more_than_the_disorder) {
  Sender sender = make();
  for (int second = 0; second < 25; ++second) {
    ASSERT_TRUE(sender.add(impression(second, "i" + std::to_string(second))));
    if (second % 5 != 0) continue;
    ASSERT_TRUE(sender.add(click(second, "c" + std::to_string(second))));
  }
  ASSERT_TRUE(sender.flush());
  int last_impression = -1, last_click = -1;
  for (const auto& line : collector_.lines()) {
    const auto at = line.find(' ') + 2;
    (line.starts_with("clicks") ? last_click : last_impression) = std::stoi(line.substr(at));
    EXPECT_LE(last_impression - last_click, 10 + 5) << line;  // clicks are 5 s apart
  }
}

TEST_F(SenderTest, a_topic_alone_fills_its_requests) {
  Sender sender = make({.events_max = 10});
  for (int second = 0; second < 25; ++second) ASSERT_TRUE(sender.add(click(second * 3600, "c")));
  ASSERT_TRUE(sender.flush());
  EXPECT_EQ(collector_.sizes(), (std::vector<std::size_t>{10, 10, 5}));
}

TEST_F(SenderTest, what_was_not_acknowledged_is_sent_again_and_counted) {
  collector_.fail_next = 2;
  Sender sender = make({.first_pause = Millis(1), .last_pause = Millis(1)});
  ASSERT_TRUE(sender.add(click(1, "c1")));
  ASSERT_TRUE(sender.add(click(1, "c2")));
  ASSERT_TRUE(sender.flush());
  const LaneTotals& clicks = sender.totals()[1];
  EXPECT_EQ(clicks.sent, 2u);
  EXPECT_EQ(clicks.sent_again, 4u);
  EXPECT_EQ(clicks.accepted, 2u);
}

TEST_F(SenderTest, refused_events_are_counted_and_not_sent_again) {
  collector_.rejected = R"({"index":1,"field":"uuid","reason":"bad_uuid"})";
  Sender sender = make();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(sender.add(click(1, "c")));
  ASSERT_TRUE(sender.flush());
  EXPECT_EQ(sender.totals()[1].refused, 1u);
  EXPECT_EQ(sender.totals()[1].accepted, 2u);
  EXPECT_NE(sender.last_refusal().find("bad_uuid"), std::string::npos);
}

TEST_F(SenderTest, a_server_that_takes_no_events_ends_it_at_once) {
  collector_.status = 404;
  Sender sender = make();
  ASSERT_TRUE(sender.add(click(1, "c")));
  const auto sent = sender.flush();
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().kind, ErrorKind::invalid);
}

TEST_F(SenderTest, nobody_there_is_an_error_after_the_time_for_retries) {
  auto nowhere = *ServerConnection::open(executor_, "http://127.0.0.1:1");
  Sender sender(nowhere, clock_, interrupt_, {.retry_for = Millis(20), .first_pause = Millis(1)});
  ASSERT_TRUE(sender.add(click(1, "c")));
  const auto sent = sender.flush();
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().kind, ErrorKind::io_failed);
  EXPECT_NE(sent.error().message.find("adbrook serve"), std::string::npos) << sent.error().message;
}

TEST_F(SenderTest, an_interrupt_ends_it) {
  interrupt_.request();
  Sender sender = make();
  ASSERT_TRUE(sender.add(click(1, "c")));
  EXPECT_EQ(sender.flush().error().kind, ErrorKind::closed);
}

}  // namespace
}  // namespace adbrook::app
