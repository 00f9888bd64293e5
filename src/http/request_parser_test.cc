#include "http/request_parser.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdlib>

namespace adbrook::http {
namespace {

using State = RequestParser::State;

std::string gzip(const std::string& plain) {
  z_stream z{};
  EXPECT_EQ(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&z, plain.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  z.avail_in = static_cast<uInt>(plain.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

std::string post(const std::string& fields, const std::string& body) {
  return "POST /v1/clicks HTTP/1.1\r\nHost: x\r\n" + fields +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// The status with which these bytes are refused, 0 when they make a request, -1 when more is
// needed.
int verdict(const std::string& bytes, ParserLimits limits = {}) {
  RequestParser parser(limits);
  parser.feed(bytes);
  if (parser.state() == State::complete) return 0;
  return parser.state() == State::refused ? parser.refusal().problem.status : -1;
}

TEST(RequestParser, a_request_is_taken_apart) {
  RequestParser parser({});
  const std::string bytes =
      "GET /v1/reports/click-through?by=country&x=1?2 HTTP/1.1\r\nhost: a\r\nAccept:  text/csv "
      "\r\n\r\n";
  EXPECT_EQ(parser.feed(bytes + "next"), bytes.size());
  ASSERT_EQ(parser.state(), State::complete);
  const Request request = parser.take();
  EXPECT_EQ(request.method, Method::get);
  EXPECT_EQ(request.path, "/v1/reports/click-through");
  EXPECT_EQ(request.query, "by=country&x=1?2");
  EXPECT_EQ(request.fields.find("HOST"), "a");
  EXPECT_EQ(request.fields.find("accept"), "text/csv");
  EXPECT_TRUE(request.keep_alive);
  EXPECT_EQ(parser.state(), State::head);
}

TEST(RequestParser, any_cut_of_the_bytes_gives_the_same_requests) {
  const std::string one = post("X: 1\r\n", "hello");
  const std::string two =
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: x\r\n\r\n";
  const std::string bytes = one + two;
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    RequestParser parser({});
    std::string waiting;
    std::vector<std::string> bodies;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      waiting += bytes.substr(at, piece);
      for (;;) {
        waiting.erase(0, parser.feed(waiting));
        if (parser.state() != State::complete) break;
        bodies.push_back(parser.take().body);
      }
    }
    EXPECT_EQ(bodies, (std::vector<std::string>{"hello", "hello world"})) << "pieces of " << piece;
    EXPECT_TRUE(waiting.empty());
  }
}

TEST(RequestParser, what_two_parsers_could_read_differently_is_refused) {
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\n";
  const std::vector<std::pair<std::string, int>> corpus{
      {head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {head + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400},
      {head + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400},
      {head + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400},
      {head + "Content-Length: 5, 5\r\n\r\nhello", 400},
      {head + "Content-Length: +5\r\n\r\nhello", 400},
      {head + "Content-Length: -5\r\n\r\nhello", 400},
      {head + "Content-Length: 0x5\r\n\r\nhello", 400},
      {head + "Content-Length: 5 5\r\n\r\nhello", 400},
      {head + "Content-Length: \r\n\r\nhello", 400},
      {head + "Content-Length: 99999999999999999999999\r\n\r\nhello", 400},
      {head + "Content-Length : 5\r\n\r\nhello", 400},
      {head + " Content-Length: 5\r\n\r\nhello", 400},
      {head + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
      {head + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501},
      {head + "Transfer-Encoding: identity\r\n\r\n", 501},
      {head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", 400},
      {head + "Transfer-Encoding:\x0b chunked\r\n\r\n0\r\n\r\n", 400},
      {head + "X: a\r\n b\r\nContent-Length: 0\r\n\r\n", 400},
      {head + "X: a\r\n\tContent-Length: 9\r\nContent-Length: 0\r\n\r\n", 400},
      {head + "X: a\nContent-Length: 0\r\n\r\n", 400},
      {head + "X: a\rContent-Length: 0\r\n\r\n", 400},
      {head + "X: a" + std::string(1, '\0') + "b\r\nContent-Length: 0\r\n\r\n", 400},
      {head + "X\r\nContent-Length: 0\r\n\r\n", 400},
      {head + ": a\r\nContent-Length: 0\r\n\r\n", 400},
      {head + "X Y: a\r\nContent-Length: 0\r\n\r\n", 400},
      {"POST / HTTP/1.1\nHost: x\nContent-Length: 0\n\n", 400},
      {"POST / HTTP/1.1\r\nHost: x\r\nHost: y\r\nContent-Length: 0\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /\tHTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET / a HTTP/1.1\r\nHost: x\r\n\r\n", 505},
      {"GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 505},
      {"GET / http/1.1\r\nHost: x\r\n\r\n", 505},
      {"GET /#a HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET x HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /\r\n\r\n", 400},
      {"GET /fer \r\n\r\n", 400},
      {"\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {" GET / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
      {"CONNECT a:80 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {head + "\r\n", 411},
      {head + "Expect: magic\r\nContent-Length: 0\r\n\r\n", 417},
      {head + "Content-Encoding: br\r\nContent-Length: 0\r\n\r\n", 415},
  };
  for (const auto& [bytes, status] : corpus) EXPECT_EQ(verdict(bytes), status) << bytes;
}

TEST(RequestParser, broken_chunks_are_refused) {
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const char* body :
       {"g\r\nhello\r\n0\r\n\r\n", "5\nhello\r\n0\r\n\r\n", "5\r\nhelloX\r\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n", "\r\n0\r\n\r\n",
        "5 \x01\r\nhello\r\n0\r\n\r\n", "fffffffffffffffff\r\nhello\r\n0\r\n\r\n"})
    EXPECT_EQ(verdict(head + body), 400) << body;
  // A quote that is still open at the end of the line is no end of the line; it never completes.
  EXPECT_EQ(verdict(head + "5;a=\"\r\nhello\r\n0\r\n\r\n"), -1);
  EXPECT_EQ(verdict(head + "5;a=\"\r\nhello\"\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(verdict(head + "5;" + std::string(kChunkFrameSizeMax, 'a')), 400);
  EXPECT_EQ(verdict(head + "0\r\nX: " + std::string(kChunkFrameSizeMax, 'a')), 400);
}

TEST(RequestParser, sizes_have_limits) {
  const ParserLimits limits{.request_line = {100}, .head = {200}, .body = {10}};
  EXPECT_EQ(verdict("GET /" + std::string(100, 'a'), limits), 414);
  EXPECT_EQ(verdict("GET / HTTP/1.1\r\nX: " + std::string(200, 'a'), limits), 431);
  EXPECT_EQ(verdict(post("", "0123456789"), limits), 0);
  EXPECT_EQ(verdict(post("", "0123456789a"), limits), 413);
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(verdict(head + "a\r\n0123456789\r\n0\r\n\r\n", limits), 0);
  EXPECT_EQ(verdict(head + "a\r\n0123456789\r\n1\r\na\r\n0\r\n\r\n", limits), 413);
  std::string many = "GET / HTTP/1.1\r\nHost: x\r\n";
  for (std::size_t i = 0; i < kFieldCountMax; ++i) many += "a: b\r\n";
  EXPECT_EQ(verdict(many + "\r\n"), 431);
}

TEST(RequestParser, a_gzip_body_is_inflated_also_in_members) {
  RequestParser parser({});
  parser.feed(post("Content-Encoding: gzip\r\n", gzip("one ") + gzip("two")));
  ASSERT_EQ(parser.state(), State::complete);
  EXPECT_EQ(parser.take().body, "one two");
}

TEST(RequestParser, a_gzip_bomb_is_stopped_early) {
  const std::string zeros(64 << 20, '\0');
  const std::string bomb = gzip(zeros);
  ASSERT_LT(bomb.size(), 100'000U);
  const auto feed = [&](Bytes body_max) {
    RequestParser parser({.body = body_max});
    parser.feed(post("Content-Encoding: gzip\r\n", bomb));
    EXPECT_EQ(parser.state(), State::refused);
    EXPECT_EQ(parser.refusal().problem.status, 413);
    // What was inflated before the limit is all the memory it got.
    EXPECT_LE(parser.request().body.size(), static_cast<std::size_t>(body_max.count) + (1 << 16));
    return parser.refusal().problem.detail;
  };
  EXPECT_NE(feed(16_MiB).find("200 times"), std::string::npos);
  EXPECT_NE(feed(1_MiB).find("1048576 bytes"), std::string::npos);
}

TEST(RequestParser, damaged_gzip_is_refused) {
  const std::string whole = gzip(std::string(5000, 'a'));
  EXPECT_EQ(verdict(post("Content-Encoding: gzip\r\n", whole.substr(0, whole.size() - 3))), 400);
  EXPECT_EQ(verdict(post("Content-Encoding: gzip\r\n", "not gzip at all")), 400);
  EXPECT_EQ(verdict(post("Content-Encoding: gzip\r\n", whole + "garbage behind it")), 400);
  EXPECT_EQ(verdict(post("Content-Encoding: gzip\r\n", "")), 400);
}

TEST(RequestParser, a_sender_that_waits_for_100_continue_is_noticed) {
  RequestParser parser({});
  parser.feed("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_TRUE(parser.expects_continue());
  parser.feed("ab");
  EXPECT_EQ(parser.state(), State::complete);
}

TEST(RequestParser, keep_alive_is_the_rule_from_http_1_1_on) {
  const auto keeps = [](const std::string& version, const std::string& connection) {
    RequestParser parser({});
    parser.feed("GET / HTTP/" + version + "\r\nHost: x\r\n" + connection + "\r\n");
    return parser.take().keep_alive;
  };
  EXPECT_TRUE(keeps("1.1", ""));
  EXPECT_FALSE(keeps("1.1", "Connection: close\r\n"));
  EXPECT_FALSE(keeps("1.0", ""));
  EXPECT_TRUE(keeps("1.0", "Connection: keep-alive\r\n"));
}

TEST(RequestParser, the_absolute_form_is_understood) {
  RequestParser parser({});
  parser.feed("GET http://x:80/a?b HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(parser.take().path, "/a");
}

}  // namespace
}  // namespace adbrook::http
