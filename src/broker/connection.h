// One client's connection: reads requests, has them answered, writes the answers in their order.
// One request is under way at a time, but of a producer several, so that one sync of the disk is
// enough for all of them. Only server.cc uses it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/metrics.h"
#include "broker/broker.h"
#include "broker/call.h"
#include "io/tcp.h"

namespace adbrook::broker {

class Connection;

// What all connections of a server share. Thread-safe.
class ConnectionPool {
 public:
  explicit ConnectionPool(Broker& broker);

  // Closes it at once, with a metric, when there are too many.
  void open(io::TcpStream stream, const std::optional<Endpoint>& advertised,
            std::shared_ptr<ConnectionPool> self);
  void close_all(Millis patience);
  void forget(const Connection& connection);

  Broker& broker() { return broker_; }
  bool stopping() const { return stopping_.load(std::memory_order_relaxed); }
  // Counts a connection that ends badly, and says so in one line.
  void complain(std::string_view reason, const std::string& peer, const std::string& why);
  // Changes what all requests together hold; false when that is more than it may be.
  bool hold_requests(std::int64_t change) {
    return (request_bytes_ += change) <= broker_.options().requests_max.count;
  }

 private:
  std::vector<std::shared_ptr<Connection>> alive();

  Broker& broker_;
  Gauge& open_count_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::int64_t> request_bytes_{0};
  std::mutex mutex_;  // guards what follows: connections open and end on any thread
  std::condition_variable changed_;
  bool detached_ = false;  // the broker may be gone
  std::unordered_map<const Connection*, std::weak_ptr<Connection>> connections_;
};

// Owned by its stream: all but the reply runs in the stream's order of callbacks. It lives as long
// as a callback or an unanswered request holds it.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(io::TcpStream stream, Endpoint advertised, std::shared_ptr<ConnectionPool> pool);
  ~Connection();

  void start() { read_more(); }
  // From any thread: ends it; a request under way is not answered any more.
  void cut() { stream_.close(); }

 private:
  void read_more();
  void on_read(Result<std::size_t> size);
  // Handles what is complete in the input, then reads on.
  void process();
  // The size of the frame that begins the input, or nothing when it was refused.
  bool check_size(std::int32_t size);
  // A request that was begun and whose answer was not handed to the kernel yet.
  struct UnderWay;
  // Whether the request at the begin of the input may be begun beside those under way.
  bool may_begin() const;
  void begin(std::shared_ptr<RequestFrame> frame);
  void deliver(const std::shared_ptr<UnderWay>& request, Reply reply);
  // Writes the answers whose turn it is; false when the connection ended.
  bool send_ready();
  void send();
  void on_written(Result<void> written);
  bool receive();
  // Where the next bytes go.
  std::span<std::byte> room();
  // The request that is too large for the input gets a buffer of its own.
  void begin_frame();
  // The bytes that have come of the request that is received, behind its length.
  ByteView came() const;
  bool begun_receiving() const { return input_end_ > input_begin_ || frame_ != nullptr; }
  void end(std::string_view reason, const std::string& why);
  bool hold_request(std::size_t size);

  std::shared_ptr<ConnectionPool> pool_;
  io::TcpStream stream_;
  std::shared_ptr<const Client> client_;

  // Bytes [input_begin_, input_end_) came in and belong to no handled request yet.
  Buffer input_;
  std::size_t input_begin_ = 0;
  std::size_t input_end_ = 0;
  std::size_t frame_size_ = 0;           // of the request that is received; 0 while unknown
  std::shared_ptr<RequestFrame> frame_;  // it, when the input is too small; it may still grow
  std::size_t frame_end_ = 0;            // of what has come of it
  std::size_t held_ = 0;                 // of requests, as the pool knows it
  bool answered_any_ = false;
  bool ended_ = false;
  bool reading_ = false;
  bool writing_ = false;

  std::deque<std::shared_ptr<UnderWay>> under_way_;  // in the order they came in
  std::size_t under_way_size_ = 0;                   // bytes of their frames
  bool producing_ = false;                           // the last one begun was a Produce
  std::vector<Reply> sending_;                       // what the kernel is being given
};

}  // namespace adbrook::broker
