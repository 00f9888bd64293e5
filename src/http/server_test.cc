#include "http/server.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <array>
#include <atomic>
#include <future>
#include <mutex>
#include <optional>
#include <thread>

#include "http/client.h"
#include "io/thread_executor.h"

namespace adbrook::http {
namespace {

constexpr Millis kServerPatience{20'000};

// A client that sends any bytes and reads any bytes.
class RawPeer {
 public:
  RawPeer(io::Network& network, std::uint16_t port) {
    auto connected = std::make_shared<std::promise<void>>();
    network.connect("127.0.0.1", port, kServerPatience,
                    [this, connected](Result<io::TcpStream> stream) {
                      if (stream) stream_.emplace(std::move(*stream));
                      connected->set_value();
                    });
    connected->get_future().wait();
  }

  bool send(const std::string& text) {
    auto sent = std::make_shared<std::promise<bool>>();
    auto kept = std::make_shared<std::string>(text);
    stream_->write_all(as_bytes(*kept), kServerPatience,
                       [sent, kept](Result<void> r) { sent->set_value(r.has_value()); });
    return sent->get_future().get();
  }

  // Until `enough` or the end of the connection.
  std::string read_until(const std::function<bool(const std::string&)>& enough) {
    std::string seen;
    while (!enough(seen)) {
      auto got = std::make_shared<std::promise<std::size_t>>();
      auto room = std::make_shared<std::array<std::byte, 65536>>();
      stream_->read_some(*room, kServerPatience,
                         [got](Result<std::size_t> r) { got->set_value(r.value_or(0)); });
      const std::size_t size = got->get_future().get();
      if (size == 0) break;
      seen += as_text({room->data(), size});
    }
    return seen;
  }
  std::string read_to_end() {
    return read_until([](const std::string&) { return false; });
  }
  void end_writes() { stream_->end_writes(); }

 private:
  std::optional<io::TcpStream> stream_;
};

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() { options_.listen = "127.0.0.1:0"; }
  ~ServerTest() override {
    server_.reset();
    for (auto& held : held_) held.reset();
    executor_.stop();
  }

  void start() {
    Router router(metrics_);
    router.add(Method::get, "/hello/{name}", [](Request request, Responder responder) {
      responder.send({.content_type = "text/plain",
                      .body = "hello " + std::string(request.parameter("name")) + "\n"});
    });
    const RouteOptions bodies{.content_types = {"text/plain"},
                              .cross_origin = CrossOrigin::listed_origins};
    router.add(
        Method::post, "/size",
        [](Request request, Responder responder) {
          responder.send({.body = std::to_string(request.body.size())});
        },
        bodies);
    router.add(Method::get, "/later", [this](Request, Responder responder) {
      executor_.post(
          [r = std::make_shared<Responder>(std::move(responder))] { r->send({.body = "later"}); });
    });
    router.add(Method::get, "/held", [this](Request, Responder responder) {
      const std::lock_guard lock(mutex_);
      held_.emplace_back(std::move(responder));
      held_changed_.notify_all();
    });
    router.add(Method::get, "/dropped", [](Request, Responder) {});
    router.add(Method::get, "/pieces", [](Request, Responder responder) {
      Response response{.body = "first,"};
      response.pieces = [n = 0]() mutable -> Result<std::string> {
        return ++n > 100 ? "" : std::string(100'000, 'x');
      };
      responder.send(std::move(response));
    });
    auto server = Server::start(network_, clock_, metrics_, std::move(router), options_);
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }

  RawPeer peer() { return RawPeer(network_, server_->port()); }
  Client client() { return Client(network_, {"127.0.0.1", server_->port()}, {}); }
  // Sends the bytes on a new connection and reads until the server closes it.
  std::string talk(const std::string& bytes) {
    RawPeer one = peer();
    one.send(bytes);
    one.end_writes();
    return one.read_to_end();
  }
  std::string get(const std::string& path, const std::string& fields = "") {
    return talk("GET " + path + " HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n");
  }
  Responder wait_for_held() {
    std::unique_lock lock(mutex_);
    held_changed_.wait(lock, [&] { return !held_.empty(); });
    Responder responder = std::move(*held_.back());
    held_.pop_back();
    return responder;
  }

  io::ThreadExecutor executor_{2};
  io::Network network_{executor_};
  io::RealClock clock_;
  Metrics metrics_;
  ServerOptions options_;
  std::mutex mutex_;
  std::condition_variable held_changed_;
  std::vector<std::optional<Responder>> held_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, answers_carry_the_safety_fields) {
  start();
  const std::string answer = get("/hello/%41b");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  for (const char* part : {"X-Content-Type-Options: nosniff\r\n", "Cache-Control: no-store\r\n",
                           "Content-Security-Policy: default-src 'self'\r\n", " GMT\r\n",
                           "Content-Length: 9\r\n", "\r\n\r\nhello Ab\n"})
    EXPECT_NE(answer.find(part), std::string::npos) << part;
}

TEST_F(ServerTest, pipelined_requests_are_answered_in_their_order) {
  start();
  std::string bytes;
  for (int i = 0; i < 100; ++i) {
    const char* path = i % 3 == 0 ? "/later" : "/hello/";
    bytes += "GET " + std::string(path) + (i % 3 == 0 ? "" : std::to_string(i)) +
             " HTTP/1.1\r\nHost: x\r\n\r\n";
  }
  const std::string answers = talk(bytes);
  EXPECT_EQ(occurrences(answers, "HTTP/1.1 200 OK"), 100U);
  std::size_t at = 0;
  for (int i = 0; i < 100; ++i) {
    const std::string wanted = i % 3 == 0 ? "\r\n\r\nlater" : "hello " + std::to_string(i) + "\n";
    at = answers.find(wanted, at);
    ASSERT_NE(at, std::string::npos) << wanted;
  }
}

TEST_F(ServerTest, head_gets_the_fields_without_the_body) {
  start();
  const std::string answer = talk("HEAD /hello/x HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_NE(answer.find("Content-Length: 8\r\n"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(ServerTest, unknown_paths_methods_and_types_are_told_what_there_is) {
  start();
  EXPECT_TRUE(get("/nothing").starts_with("HTTP/1.1 404 "));
  EXPECT_TRUE(get("/hello/").starts_with("HTTP/1.1 404 "));
  EXPECT_TRUE(get("/hello/%zz").starts_with("HTTP/1.1 400 "));
  const std::string wrong = talk("BREW /hello/x HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(wrong.starts_with("HTTP/1.1 405 ")) << wrong;
  EXPECT_NE(wrong.find("Allow: OPTIONS, GET, HEAD\r\n"), std::string::npos);
  EXPECT_NE(wrong.find("application/problem+json"), std::string::npos);
  const std::string type = talk(
      "POST /size HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 1\r\n\r\nx");
  EXPECT_TRUE(type.starts_with("HTTP/1.1 415 ")) << type;
  EXPECT_NE(type.find("\"field\":\"Content-Type\""), std::string::npos);
}

TEST_F(ServerTest, a_refused_request_ends_the_connection) {
  start();
  const std::string smuggled =
      "POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
      "0\r\n\r\nGET /hello/evil HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string answer = talk(smuggled);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
  EXPECT_EQ(occurrences(answer, "\r\nDate: "), 1U) << answer;
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
  EXPECT_NE(metrics_.text().find("adbrook_http_refused_total{reason=\"malformed\"} 1"),
            std::string::npos);
}

TEST_F(ServerTest, a_20_mb_body_gets_413_and_the_client_can_read_it) {
  start();
  Client one = client();
  const auto answer = one.send_and_wait({.method = Method::post,
                                         .target = "/size",
                                         .content_type = "text/plain",
                                         .body = std::string(20'000'000, 'x')});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 413);
  const auto fits = one.send_and_wait({.method = Method::post,
                                       .target = "/size",
                                       .content_type = "text/plain",
                                       .body = std::string(16 << 20, 'x')});
  ASSERT_TRUE(fits) << fits.error().message;
  EXPECT_EQ(fits->body, std::to_string(16 << 20));
}

TEST_F(ServerTest, a_gzip_bomb_gets_413) {
  start();
  std::string plain(32 << 20, '\0');
  std::string packed(compressBound(plain.size()) + 64, '\0');
  z_stream z{};
  ASSERT_EQ(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
  z.next_in = reinterpret_cast<Bytef*>(plain.data());
  z.avail_in = static_cast<uInt>(plain.size());
  z.next_out = reinterpret_cast<Bytef*>(packed.data());
  z.avail_out = static_cast<uInt>(packed.size());
  ASSERT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
  packed.resize(z.total_out);
  deflateEnd(&z);
  Client one = client();
  const auto answer = one.send_and_wait({.method = Method::post,
                                         .target = "/size",
                                         .body = packed,
                                         .fields = {{"Content-Encoding", "gzip"}}});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 413);
}

TEST_F(ServerTest, all_bodies_together_have_a_limit) {
  options_.bodies_max = {1000};
  start();
  const std::string head = "POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n";
  RawPeer first = peer();
  first.send(head + std::string(800, 'x'));
  const auto whole = [](const std::string& seen) { return seen.find("\r\n\r\n") != seen.npos; };
  // The first body may still be on its way; the second is refused as soon as both are here.
  std::string answer;
  for (bool refused = false; !refused;) {
    RawPeer one = peer();
    one.send(head + std::string(900, 'x'));
    answer = one.read_until(whole);
    refused = !answer.starts_with("HTTP/1.1 200");
  }
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
  EXPECT_NE(answer.find("Retry-After: 1\r\n"), std::string::npos);
  first.send(std::string(100, 'x'));
  EXPECT_TRUE(first.read_until(whole).starts_with("HTTP/1.1 200 "));
}

TEST_F(ServerTest, a_slow_head_is_cut_off) {
  options_.header_timeout = Millis(100);
  start();
  RawPeer slow = peer();
  slow.send("GET /hello/x HTTP/1.1\r\nHo");
  EXPECT_TRUE(slow.read_to_end().starts_with("HTTP/1.1 408 "));
}

TEST_F(ServerTest, an_idle_connection_is_closed_without_a_word) {
  options_.idle_timeout = Millis(100);
  start();
  EXPECT_EQ(peer().read_to_end(), "");
}

TEST_F(ServerTest, a_dropped_request_is_answered_500) {
  start();
  EXPECT_TRUE(get("/dropped").starts_with("HTTP/1.1 500 "));
}

TEST_F(ServerTest, a_sender_is_told_to_continue) {
  start();
  RawPeer one = peer();
  one.send("POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  const auto has_head = [](const std::string& seen) { return seen.ends_with("\r\n\r\n"); };
  EXPECT_EQ(one.read_until(has_head), "HTTP/1.1 100 Continue\r\n\r\n");
  one.send("abc");
  one.end_writes();
  EXPECT_TRUE(one.read_to_end().ends_with("\r\n\r\n3"));
}

TEST_F(ServerTest, a_long_answer_comes_in_pieces) {
  start();
  Client one = client();
  for (int i = 0; i < 2; ++i) {
    const auto answer = one.send_and_wait({.target = "/pieces"});
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->body.size(), 6U + 100 * 100'000U);
  }
  const std::string old = talk("GET /pieces HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.find("chunked"), std::string::npos);
  EXPECT_EQ(old.size() - old.find("\r\n\r\n") - 4, 6U + 100 * 100'000U);
}

TEST_F(ServerTest, only_listed_origins_may_call_from_a_browser) {
  options_.cors_origins = {"https://shop.example"};
  start();
  const auto preflight = [&](const std::string& path, const std::string& origin) {
    return talk("OPTIONS " + path + " HTTP/1.1\r\nHost: x\r\nOrigin: " + origin +
                "\r\nAccess-Control-Request-Method: POST\r\n\r\n");
  };
  const std::string allowed = preflight("/size", "https://shop.example");
  EXPECT_TRUE(allowed.starts_with("HTTP/1.1 204 "));
  EXPECT_NE(allowed.find("Access-Control-Allow-Origin: https://shop.example\r\n"),
            std::string::npos);
  EXPECT_NE(allowed.find("Access-Control-Allow-Methods: "), std::string::npos);
  EXPECT_EQ(preflight("/size", "https://evil.example").find("Access-Control"), std::string::npos);
  EXPECT_EQ(preflight("/held", "https://shop.example").find("Access-Control"), std::string::npos);
}

TEST_F(ServerTest, connections_beyond_the_limit_are_turned_away) {
  options_.connections_max = 1;
  start();
  RawPeer first = peer();
  first.send("GET /hello/x HTTP/1.1\r\nHost: x\r\n\r\n");
  first.read_until([](const std::string& seen) { return seen.ends_with("hello x\n"); });
  EXPECT_TRUE(peer().read_to_end().starts_with("HTTP/1.1 503 "));
}

TEST_F(ServerTest, stopping_answers_what_is_under_way_and_closes_the_rest) {
  start();
  RawPeer idle = peer();
  RawPeer busy = peer();
  busy.send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
  Responder held = wait_for_held();
  std::jthread stopping([&] { server_->stop(kServerPatience); });
  EXPECT_EQ(idle.read_to_end(), "");  // closed by the stop, long before its timeout
  held.send({.body = "in time"});
  const std::string answer = busy.read_to_end();
  EXPECT_TRUE(answer.ends_with("in time")) << answer;
  busy.end_writes();
  stopping.join();
  Client late = client();
  const auto refused = late.send_and_wait({.target = "/hello/x"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::io_failed);
  EXPECT_NE(refused.error().message.find("127.0.0.1:"), std::string::npos);
}

TEST_F(ServerTest, thousands_of_requests_on_many_connections_are_all_answered) {
  start();
  constexpr int kClients = 16;
  constexpr int kRequests = 500;
  std::atomic<int> good = 0;
  std::vector<std::jthread> threads;
  for (int c = 0; c < kClients; ++c) {
    threads.emplace_back([&, c] {
      Client one = client();
      for (int i = 0; i < kRequests; ++i) {
        const std::string name = std::to_string(c) + "-" + std::to_string(i);
        const bool later = i % 2 == 0;
        const auto answer = one.send_and_wait({.target = later ? "/later" : "/hello/" + name});
        if (answer && answer->body == (later ? "later" : "hello " + name + "\n")) ++good;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(good, kClients * kRequests);
  const std::string text = metrics_.text();
  EXPECT_NE(text.find("adbrook_http_requests_total{route=\"/later\",method=\"GET\",status=\"2xx\"} "
                      "4000"),
            std::string::npos)
      << text;
}

TEST_F(ServerTest, a_client_repeats_a_read_on_a_connection_that_was_closed_meanwhile) {
  options_.idle_timeout = Millis(30);
  start();
  Client one = client();
  ASSERT_TRUE(one.send_and_wait({.target = "/hello/a"}));
  EXPECT_EQ(peer().read_to_end(), "");  // by now the client's connection was closed as well
  const auto again = one.send_and_wait({.target = "/hello/b"});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->body, "hello b\n");
}

TEST(HostPort, addresses_are_taken_apart) {
  EXPECT_EQ(parse_host_port("127.0.0.1:80")->port, 80);
  EXPECT_EQ(parse_host_port("[::1]:8080")->host, "::1");
  for (const char* text : {"", ":80", "localhost", "a:", "a:70000", "a:8x", "::1:80", "[]:80"})
    EXPECT_FALSE(parse_host_port(text)) << text;
  EXPECT_EQ(parse_server_url("http://localhost:8080/")->port, 8080);
  EXPECT_EQ(parse_server_url("http://localhost")->port, 80);
  EXPECT_FALSE(parse_server_url("https://localhost"));
  EXPECT_FALSE(parse_server_url("http://localhost/path"));
}

}  // namespace
}  // namespace adbrook::http
