#include "broker/connection.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "broker/api_table.h"

namespace adbrook::broker {
namespace {

constexpr std::size_t kPrefixSize = sizeof(std::int32_t);
// Idle connections keep this much; a larger request is received where it stays.
constexpr std::size_t kIdleInputSize = 4 * 1024;
// Room for a frame up to this size is made at once.
constexpr std::size_t kFrameAtOnceMax = 2 << 20;
// Requests of a producer under way at once; clients send five unless told otherwise, or any number
// when they want no acknowledgement. Several of a client that is faster than the disk must not fill
// the queue of all.
constexpr std::size_t kProducesMax = 64;
constexpr std::size_t kProducesSizeMax = 8 << 20;
constexpr std::int16_t kProduceKey = 0;
// How long the callbacks of connections that were cut may take to run.
constexpr Millis kCutPatience{2'000};

// What somebody sends who took this port for another.
std::string_view foreign_protocol(ByteView first_bytes) {
  const std::string_view text = as_text(first_bytes);
  if (text.size() >= 2 && text[0] == 0x16 && text[1] == 0x03) return "tls";
  for (const std::string_view method : {"GET ", "POST", "PUT ", "HEAD", "OPTI", "DELE", "PATC"})
    if (text.starts_with(method)) return "http";
  return "garbage";
}

std::string host_of(const std::string& address) {
  std::string host = address.substr(0, address.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

}  // namespace

ConnectionPool::ConnectionPool(Broker& broker)
    : broker_(broker),
      open_count_(broker.metrics().gauge("adbrook_kafka_connections",
                                         "Kafka connections that are open.")) {}

void ConnectionPool::complain(std::string_view reason, const std::string& peer,
                              const std::string& why) {
  broker_.metrics()
      .counter("adbrook_kafka_closed_total", "Kafka connections closed for a reason.",
               {{"reason", std::string(reason)}})
      .add();
  broker_.note("kafka: closed the connection of " + peer + ": " + printable(why, 300));
}

void ConnectionPool::open(io::TcpStream stream, const std::optional<Endpoint>& advertised,
                          std::shared_ptr<ConnectionPool> self) {
  const std::string& local = stream.local();
  Endpoint told{host_of(local), 0};
  if (advertised)
    told = *advertised;
  else
    told.port = static_cast<std::uint16_t>(std::atoi(local.c_str() + local.rfind(':') + 1));
  const std::string peer = stream.peer();
  auto connection =
      std::make_shared<Connection>(std::move(stream), std::move(told), std::move(self));
  bool full = false;
  {
    const std::lock_guard lock(mutex_);
    full = connections_.size() >= static_cast<std::size_t>(broker_.options().connections_max);
    if (!full) connections_.emplace(connection.get(), connection);
    open_count_.set(static_cast<double>(connections_.size()));
  }
  if (full)
    complain("connections", peer,
             "too many are open; close idle ones, or raise kafka.max.connections");
  else
    connection->start();
}

void ConnectionPool::forget(const Connection& connection) {
  const std::lock_guard lock(mutex_);
  connections_.erase(&connection);
  if (!detached_) open_count_.set(static_cast<double>(connections_.size()));
  changed_.notify_all();
}

std::vector<std::shared_ptr<Connection>> ConnectionPool::alive() {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Connection>> found;
  for (const auto& [key, connection] : connections_)
    if (auto one = connection.lock()) found.push_back(std::move(one));
  return found;
}

void ConnectionPool::close_all(Millis patience) {
  stopping_ = true;
  for (const auto& connection : alive()) connection->cut();
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience + kCutPatience, [this] { return connections_.empty(); });
  detached_ = true;
}

Connection::Connection(io::TcpStream stream, Endpoint advertised,
                       std::shared_ptr<ConnectionPool> pool)
    : pool_(std::move(pool)),
      stream_(std::move(stream)),
      client_(
          std::make_shared<const Client>(Client{host_of(stream_.peer()), std::move(advertised)})) {}

Connection::~Connection() {
  hold_request(0);
  pool_->forget(*this);
}

bool Connection::hold_request(std::size_t size) {
  const auto change = static_cast<std::int64_t>(size) - static_cast<std::int64_t>(held_);
  held_ = size;
  return change == 0 || pool_->hold_requests(change);
}

void Connection::end(std::string_view reason, const std::string& why) {
  if (std::exchange(ended_, true)) return;
  pool_->complain(reason, stream_.peer(), why);
  stream_.close();
}

// Memory follows what has come, never what a length claims: a frame is not touched before its bytes
// come, and a large one grows.
std::span<std::byte> Connection::room() {
  if (frame_ != nullptr) {
    if (frame_end_ == frame_->view().size()) {
      auto larger = std::make_shared<RequestFrame>(std::min(frame_size_, 2 * frame_end_));
      std::ranges::copy(frame_->view(), larger->span().begin());
      frame_ = std::move(larger);
    }
    return frame_->span().subspan(frame_end_);
  }
  const std::size_t left = input_end_ - input_begin_;
  if (input_begin_ > 0 && left > 0) std::memmove(input_.data(), input_.data() + input_begin_, left);
  input_begin_ = 0;
  input_end_ = left;
  input_.resize(kIdleInputSize);
  return std::span(input_).subspan(input_end_);
}

// What is received there stays there until the request is answered.
void Connection::begin_frame() {
  const ByteView first = came();
  frame_ = std::make_shared<RequestFrame>(std::min(frame_size_, kFrameAtOnceMax));
  std::ranges::copy(first, frame_->span().begin());
  frame_end_ = first.size();
  input_begin_ = input_end_ = 0;
}

ByteView Connection::came() const {
  if (frame_ != nullptr) return frame_->view().first(frame_end_);
  return ByteView(input_).subspan(input_begin_ + kPrefixSize,
                                  std::min(frame_size_, input_end_ - input_begin_ - kPrefixSize));
}

struct Connection::UnderWay {
  explicit UnderWay(std::size_t frame_size) : size(frame_size) {}

  // Where the handling thread and the answering thread meet: whoever comes second goes on.
  enum class Meeting : std::uint8_t { handler_runs, handler_returned, answered };
  std::atomic<Meeting> meeting{Meeting::handler_runs};
  const std::size_t size;
  Reply reply;         // handed over by the answering thread
  bool ready = false;  // the reply is there, as the connection's owner knows it
};

void Connection::read_more() {
  reading_ = true;
  if (pool_->stopping()) return stream_.close();
  const BrokerOptions& options = pool_->broker().options();
  const Millis patience = begun_receiving() ? options.request_timeout : options.idle_timeout;
  stream_.read_some(room(), patience, [self = shared_from_this()](Result<std::size_t> size) {
    self->on_read(std::move(size));
  });
}

void Connection::on_read(Result<std::size_t> size) {
  reading_ = false;
  if (!size && size.error().kind == ErrorKind::overloaded && begun_receiving())
    return end("timeout", "the rest of a request did not come in time");
  if (!size || *size == 0) return;  // gone or idle for too long; the destructor closes
  (frame_ != nullptr ? frame_end_ : input_end_) += *size;
  process();
}

bool Connection::check_size(std::int32_t size) {
  if (size >= 0 && size <= pool_->broker().options().request_max.count) return true;
  const ByteView input = ByteView(input_).subspan(input_begin_, input_end_ - input_begin_);
  const std::string_view foreign = answered_any_ ? "garbage" : foreign_protocol(input);
  if (foreign == "tls") {
    end(foreign, "this looks like TLS, and this port speaks plain Kafka; use PLAINTEXT");
  } else if (foreign == "http") {
    end(foreign, "this looks like HTTP, and this port speaks Kafka; use the port of http.listen");
  } else {
    end(size < 0 ? "garbage" : "too_large",
        "a request of " + std::to_string(size) +
            " bytes is announced; if it is meant, raise kafka.socket.request.max.bytes");
  }
  return false;
}

// True: the request that is received is whole. False also when the connection ended.
bool Connection::receive() {
  if (frame_ == nullptr) {
    if (input_end_ - input_begin_ < kPrefixSize) return false;
    const auto size = load_be<std::int32_t>(input_.data() + input_begin_);
    if (!check_size(size)) return false;
    frame_size_ = static_cast<std::size_t>(size);
  }
  const std::size_t size = came().size();
  if (!hold_request(under_way_size_ + std::min(frame_size_ + kPrefixSize,
                                               std::max(size + kPrefixSize, kIdleInputSize)))) {
    end("overloaded",
        "too many large requests at once; try again, or raise kafka.queued.max.request.bytes");
    return false;
  }
  if (size == frame_size_) return true;
  if (frame_ == nullptr && frame_size_ + kPrefixSize > kIdleInputSize) begin_frame();
  return false;
}

void Connection::process() {
  while (send_ready() && receive()) {
    if (!may_begin()) return;  // an answer leads back here
    if (frame_ == nullptr) {
      frame_ = std::make_shared<RequestFrame>(came());
      input_begin_ += kPrefixSize + frame_size_;
    }
    frame_size_ = 0;
    begin(std::exchange(frame_, nullptr));
  }
  // A request that may wait long, like a Fetch, is not read past: the time limit of the next read
  // must not begin before its answer.
  const bool may_read = under_way_.empty() || producing_;
  if (!ended_ && !reading_ && may_read) read_more();
}

bool Connection::may_begin() const {
  if (under_way_.empty() && !writing_) return true;
  const bool is_produce =
      frame_size_ >= sizeof kProduceKey && load_be<std::int16_t>(came().data()) == kProduceKey;
  return is_produce && producing_ && under_way_.size() < kProducesMax &&
         under_way_size_ + frame_size_ <= kProducesSizeMax;
}

void Connection::begin(std::shared_ptr<RequestFrame> frame) {
  const ByteView bytes = frame->view();
  const auto request = std::make_shared<UnderWay>(bytes.size());
  producing_ =
      bytes.size() >= sizeof kProduceKey && load_be<std::int16_t>(bytes.data()) == kProduceKey;
  under_way_.push_back(request);
  under_way_size_ += request->size;
  pool_->broker().handle(std::move(frame), client_,
                         [self = shared_from_this(), request](Reply reply) {
                           self->deliver(request, std::move(reply));
                         });
  auto expected = UnderWay::Meeting::handler_runs;
  request->ready =
      !request->meeting.compare_exchange_strong(expected, UnderWay::Meeting::handler_returned);
}

// Runs on the thread that answers.
void Connection::deliver(const std::shared_ptr<UnderWay>& request, Reply reply) {
  request->reply = std::move(reply);
  if (request->meeting.exchange(UnderWay::Meeting::answered) == UnderWay::Meeting::handler_runs)
    return;
  stream_.post([self = shared_from_this(), request] {
    request->ready = true;
    self->process();
  });
}

// Answers that became ready together go out together.
bool Connection::send_ready() {
  while (!ended_ && !writing_ && !under_way_.empty() && under_way_.front()->ready) {
    // Those before it are still heard.
    const bool hangs_up = under_way_.front()->reply.kind == Reply::Kind::hang_up;
    if (hangs_up && !sending_.empty()) break;
    const auto request = std::move(under_way_.front());
    under_way_.pop_front();
    under_way_size_ -= request->size;
    hold_request(under_way_size_);
    if (hangs_up) {
      if (!pool_->stopping()) end("refused", request->reply.why);
      ended_ = true;
      stream_.close();
      break;
    }
    answered_any_ = true;
    if (request->reply.kind == Reply::Kind::answer) sending_.push_back(std::move(request->reply));
  }
  if (!writing_ && !sending_.empty()) send();
  return !ended_;
}

void Connection::send() {
  writing_ = true;
  std::vector<ByteView> pieces;
  std::vector<io::FileRange> files;
  for (Reply& reply : sending_) {
    std::ranges::copy(reply.frame.pieces(), std::back_inserter(pieces));
    std::ranges::move(reply.files, std::back_inserter(files));
  }
  stream_.write_all(
      std::move(pieces), std::move(files), pool_->broker().options().write_timeout,
      [self = shared_from_this()](Result<void> written) { self->on_written(std::move(written)); });
}

void Connection::on_written(Result<void> written) {
  writing_ = false;
  sending_.clear();
  if (!written) {  // mostly the client is gone or too slow; the destructor closes
    if (written.error().kind == ErrorKind::corrupt) end("corrupt", written.error().message);
    ended_ = true;
    return;
  }
  process();
}

}  // namespace adbrook::broker
