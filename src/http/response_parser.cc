#include "http/response_parser.h"

#include <boost/beast/http/basic_parser.hpp>

namespace adbrook::http {
namespace {

namespace beast = boost::beast;
using BeastError = beast::error_code;

constexpr std::uint32_t kHeadSizeMax = 64 * 1024;

std::string_view view_of(beast::string_view text) { return {text.data(), text.size()}; }

std::unexpected<Error> unreadable(const BeastError& error) {
  return fail(ErrorKind::invalid, "the answer is not HTTP/1.1 (" + error.message() +
                                      "); check that the address is a server of Adbrook");
}

}  // namespace

struct ResponseParser::Message final : beast::http::basic_parser<false> {
  Message(ClientResponse& to, Bytes most)
      : response(to), body_max(static_cast<std::size_t>(most.count)) {
    eager(true);
    body_limit(boost::none);
    header_limit(kHeadSizeMax);
  }

  ClientResponse& response;
  std::size_t body_max;
  bool in_head = true;

  void on_request_impl(beast::http::verb, beast::string_view, beast::string_view, int,
                       BeastError&) override {}
  void on_response_impl(int code, beast::string_view, int, BeastError&) override {
    response.status = code;
  }
  void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value,
                     BeastError&) override {
    if (in_head) response.fields.add(view_of(name), view_of(value));
  }
  void on_header_impl(BeastError&) override { in_head = false; }
  void on_body_init_impl(boost::optional<std::uint64_t> const&, BeastError&) override {}
  std::size_t on_body_impl(beast::string_view piece, BeastError& error) override {
    if (piece.size() > body_max - response.body.size()) {
      error = beast::http::error::body_limit;
      return 0;
    }
    response.body += view_of(piece);
    return piece.size();
  }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, BeastError&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view piece,
                                 BeastError& error) override {
    return on_body_impl(piece, error);
  }
  void on_finish_impl(BeastError&) override {}
};

ResponseParser::ResponseParser(Bytes body_max, bool head_only)
    : message_(std::make_unique<Message>(response_, body_max)) {
  message_->skip(head_only);
}

ResponseParser::~ResponseParser() = default;

Result<std::size_t> ResponseParser::feed(std::string_view bytes) {
  std::size_t consumed = 0;
  while (!message_->is_done() && consumed < bytes.size()) {
    BeastError error;
    const std::size_t taken = message_->put(
        boost::asio::const_buffer(bytes.data() + consumed, bytes.size() - consumed), error);
    consumed += taken;
    if (error == beast::http::error::body_limit)
      return fail(ErrorKind::overloaded, "the answer is larger than " +
                                             std::to_string(message_->body_max) +
                                             " bytes; ask for less");
    if (error && error != beast::http::error::need_more) return unreadable(error);
    if (taken == 0) break;
  }
  if (!message_->is_done() && bytes.size() - consumed > kHeadSizeMax)
    return unreadable(beast::http::error::header_limit);
  return consumed;
}

Result<void> ResponseParser::end() {
  if (message_->is_done()) return {};
  BeastError error;
  if (message_->got_some()) message_->put_eof(error);
  if (error || !message_->is_done())
    return fail(ErrorKind::io_failed,
                "the server closed the connection before its answer was whole; try again");
  return {};
}

bool ResponseParser::complete() const { return message_->is_done(); }

ClientResponse ResponseParser::take() {
  response_.keep_alive = message_->keep_alive();
  return std::move(response_);
}

}  // namespace adbrook::http
