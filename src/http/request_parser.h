// Turns the bytes of a connection into requests, strictly as RFC 9112 says and within named limits.
// Whatever two parsers could read differently (request smuggling) is refused, never guessed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "http/inflater.h"
#include "http/message.h"
#include "http/problem.h"

namespace adbrook::http {

struct ParserLimits {
  Bytes request_line = 20_KiB;
  Bytes head = 40_KiB;  // request line and header fields together
  Bytes body = 16_MiB;  // before and after inflating
};

inline constexpr std::size_t kFieldCountMax = 100;
// Frames of a chunked body (sizes, extensions, trailers) may cost this much in one piece.
inline constexpr std::size_t kChunkFrameSizeMax = 4 * 1024;

// Why a request was not read: what the sender is told, and one word for the metric.
struct Refusal {
  Problem problem;
  std::string_view reason;  // of a closed list; see request_parser.cc
};

// Owned by one thread.
class RequestParser {
 public:
  explicit RequestParser(ParserLimits limits);
  ~RequestParser();

  enum class State : std::uint8_t { head, body, complete, refused };

  // Takes a prefix of `bytes` and returns its size. What is left must be offered again, in front of
  // more. It stops at the end of one request (complete) or at the first error (refused).
  std::size_t feed(std::string_view bytes);
  State state() const { return state_; }
  // True from the end of the head until the request is complete, if the sender waits for
  // "100 Continue" before it sends the body.
  bool expects_continue() const { return state_ == State::body && expects_continue_; }
  // Fields of the head; valid from State::body on.
  const Request& request() const { return request_; }
  // Only in State::refused.
  const Refusal& refusal() const { return refusal_; }
  // Only in State::complete. The parser is ready for the next request.
  Request take();

 private:
  struct Message;  // Beast's parser; its headers are slow to compile

  std::size_t feed_head(std::string_view bytes);
  std::size_t feed_body(std::string_view bytes);
  bool find_head_end(std::string_view bytes);
  void check_head();
  void check_framing();
  void check_target(std::string_view target);
  void check_encoding();
  void add_body(std::string_view piece);
  void finish();
  void refuse(int status, std::string_view reason, std::string detail, std::string field = {});
  void restart();

  ParserLimits limits_;
  State state_ = State::head;
  bool expects_continue_ = false;
  bool chunked_ = false;
  std::size_t scanned_ = 0;   // where the line that is being read begins
  std::size_t searched_ = 0;  // no line end between scanned_ and here
  std::size_t head_end_ = 0;
  std::size_t body_received_ = 0;  // before inflating
  Request request_;
  Refusal refusal_;
  std::unique_ptr<Inflater> inflater_;
  std::unique_ptr<Message> message_;
};

}  // namespace adbrook::http
