#include "http/request_parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <cstring>

#include "base/assert.h"
#include "base/text.h"

namespace adbrook::http {
namespace {

namespace beast = boost::beast;
using BeastError = beast::error_code;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

Method method_of(beast::http::verb verb) {
  switch (verb) {
    case beast::http::verb::get: return Method::get;
    case beast::http::verb::head: return Method::head;
    case beast::http::verb::post: return Method::post;
    case beast::http::verb::put: return Method::put;
    case beast::http::verb::delete_: return Method::delete_;
    case beast::http::verb::patch: return Method::patch;
    case beast::http::verb::options: return Method::options;
    default: return Method::other;
  }
}

bool has_body_by_nature(Method method) {
  return method == Method::post || method == Method::put || method == Method::patch;
}

bool only_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

// Hands Beast's events to the request; an error that `owner` has noted stops Beast too.
struct RequestParser::Message final : beast::http::basic_parser<true> {
  explicit Message(RequestParser& parser) : owner(parser) {
    eager(true);
    body_limit(boost::none);  // add_body() counts what comes out, which is what costs memory
    header_limit(static_cast<std::uint32_t>(parser.limits_.head.count) + 1);
  }

  RequestParser& owner;
  bool in_head = true;
  std::string target;
  int version = 0;

  void stop_if_refused(BeastError& error) const {
    if (owner.state_ == State::refused) error = beast::http::error::bad_value;
  }

  void on_request_impl(beast::http::verb verb, beast::string_view, beast::string_view text,
                       int http_version, BeastError&) override {
    owner.request_.method = method_of(verb);
    target = view(text);
    version = http_version;
  }
  void on_response_impl(int, beast::string_view, int, BeastError&) override {}
  void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value,
                     BeastError& error) override {
    if (!in_head) return;  // trailers change nothing
    if (owner.request_.fields.size() == kFieldCountMax)
      owner.refuse(
          431, "head_too_large",
          "head: more than " + std::to_string(kFieldCountMax) + " header fields; send fewer");
    else
      owner.request_.fields.add(view(name), view(value));
    stop_if_refused(error);
  }
  void on_header_impl(BeastError& error) override {
    in_head = false;
    owner.check_head();
    stop_if_refused(error);
  }
  void on_body_init_impl(boost::optional<std::uint64_t> const&, BeastError&) override {}
  std::size_t on_body_impl(beast::string_view piece, BeastError& error) override {
    owner.add_body(view(piece));
    stop_if_refused(error);
    return piece.size();
  }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, BeastError&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view piece,
                                 BeastError& error) override {
    return on_body_impl(piece, error);
  }
  void on_finish_impl(BeastError&) override {}
};

RequestParser::RequestParser(ParserLimits limits) : limits_(limits) {}
RequestParser::~RequestParser() = default;

std::size_t RequestParser::feed(std::string_view bytes) {
  std::size_t consumed = 0;
  if (state_ == State::head) consumed = feed_head(bytes);
  if (state_ == State::body) consumed += feed_body(bytes.substr(consumed));
  return consumed;
}

std::size_t RequestParser::feed_head(std::string_view bytes) {
  if (!find_head_end(bytes)) return 0;
  message_ = std::make_unique<Message>(*this);
  BeastError error;
  const std::size_t consumed =
      message_->put(boost::asio::const_buffer(bytes.data(), head_end_), error);
  if (state_ == State::refused) return consumed;
  if (error == beast::http::error::bad_version) {
    refuse(505, "version", "request line: only HTTP/1.1 and HTTP/1.0 are spoken here");
    return consumed;
  }
  // The head is whole, so a wish for more means that a line is too short for what it must hold.
  if (error || consumed != head_end_) {
    refuse(400, "malformed",
           "head: " + (error ? error.message() : "cut short") + "; send HTTP/1.1 as in RFC 9112");
    return consumed;
  }
  state_ = State::body;
  if (message_->is_done()) finish();
  return consumed;
}

// Looks at each line of the head once, however small the pieces are in which it comes.
bool RequestParser::find_head_end(std::string_view bytes) {
  const auto request_line_max = static_cast<std::size_t>(limits_.request_line.count);
  while (scanned_ < bytes.size()) {
    const auto end = bytes.find('\n', std::max(scanned_, searched_));
    const std::size_t size = std::min(end, bytes.size());
    searched_ = size;
    if (head_end_ == 0 && size > request_line_max) {
      refuse(414, "request_line_too_long",
             "request line: longer than " + std::to_string(request_line_max) +
                 " bytes; send the event in a POST body");
      return false;
    }
    if (size > static_cast<std::size_t>(limits_.head.count)) {
      refuse(431, "head_too_large",
             "head: more than " + std::to_string(limits_.head.count) +
                 " bytes; send fewer or shorter header fields");
      return false;
    }
    if (end == std::string_view::npos) return false;
    if (end == 0 || bytes[end - 1] != '\r') {
      refuse(400, "malformed", "head: a line ends in LF alone; end each line in CR LF");
      return false;
    }
    const std::string_view line = bytes.substr(scanned_, end - 1 - scanned_);
    const bool first = scanned_ == 0;
    scanned_ = end + 1;
    head_end_ = scanned_;
    if (line.empty() && !first) return true;
    if (line.empty() || line.front() == ' ' || line.front() == '\t') {
      refuse(400, "malformed",
             first ? "request line: it is empty; start with the method"
                   : "head: a header field is folded over two lines; send it in one");
      return false;
    }
  }
  return false;
}

void RequestParser::check_head() {
  if (message_->version != 10 && message_->version != 11)
    return refuse(505, "version", "request line: only HTTP/1.1 and HTTP/1.0 are spoken here");
  request_.keep_alive = message_->keep_alive();
  request_.http_1_0 = message_->version == 10;
  check_target(message_->target);
  if (state_ != State::refused) check_framing();
  if (state_ != State::refused) check_encoding();
}

void RequestParser::check_target(std::string_view target) {
  if (target == "*" && request_.method == Method::options) {
    request_.path = "*";
    return;
  }
  // The absolute form is what proxies send; every server must understand it (RFC 9112, 3.2.2).
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    const auto path = target.find('/', scheme.size());
    target = path == std::string_view::npos ? "/" : target.substr(path);
  }
  if (target.empty() || target.front() != '/' || target.find('#') != std::string_view::npos)
    return refuse(400, "malformed",
                  "request line: '" + printable(target) +
                      "' is no path; it must start with '/' and have no '#'");
  const auto question = std::min(target.find('?'), target.size());
  request_.path = target.substr(0, question);
  request_.query = target.substr(std::min(question + 1, target.size()));
}

// One way, and one way only, to know where the body ends (RFC 9112, 6.3).
void RequestParser::check_framing() {
  const Fields& fields = request_.fields;
  const std::size_t hosts = fields.count("Host");
  if (hosts > 1 || (hosts == 0 && message_->version == 11))
    return refuse(400, "malformed", "head: there must be exactly one Host", "Host");
  const std::size_t lengths = fields.count("Content-Length");
  const std::size_t codings = fields.count("Transfer-Encoding");
  if (lengths + codings > 1)
    return refuse(400, "framing",
                  "head: more than one Content-Length or Transfer-Encoding; send exactly one",
                  "Content-Length");
  if (lengths == 1 && !only_digits(fields.find("Content-Length")))
    return refuse(400, "framing", "head: Content-Length must be digits only", "Content-Length");
  chunked_ = codings == 1;
  if (chunked_ && message_->version == 10)
    return refuse(400, "framing", "head: HTTP/1.0 knows no Transfer-Encoding", "Transfer-Encoding");
  if (chunked_ && !equal_without_case(fields.find("Transfer-Encoding"), "chunked"))
    return refuse(501, "framing", "head: the only Transfer-Encoding here is 'chunked'",
                  "Transfer-Encoding");
  if (lengths + codings == 0 && has_body_by_nature(request_.method))
    return refuse(411, "length_required", "head: say the body's Content-Length, or send it chunked",
                  "Content-Length");
  const auto length = message_->content_length();
  if (length && *length > static_cast<std::uint64_t>(limits_.body.count))
    return refuse(413, "body_too_large",
                  "body: " + std::to_string(*length) + " bytes are more than the limit of " +
                      std::to_string(limits_.body.count) + "; send smaller batches");
}

void RequestParser::check_encoding() {
  const std::string_view expectation = request_.fields.find("Expect");
  expects_continue_ = equal_without_case(expectation, "100-continue");
  if (!expectation.empty() && !expects_continue_)
    return refuse(417, "expectation", "head: the only Expect here is '100-continue'", "Expect");
  const std::string_view encoding = request_.fields.find("Content-Encoding");
  if (encoding.empty() || equal_without_case(encoding, "identity")) return;
  if (request_.fields.count("Content-Encoding") > 1 ||
      !(equal_without_case(encoding, "gzip") || equal_without_case(encoding, "x-gzip")))
    return refuse(415, "content_encoding",
                  "head: Content-Encoding '" + printable(encoding) +
                      "' is not understood; send gzip or plain",
                  "Content-Encoding");
  inflater_ = std::make_unique<Inflater>(limits_.body);
}

std::size_t RequestParser::feed_body(std::string_view bytes) {
  std::size_t consumed = 0;
  while (state_ == State::body && consumed < bytes.size()) {
    BeastError error;
    const std::size_t taken = message_->put(
        boost::asio::const_buffer(bytes.data() + consumed, bytes.size() - consumed), error);
    consumed += taken;
    if (state_ == State::refused) break;
    if (error && error != beast::http::error::need_more) {
      refuse(400, "malformed", "body: " + error.message() + "; check the chunked encoding");
      break;
    }
    if (message_->is_done()) {
      finish();
      break;
    }
    if (taken == 0) break;
  }
  if (state_ == State::body && bytes.size() - consumed > kChunkFrameSizeMax)
    refuse(400, "malformed",
           "body: a chunk's size line or the trailers are longer than " +
               std::to_string(kChunkFrameSizeMax) + " bytes");
  return consumed;
}

void RequestParser::add_body(std::string_view piece) {
  body_received_ += piece.size();
  if (body_received_ > static_cast<std::size_t>(limits_.body.count))
    return refuse(413, "body_too_large",
                  "body: more than the limit of " + std::to_string(limits_.body.count) +
                      " bytes; send smaller batches");
  if (!inflater_) {
    request_.body += piece;
    return;
  }
  const auto inflated = inflater_->inflate(piece, request_.body);
  if (inflated) return;
  if (inflated.error().kind == ErrorKind::overloaded)
    return refuse(413, "decompression", inflated.error().message);
  refuse(400, "decompression", inflated.error().message, "Content-Encoding");
}

void RequestParser::finish() {
  if (inflater_) {
    const auto whole = inflater_->finish();
    if (!whole) return refuse(400, "decompression", whole.error().message, "Content-Encoding");
  }
  state_ = State::complete;
}

void RequestParser::refuse(int status, std::string_view reason, std::string detail,
                           std::string field) {
  if (state_ == State::refused) return;  // the first reason is the true one
  state_ = State::refused;
  refusal_ = {
      {.status = status, .title = {}, .detail = std::move(detail), .field = std::move(field)},
      reason};
}

Request RequestParser::take() {
  ADBROOK_ASSERT(state_ == State::complete, "only a whole request is taken");
  Request request = std::move(request_);
  restart();
  return request;
}

void RequestParser::restart() {
  state_ = State::head;
  expects_continue_ = false;
  scanned_ = searched_ = head_end_ = body_received_ = 0;
  request_ = Request{};
  inflater_.reset();
  message_.reset();
}

}  // namespace adbrook::http
