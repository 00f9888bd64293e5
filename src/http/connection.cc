#include "http/connection.h"

#include <algorithm>

#include "base/assert.h"

namespace adbrook::http {
namespace {

constexpr std::size_t kIdleInputSize = 16 * 1024;
constexpr std::size_t kBodyInputSize = 256 * 1024;
// Answers to pipelined requests are gathered up to this size before they are written.
constexpr std::size_t kOutputGatherMax = 64 * 1024;
// A body must come at this rate at least, after the first header timeout.
constexpr std::int64_t kBodyBytesPerSecondLeast = 1024;
// What a client may still send after its last answer before the connection is cut.
constexpr std::size_t kDrainSizeMax = 64 << 20;
constexpr Millis kDrainPatience{2'000};
// A body that grows while it is sent ends after this; its reader comes again.
constexpr Millis kLiveBodyMax = std::chrono::hours(24);

ParserLimits limits_of(const ServerOptions& options) {
  return {
      .request_line = options.request_line_max, .head = options.head_max, .body = options.body_max};
}

double seconds(Nanos duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

Connection::Connection(io::TcpStream stream, std::shared_ptr<ConnectionPool> pool)
    : pool_(std::move(pool)), stream_(std::move(stream)), parser_(limits_of(pool_->options())) {}

Connection::~Connection() {
  hold_body(0);
  pool_->forget(*this);
}

bool Connection::hold_body(std::size_t size) {
  const auto change = static_cast<std::int64_t>(size) - static_cast<std::int64_t>(held_);
  held_ = size;
  return change == 0 || pool_->hold_bodies(change);
}

void Connection::stop() {
  stream_.post([self = shared_from_this()] {
    if (self->phase_ == Phase::idle || self->phase_ == Phase::streaming) self->stream_.close();
  });
}

void Connection::turn_away() {
  pool_->refused("connections").add();
  refuse({{.status = 503,
           .title = {},
           .detail = "too many open connections; close idle ones, or raise http.connections.max"},
          "connections"});
  flush();
}

void Connection::reserve_input() {
  const std::size_t left = input_end_ - input_begin_;
  const bool in_body = parser_.state() == RequestParser::State::body;
  const std::size_t wanted =
      in_body || left >= kIdleInputSize / 2 ? kBodyInputSize : kIdleInputSize;
  if (input_begin_ == 0 && input_size_ == wanted && left < input_size_) return;
  // Also shrinks a large buffer again, so that idle connections stay cheap.
  auto fresh =
      input_size_ == wanted ? nullptr : std::make_unique_for_overwrite<std::byte[]>(wanted);
  std::byte* to = fresh ? fresh.get() : input_.get();
  if (left > 0) std::memmove(to, input_.get() + input_begin_, left);
  if (fresh) input_ = std::move(fresh);
  input_size_ = wanted;
  input_begin_ = 0;
  input_end_ = left;
}

// A request must come in its time as a whole: many small pieces win a slow sender nothing.
Millis Connection::read_patience() {
  const ServerOptions& options = pool_->options();
  if (received_ == 0) return options.idle_timeout;
  Millis allowed = options.header_timeout;
  if (parser_.state() == RequestParser::State::body)
    allowed += Millis(static_cast<std::int64_t>(received_) * 1000 / kBodyBytesPerSecondLeast);
  const auto used = std::chrono::duration_cast<Millis>(pool_->clock().monotonic() - request_begin_);
  return std::clamp(allowed - used, Millis(1), std::max(options.header_timeout, Millis(1)));
}

void Connection::read_more() {
  reserve_input();
  phase_ = received_ == 0 ? Phase::idle : Phase::reading;
  if (phase_ == Phase::idle && pool_->stopping()) return leave();
  const std::span<std::byte> room(input_.get() + input_end_, input_size_ - input_end_);
  stream_.read_some(room, read_patience(), [self = shared_from_this()](Result<std::size_t> size) {
    self->on_read(std::move(size));
  });
}

void Connection::on_read(Result<std::size_t> size) {
  if (!size && size.error().kind == ErrorKind::overloaded && received_ > 0) {
    refuse({{.status = 408,
             .title = {},
             .detail = "the request did not arrive in time; send it faster, or in smaller parts"},
            "timeout"});
    return flush();
  }
  if (!size || *size == 0) return;  // gone or idle for too long; the destructor closes
  if (received_ == 0) request_begin_ = pool_->clock().monotonic();
  received_ += *size;
  input_end_ += *size;
  process();
}

void Connection::process() {
  while (keep_alive_ && !pieces_ && !live_ && output_.size() < kOutputGatherMax &&
         input_begin_ < input_end_) {
    const std::string_view bytes =
        as_text({input_.get() + input_begin_, input_end_ - input_begin_});
    input_begin_ += parser_.feed(bytes);
    const bool fits = hold_body(parser_.request().body.size());
    if (parser_.state() == RequestParser::State::refused) {
      refuse(parser_.refusal());
    } else if (!fits) {
      refuse({{.status = 503,
               .title = {},
               .detail = "too many large bodies at once; send it again, or raise "
                         "http.bodies.max.bytes"},
              "bodies"});
    } else if (parser_.state() == RequestParser::State::complete) {
      received_ = input_end_ - input_begin_;
      continue_sent_ = false;
      if (!dispatch()) return;
    } else {
      if (parser_.expects_continue() && !std::exchange(continue_sent_, true))
        output_ += "HTTP/1.1 100 Continue\r\n\r\n";
      break;
    }
  }
  if (output_.empty() && !pieces_) return read_more();
  flush();
}

bool Connection::dispatch() {
  phase_ = Phase::handling;
  Request request = parser_.take();
  request.peer = stream_.peer();
  handling_begin_ = pool_->clock().monotonic();
  keep_alive_ = request.keep_alive && !pool_->stopping();
  head_only_ = request.method == Method::head;
  http_1_0_ = request.http_1_0;
  auto match = pool_->router().match(request);
  route_ = match.route;
  cors_origin_ = allowed_origin(route_, request.fields.find("Origin"));
  preflight_ = request.method == Method::options &&
               !request.fields.find("Access-Control-Request-Method").empty();
  if (match.answer) {
    answer(std::move(*match.answer));
    return true;
  }
  meeting_.store(Meeting::handler_runs, std::memory_order_relaxed);
  route_->handler(std::move(request), Responder([self = shared_from_this()](Response response) {
                    self->deliver(std::move(response));
                  }));
  auto expected = Meeting::handler_runs;
  if (meeting_.compare_exchange_strong(expected, Meeting::handler_returned)) return false;
  answer(std::move(answered_));
  return true;
}

// Runs on the thread that answers.
void Connection::deliver(Response response) {
  answered_ = std::move(response);
  if (meeting_.exchange(Meeting::answered) == Meeting::handler_runs) return;
  phase_ = Phase::writing;
  stream_.post([self = shared_from_this()] {
    self->answer(std::move(self->answered_));
    self->flush();
  });
}

std::string_view Connection::allowed_origin(const Router::Route* route,
                                            std::string_view origin) const {
  if (!route || origin.empty() || route->options.cross_origin != CrossOrigin::listed_origins)
    return {};
  for (const std::string& allowed : pool_->options().cors_origins) {
    if (allowed == "*") return "*";
    if (allowed == origin) return origin;
  }
  return {};
}

void Connection::add_preflight(Response& response) const {
  response.fields.emplace_back("Access-Control-Allow-Methods", "GET, POST, HEAD");
  response.fields.emplace_back("Access-Control-Allow-Headers", "Content-Type, Content-Encoding");
  response.fields.emplace_back("Access-Control-Max-Age", "86400");
}

void Connection::answer(Response response) {
  hold_body(0);
  if (preflight_ && !cors_origin_.empty()) add_preflight(response);
  const RouteMetrics& counts = route_ ? route_->counts : pool_->router().unmatched();
  counts.count(response.status, seconds(pool_->clock().monotonic() - handling_begin_));
  // Only the end of the connection says where such a body ends.
  if (http_1_0_ && (response.pieces || response.live)) keep_alive_ = false;
  append_response(output_, response,
                  {.head_only = head_only_,
                   .keep_alive = keep_alive_,
                   .http_1_0 = http_1_0_,
                   .cors_origin = cors_origin_},
                  pool_->clock().now());
  if (head_only_) return;
  pieces_ = std::move(response.pieces);
  live_ = std::move(response.live);
  if (live_) watch_client();
}

void Connection::refuse(const Refusal& refusal) {
  pool_->refused(refusal.reason).add();
  keep_alive_ = false;
  hold_body(0);
  Response response = problem_response(refusal.problem);
  if (response.status == 503) response.fields.emplace_back("Retry-After", "1");
  append_response(output_, response, {.keep_alive = false}, pool_->clock().now());
}

void Connection::flush() {
  phase_ = Phase::writing;
  sending_.swap(output_);
  output_.clear();
  if (sending_.empty()) return on_written({});
  stream_.write_all(
      as_bytes(sending_), pool_->options().write_timeout,
      [self = shared_from_this()](Result<void> written) { self->on_written(std::move(written)); });
}

void Connection::on_written(Result<void> written) {
  if (!written) return;  // the client is gone or too slow; the destructor closes
  if (pieces_) return next_piece();
  if (live_) return wait_for_piece();
  if (!keep_alive_) return leave();
  process();
}

void Connection::next_piece() {
  auto piece = pieces_();
  if (!piece) return stream_.close();
  if (http_1_0_)
    output_ += *piece;
  else
    append_chunk(output_, *piece);
  if (piece->empty()) pieces_ = nullptr;
  flush();
}

// The giver must not keep the connection alive: it may never have another piece. Who does is the
// read of watch_client().
void Connection::wait_for_piece() {
  phase_ = Phase::streaming;
  if (pool_->stopping()) return stream_.close();
  live_([weak = weak_from_this()](Result<std::string> piece) {
    const auto self = weak.lock();
    if (!self) return;
    self->stream_.post(
        [self, piece = std::move(piece)]() mutable { self->on_live_piece(std::move(piece)); });
  });
}

void Connection::on_live_piece(Result<std::string> piece) {
  if (!live_) return;
  if (!piece) return stream_.close();
  if (http_1_0_)
    output_ += *piece;
  else
    append_chunk(output_, *piece);
  if (piece->empty()) {
    live_ = nullptr;
    keep_alive_ = false;  // a read is under way already
  }
  flush();
}

// A client that has gone is noticed at once, not when the next piece cannot be sent.
void Connection::watch_client() {
  input_begin_ = input_end_ = 0;
  reserve_input();
  stream_.read_some({input_.get(), input_size_}, kLiveBodyMax,
                    [self = shared_from_this()](Result<std::size_t> size) {
                      if (size && *size > 0) self->drained_ += *size;
                      const bool well = size && *size > 0 && self->drained_ <= kDrainSizeMax;
                      if (well && self->live_) return self->watch_client();
                      self->live_ = nullptr;
                      self->stream_.close();
                    });
}

// Ends our side and waits a little for the client to end its own: closing while it still sends
// would reset the connection and could take the last answer with it.
void Connection::leave() {
  phase_ = Phase::leaving;
  stream_.end_writes();
  drain();
}

void Connection::drain() {
  input_begin_ = input_end_ = 0;
  reserve_input();
  stream_.read_some({input_.get(), input_size_}, kDrainPatience,
                    [self = shared_from_this()](Result<std::size_t> size) {
                      if (!size || *size == 0) return;
                      self->drained_ += *size;
                      if (self->drained_ <= kDrainSizeMax) self->drain();
                    });
}

}  // namespace adbrook::http
