// One client's connection: reads requests, hands them to their handlers one after the other, writes
// the answers in the same order. Only server.cc uses it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/metrics.h"
#include "http/request_parser.h"
#include "http/response_writer.h"
#include "http/router.h"
#include "http/server_options.h"
#include "io/clock.h"
#include "io/tcp.h"

namespace adbrook::http {

class Connection;

// What all connections of a server share. Thread-safe.
class ConnectionPool {
 public:
  ConnectionPool(io::Clock& clock, Metrics& metrics, Router router, ServerOptions options);

  void open(io::TcpStream stream, std::shared_ptr<ConnectionPool> self);
  void close_all(Millis patience);
  // Called by each connection's destructor.
  void forget(const Connection& connection);
  Counter& refused(std::string_view reason);
  // Changes what all bodies together hold; false when that is now more than it may be.
  bool hold_bodies(std::int64_t change) {
    return (body_bytes_ += change) <= options_.bodies_max.count;
  }

  io::Clock& clock() const { return clock_; }
  const Router& router() const { return router_; }
  const ServerOptions& options() const { return options_; }
  bool stopping() const { return stopping_.load(std::memory_order_relaxed); }

 private:
  std::vector<std::shared_ptr<Connection>> alive();

  io::Clock& clock_;
  Metrics& metrics_;
  Router router_;
  ServerOptions options_;
  Gauge& open_count_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::int64_t> body_bytes_{0};
  std::mutex mutex_;  // guards the map: connections open and end on any thread
  std::condition_variable changed_;
  bool detached_ = false;  // the owner of clock and metrics may be gone
  std::unordered_map<const Connection*, std::weak_ptr<Connection>> connections_;
};

// Owned by its stream: all but the responder's answer runs in the stream's order of callbacks. It
// lives as long as a callback or a responder holds it.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(io::TcpStream stream, std::shared_ptr<ConnectionPool> pool);
  ~Connection();

  void start() { read_more(); }
  // From any thread: closes it now if it is idle, else after the answer that it owes.
  void stop();
  void cut() { stream_.close(); }
  // Answers that there are too many connections, then closes.
  void turn_away();
  // True while a handler owes the answer and nothing here happens before it comes.
  bool waits_for_handler() const { return phase_.load() == Phase::handling; }

 private:
  enum class Phase : std::uint8_t { idle, reading, handling, writing, streaming, leaving };

  void read_more();
  void on_read(Result<std::size_t> size);
  void process();
  // False while the handler still owes the answer.
  bool dispatch();
  void answer(Response response);
  void refuse(const Refusal& refusal);
  void add_preflight(Response& response) const;
  std::string_view allowed_origin(const Router::Route* route, std::string_view origin) const;
  bool hold_body(std::size_t size);
  void flush();
  void on_written(Result<void> written);
  void next_piece();
  void wait_for_piece();
  void on_live_piece(Result<std::string> piece);
  void watch_client();
  void leave();
  void drain();
  void reserve_input();
  Millis read_patience();
  void deliver(Response response);

  std::shared_ptr<ConnectionPool> pool_;
  io::TcpStream stream_;
  RequestParser parser_;
  std::atomic<Phase> phase_ = Phase::idle;  // read by stop() of the pool
  bool keep_alive_ = true;
  bool continue_sent_ = false;

  // Bytes [input_begin_, input_end_) of the buffer are not yet parsed.
  std::unique_ptr<std::byte[]> input_;
  std::size_t input_size_ = 0;
  std::size_t input_begin_ = 0;
  std::size_t input_end_ = 0;
  std::size_t received_ = 0;  // of the request that is being read
  std::size_t drained_ = 0;   // after the last answer
  std::size_t held_ = 0;      // of the body, as the pool knows it
  Nanos request_begin_{0};

  // The request that is being handled.
  const Router::Route* route_ = nullptr;
  std::string cors_origin_;
  bool preflight_ = false;
  bool head_only_ = false;
  bool http_1_0_ = false;
  Nanos handling_begin_{0};

  // Where the handler's thread and the answering thread meet: whoever comes second goes on.
  enum class Meeting : std::uint8_t { handler_runs, handler_returned, answered };
  std::atomic<Meeting> meeting_{Meeting::handler_runs};
  Response answered_;

  std::string output_;   // gathered answers
  std::string sending_;  // bytes that the kernel is being given
  BodyPieces pieces_;
  LivePieces live_;
};

}  // namespace adbrook::http
