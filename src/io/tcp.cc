#include "io/tcp.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <utility>

#include "base/assert.h"
#include "io/os_error.h"
#include "io/outgoing_message.h"
#include "io/port_user.h"
#include "io/thread_executor.h"

namespace adbrook::io {
namespace asio = boost::asio;
namespace {

using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using Strand = asio::strand<asio::io_context::executor_type>;
// Their handlers run on the strand without being bound to it one by one.
using Socket = asio::basic_stream_socket<tcp, Strand>;
using Acceptor = asio::basic_socket_acceptor<tcp, Strand>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Strand>;
using Resolver = asio::ip::basic_resolver<tcp, Strand>;

constexpr Millis kAcceptPause{100};
// Peers that the kernel keeps waiting until we accept them; it refuses more.
constexpr int kBacklogSize = 1024;

std::string text_of(const tcp::endpoint& endpoint) {
  ErrorCode ignored;
  const std::string address = endpoint.address().to_string(ignored);
  const std::string port = std::to_string(endpoint.port());
  return endpoint.address().is_v6() ? "[" + address + "]:" + port : address + ":" + port;
}

// Everything that Asio reports becomes one of our kinds here; its own numbers go no further.
Error network_error(std::string_view what, const std::string& where, const ErrorCode& code) {
  if (code == asio::error::operation_aborted || code == asio::error::bad_descriptor) {
    return {ErrorKind::closed, "cannot " + std::string(what) + " '" + where +
                                   "': this side closed the connection; connect again"};
  }
  if (code.category() == boost::system::system_category())
    return os_error(what, where, code.value());
  return {ErrorKind::io_failed, "cannot " + std::string(what) + " '" + where +
                                    "': " + code.message() + "; check the name and the network"};
}

Error expired_error(std::string_view what, const std::string& where, Millis patience) {
  return {ErrorKind::overloaded, "cannot " + std::string(what) + " '" + where +
                                     "': it took longer than " + format_duration(patience) +
                                     "; try again when the other side is less busy"};
}

}  // namespace

// Touched on its strand only, which is what makes the calls of TcpStream thread-safe. Each handler
// holds the state, so that a closed and forgotten stream lives until its last callback has run.
struct TcpStream::State : std::enable_shared_from_this<TcpStream::State> {
  // One direction of a stream: the call under way there, and its time limit.
  struct Direction {
    explicit Direction(const Strand& strand) : timer(strand) {}

    Timer timer;
    asio::cancellation_signal cancel;
    std::uint64_t call_number = 0;  // a timer that fires late must not end the next call
    bool under_way = false;
    bool expired = false;
  };

  explicit State(Socket connected)
      : socket(std::move(connected)), reads(socket.get_executor()), writes(socket.get_executor()) {
    // Answers are written whole; waiting for more bytes to send with them only costs time. A peer
    // that is gone already shows in the first read.
    ErrorCode ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    socket.native_non_blocking(true, ignored);
    peer = text_of(socket.remote_endpoint(ignored));
    local = text_of(socket.local_endpoint(ignored));
  }

  // Starts the time limit of a call. Only that call is cancelled by it: the other direction goes
  // on.
  void begin(Direction& direction, Millis patience) {
    ADBROOK_ASSERT(!direction.under_way, "a stream has one read and one write at a time");
    direction.under_way = true;
    direction.expired = false;
    const std::uint64_t number = ++direction.call_number;
    direction.timer.expires_after(patience);
    direction.timer.async_wait(
        [self = shared_from_this(), &direction, number](const ErrorCode& error) {
          if (error || !direction.under_way || direction.call_number != number) return;
          direction.expired = true;
          direction.cancel.emit(asio::cancellation_type::terminal);
        });
  }

  // Says how the call ended; an empty error means well.
  Result<void> end(Direction& direction, std::string_view what, Millis patience,
                   const ErrorCode& code) {
    direction.under_way = false;
    direction.timer.cancel();
    if (!code) return {};
    if (direction.expired && code == asio::error::operation_aborted)
      return std::unexpected(expired_error(what, peer, patience));
    return std::unexpected(network_error(what, peer, code));
  }

  void read_some(std::span<std::byte> into, Millis patience, ReadDone done) {
    begin(reads, patience);
    auto handler = [self = shared_from_this(), patience, done = std::move(done)](
                       const ErrorCode& code, std::size_t size) mutable {
      // The end of the peer's side is an ordinary answer, not a failure.
      const bool peer_ended = code == asio::error::eof;
      auto ended = self->end(self->reads, "read from", patience, peer_ended ? ErrorCode() : code);
      if (!ended) return done(pass(std::move(ended.error())));
      done(size);
    };
    socket.async_read_some(asio::buffer(into.data(), into.size()),
                           asio::bind_cancellation_slot(reads.cancel.slot(), std::move(handler)));
  }

  struct Sending {
    OutgoingMessage message;
    Millis patience;
    WriteDone done;
  };

  // Most messages are taken at once: they need neither a time limit nor the event loop. The
  // callback is posted, since nobody expects it inside the call.
  void write_all(std::shared_ptr<Sending> sending) {
    ADBROOK_ASSERT(!writes.under_way, "a stream has one read and one write at a time");
    auto all = send_some(*sending);
    if (all && !*all) {
      begin(writes, sending->patience);
      return wait_to_send(std::move(sending));
    }
    writes.under_way = true;
    asio::post(socket.get_executor(), [self = shared_from_this(), sending = std::move(sending),
                                       all = std::move(all)]() mutable {
      self->writes.under_way = false;
      if (!all) return sending->done(pass(std::move(all.error())));
      sending->done({});
    });
  }

  // True: all of it is with the kernel.
  Result<bool> send_some(Sending& sending) {
    if (!socket.is_open())
      return std::unexpected(network_error("write to", peer, asio::error::operation_aborted));
    return sending.message.send(socket.native_handle(), peer);
  }

  void wait_to_send(std::shared_ptr<Sending> sending) {
    auto handler = [self = shared_from_this(), sending = std::move(sending)](
                       const ErrorCode& code) mutable { self->send_on(std::move(sending), code); };
    socket.async_wait(Socket::wait_write,
                      asio::bind_cancellation_slot(writes.cancel.slot(), std::move(handler)));
  }

  void send_on(std::shared_ptr<Sending> sending, const ErrorCode& waited) {
    Result<bool> all = false;
    if (!waited) all = send_some(*sending);
    if (!waited && all && !*all) return wait_to_send(std::move(sending));
    auto ended = end(writes, "write to", sending->patience, waited);
    if (ended && !all) ended = pass(std::move(all.error()));
    sending->done(std::move(ended));
  }

  void close() {
    ErrorCode ignored;
    socket.close(ignored);  // the calls under way end with operation_aborted
  }

  Socket socket;
  Direction reads;
  Direction writes;
  std::string peer;
  std::string local;
};

TcpStream::TcpStream(std::shared_ptr<State> state) : state_(std::move(state)) {}
TcpStream::TcpStream(TcpStream&&) noexcept = default;

TcpStream::~TcpStream() {
  // With nothing under way the socket closes right here, together with the state.
  if (state_ && state_.use_count() > 1) close();
}

void TcpStream::read_some(std::span<std::byte> into, Millis patience, ReadDone done) {
  asio::dispatch(state_->socket.get_executor(),
                 [state = state_, into, patience, done = std::move(done)]() mutable {
                   state->read_some(into, patience, std::move(done));
                 });
}

void TcpStream::write_all(ByteView bytes, Millis patience, WriteDone done) {
  write_all(std::vector<ByteView>{bytes}, patience, std::move(done));
}

void TcpStream::write_all(std::vector<ByteView> pieces, Millis patience, WriteDone done) {
  std::erase_if(pieces, [](ByteView piece) { return piece.empty(); });
  write_all(std::move(pieces), {}, patience, std::move(done));
}

void TcpStream::write_all(std::vector<ByteView> pieces, std::vector<FileRange> files,
                          Millis patience, WriteDone done) {
  auto sending = std::make_shared<State::Sending>(
      OutgoingMessage(std::move(pieces), std::move(files)), patience, std::move(done));
  asio::dispatch(state_->socket.get_executor(),
                 [state = state_, sending = std::move(sending)]() mutable {
                   state->write_all(std::move(sending));
                 });
}

void TcpStream::post(Step step) { asio::post(state_->socket.get_executor(), std::move(step)); }

void TcpStream::end_writes() {
  asio::dispatch(state_->socket.get_executor(), [state = state_] {
    ErrorCode ignored;
    state->socket.shutdown(Socket::shutdown_send, ignored);
  });
}

void TcpStream::close() {
  asio::dispatch(state_->socket.get_executor(), [state = state_] { state->close(); });
}

const std::string& TcpStream::peer() const { return state_->peer; }
const std::string& TcpStream::local() const { return state_->local; }

// Touched on its strand only, except `port`, which is set before anybody else sees it.
struct TcpListener::State : std::enable_shared_from_this<TcpListener::State> {
  explicit State(asio::io_context& io)
      : context(io), acceptor(asio::make_strand(io)), pause(acceptor.get_executor()) {}

  // Each stream gets a strand of its own, so that streams run beside each other.
  void accept_next() {
    acceptor.async_accept(asio::make_strand(context),
                          [self = shared_from_this()](const ErrorCode& code, Socket socket) {
                            self->accepted(code, std::move(socket));
                          });
  }

  void accepted(const ErrorCode& code, Socket socket) {
    if (!acceptor.is_open()) return;
    if (!code) {
      on_stream(TcpStream(std::make_shared<TcpStream::State>(std::move(socket))));
      return accept_next();
    }
    // Mostly: no descriptor left. Asking again at once would only burn the processor.
    pause.expires_after(kAcceptPause);
    pause.async_wait([self = shared_from_this()](const ErrorCode& error) {
      if (!error && self->acceptor.is_open()) self->accept_next();
    });
  }

  void stop() {
    ErrorCode ignored;
    acceptor.close(ignored);
    pause.cancel();
  }

  asio::io_context& context;
  Acceptor acceptor;
  Timer pause;
  OnStream on_stream;
  std::uint16_t port = 0;
};

TcpListener::TcpListener(std::shared_ptr<State> state) : state_(std::move(state)) {}
TcpListener::TcpListener(TcpListener&&) noexcept = default;

TcpListener::~TcpListener() {
  if (state_ && state_.use_count() > 1) stop();
}

void TcpListener::start(OnStream on_stream) {
  asio::dispatch(state_->acceptor.get_executor(),
                 [state = state_, on_stream = std::move(on_stream)]() mutable {
                   state->on_stream = std::move(on_stream);
                   state->accept_next();
                 });
}

void TcpListener::stop() {
  asio::dispatch(state_->acceptor.get_executor(), [state = state_] { state->stop(); });
}

std::uint16_t TcpListener::port() const { return state_->port; }

Result<TcpListener> Network::listen(const std::string& address, std::uint16_t port) {
  ErrorCode code;
  const auto ip = asio::ip::make_address(address == "localhost" ? "127.0.0.1" : address, code);
  if (code) {
    return fail(ErrorKind::invalid, "cannot listen on '" + address +
                                        "': it is no numeric address; write one of this machine "
                                        "like 127.0.0.1, or 0.0.0.0 for all");
  }
  // Every call below reports through `code`; the forms without it would throw.
  const tcp::endpoint endpoint(ip, port);
  const auto state = std::make_shared<TcpListener::State>(executor_.context());
  Acceptor& acceptor = state->acceptor;
  acceptor.open(endpoint.protocol(), code);
  // A restart must not wait for the connections of the process before it to be forgotten.
  if (!code) acceptor.set_option(Acceptor::reuse_address(true), code);
  if (!code) acceptor.bind(endpoint, code);
  if (!code) acceptor.listen(kBacklogSize, code);
  if (code == asio::error::address_in_use) {
    return fail(ErrorKind::busy, "cannot listen on '" + text_of(endpoint) +
                                     "': the port is in use by " +
                                     describe_port_user(port).value_or("another process") +
                                     "; stop that process or choose another port");
  }
  if (!code) state->port = acceptor.local_endpoint(code).port();
  if (code) return std::unexpected(network_error("listen on", text_of(endpoint), code));
  return TcpListener(state);
}

namespace {

// One attempt to connect; lives as long as its handlers.
struct Connecting : std::enable_shared_from_this<Connecting> {
  Connecting(asio::io_context& context, std::string where_to, Millis patience_max)
      : resolver(asio::make_strand(context)),
        socket(resolver.get_executor()),
        timer(resolver.get_executor()),
        where(std::move(where_to)),
        patience(patience_max) {}

  void run(const std::string& host, std::uint16_t port) {
    timer.expires_after(patience);
    timer.async_wait([self = shared_from_this()](const ErrorCode& error) {
      if (error || self->ended) return;
      self->expired = true;
      self->resolver.cancel();
      ErrorCode ignored;
      self->socket.close(ignored);
    });
    resolver.async_resolve(
        host, std::to_string(port),
        [self = shared_from_this()](const ErrorCode& code, const Resolver::results_type& found) {
          if (code || self->expired) return self->end(code);
          self->connect(found);
        });
  }

  void connect(const Resolver::results_type& found) {
    // Once the time is over, the next address must not open the socket again.
    const auto goes_on = [self = shared_from_this()](const ErrorCode&, const tcp::endpoint&) {
      return !self->expired;
    };
    asio::async_connect(socket, found, goes_on,
                        [self = shared_from_this()](const ErrorCode& code, const tcp::endpoint&) {
                          self->end(code);
                        });
  }

  void end(const ErrorCode& code) {
    ended = true;
    timer.cancel();
    if (expired) return done(std::unexpected(expired_error("connect to", where, patience)));
    if (code) return done(std::unexpected(network_error("connect to", where, code)));
    done({});
  }

  Resolver resolver;
  Socket socket;
  Timer timer;
  std::string where;
  Millis patience;
  bool expired = false;
  bool ended = false;
  std::move_only_function<void(Result<void>)> done;
};

}  // namespace

void Network::connect(const std::string& host, std::uint16_t port, Millis patience,
                      ConnectDone done) {
  auto attempt = std::make_shared<Connecting>(executor_.context(),
                                              host + ":" + std::to_string(port), patience);
  // The attempt's own function may use it by a plain reference: it is a part of it.
  attempt->done = [&attempt = *attempt, done = std::move(done)](Result<void> result) mutable {
    if (!result) return done(pass(std::move(result.error())));
    done(TcpStream(std::make_shared<TcpStream::State>(std::move(attempt.socket))));
  };
  asio::dispatch(attempt->resolver.get_executor(),
                 [attempt, host, port] { attempt->run(host, port); });
}

bool is_loopback(std::string_view host) {
  const bool digits = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return host == "localhost" || host == "::1" || (host.starts_with("127.") && digits);
}

}  // namespace adbrook::io
