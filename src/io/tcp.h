// TCP streams and listeners with callbacks, on the threads and the event loop of a ThreadExecutor.
// Asio stays behind it; `http/` runs its parsers over these streams.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "io/executor.h"

namespace adbrook::io {

struct FileRange;
class ThreadExecutor;

// One connection. Its calls may come from any thread; its callbacks and posted steps run one at a
// time, on the executor's threads, never inside the call that was given them. At most one read and
// one write may be under way; each callback runs exactly once unless the executor stops.
//
// `patience` is how long one call may take; after it the callback gets `overloaded` and the stream
// can only be told why (write_all) and closed. Other errors: `closed` after close() on this side,
// `io_failed` when the connection broke.
class TcpStream {
 public:
  using ReadDone = std::move_only_function<void(Result<std::size_t>)>;
  using WriteDone = std::move_only_function<void(Result<void>)>;

  TcpStream(TcpStream&&) noexcept;
  TcpStream& operator=(TcpStream&&) = delete;
  // Closes it; callbacks of calls under way still run, with `closed`.
  ~TcpStream();

  // Gives the bytes read, at least one; 0 when the peer ended its side. `into` must stay valid and
  // untouched until then.
  void read_some(std::span<std::byte> into, Millis patience, ReadDone done);
  // Gives success when the kernel has taken all bytes, which must stay valid until then.
  void write_all(ByteView bytes, Millis patience, WriteDone done);
  // The same for bytes that lie in several places, in this order.
  void write_all(std::vector<ByteView> pieces, Millis patience, WriteDone done);
  // The same, and where a piece is empty the next of `files` follows, which the kernel sends
  // without a copy. corrupt: a file ends inside its range; what was promised to the peer cannot be
  // kept.
  void write_all(std::vector<ByteView> pieces, std::vector<FileRange> files, Millis patience,
                 WriteDone done);

  // Runs `step` in order with the callbacks: the way back here from another owner's thread.
  void post(Step step);

  // Tells the peer that nothing more comes, while reading goes on. Needed before close() when the
  // peer still sends: closing with unread bytes resets the connection, and the peer may lose what
  // was written last.
  void end_writes();
  void close();

  // "127.0.0.1:5123" or "[::1]:5123".
  const std::string& peer() const;
  // The address on this machine that the peer reached, written the same way.
  const std::string& local() const;

 private:
  friend class TcpListener;
  friend class Network;
  struct State;
  explicit TcpStream(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;  // shared with the calls under way, which outlive this object
};

// Whether only this machine can reach what listens on `host`.
bool is_loopback(std::string_view host);

// A bound, listening socket. Thread-safe.
class TcpListener {
 public:
  using OnStream = std::move_only_function<void(TcpStream)>;

  TcpListener(TcpListener&&) noexcept;
  TcpListener& operator=(TcpListener&&) = delete;
  ~TcpListener();  // stops

  // Takes connections from now on; called once. `on_stream` runs one at a time and may still run
  // while stop() is called. When the process has no file descriptor left, new peers wait.
  void start(OnStream on_stream);
  // The port is free again soon after; streams that were handed out live on.
  void stop();

  std::uint16_t port() const;  // the real one when 0 was asked for

 private:
  friend class Network;
  struct State;
  explicit TcpListener(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;  // shared with the accept under way
};

// Thread-safe. The executor must outlive this and every stream and listener made here.
class Network {
 public:
  using ConnectDone = std::move_only_function<void(Result<TcpStream>)>;

  explicit Network(ThreadExecutor& executor) : executor_(executor) {}

  // `address` is a numeric one or "localhost"; port 0 takes any free one. busy: the port is in use,
  // the message says by which process if the kernel tells; invalid: no such address here.
  Result<TcpListener> listen(const std::string& address, std::uint16_t port);

  // Tries each address of `host` until one answers.
  void connect(const std::string& host, std::uint16_t port, Millis patience, ConnectDone done);

 private:
  ThreadExecutor& executor_;
};

}  // namespace adbrook::io
