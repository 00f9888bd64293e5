#include "http/client.h"

#include <array>
#include <future>
#include <mutex>
#include <optional>

#include "base/assert.h"
#include "base/text.h"

namespace adbrook::http {
namespace {

constexpr std::size_t kReadSize = 64 * 1024;

std::string request_text(const ClientRequest& request, const std::string& host) {
  std::string out;
  out.reserve(256 + request.body.size());
  out.append(to_string(request.method)).append(" ").append(request.target);
  out.append(" HTTP/1.1\r\nHost: ").append(host).append("\r\n");
  if (!request.content_type.empty())
    out.append("Content-Type: ").append(request.content_type).append("\r\n");
  if (!request.body.empty() || request.method == Method::post)
    out.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
  for (const auto& [name, value] : request.fields)
    out.append(name).append(": ").append(value).append("\r\n");
  return out.append("\r\n").append(request.body);
}

std::string shown(const HostPort& server) {
  const bool is_v6 = server.host.find(':') != std::string::npos;
  return (is_v6 ? "[" + server.host + "]" : server.host) + ":" + std::to_string(server.port);
}

}  // namespace

Result<HostPort> parse_server_url(std::string_view url) {
  std::string_view rest = url;
  if (rest.starts_with("http://")) rest.remove_prefix(7);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find("://") != std::string_view::npos || rest.find('/') != std::string_view::npos)
    return fail(ErrorKind::invalid, "server address '" + printable(url) +
                                        "' is not understood; write it like http://127.0.0.1:8080");
  const bool has_port = rest.rfind(':') != std::string_view::npos && !rest.ends_with(']');
  return parse_host_port(has_port ? std::string(rest) : std::string(rest) + ":80");
}

// The connection and the request on it. Its callbacks run one at a time: each is started by the one
// before, the first by send().
class Client::Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(io::Network& network, HostPort server, ClientOptions options)
      : network_(network), server_(std::move(server)), options_(options) {}

  void send(ClientRequest request, Done done) {
    ADBROOK_ASSERT(!done_, "a client has one request under way");
    done_ = std::move(done);
    head_only_ = request.method == Method::head;
    may_repeat_ = stream_ && (head_only_ || request.method == Method::get);
    text_ = request_text(request, shown(server_));
    if (stream_)
      write();
    else
      connect();
  }

  // No callback touches `done_` any more once this returned.
  void abandon() {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
    if (stream_) stream_->close();
  }

 private:
  void connect() {
    network_.connect(server_.host, server_.port, options_.connect_timeout,
                     [self = shared_from_this()](Result<io::TcpStream> stream) {
                       if (!stream) return self->finish(pass(stream.error(), self->hint()));
                       {
                         const std::lock_guard lock(self->mutex_);
                         if (self->abandoned_) return;
                         self->stream_.emplace(std::move(*stream));
                       }
                       self->write();
                     });
  }

  void write() {
    parser_ = std::make_unique<ResponseParser>(options_.body_max, head_only_);
    input_.clear();
    stream_->write_all(as_bytes(text_), options_.answer_timeout,
                       [self = shared_from_this()](Result<void> written) {
                         // An answer may be there though not all was taken (413).
                         self->write_error_ =
                             written ? std::nullopt : std::optional(written.error());
                         self->read();
                       });
  }

  void read() {
    stream_->read_some(
        piece_, options_.answer_timeout,
        [self = shared_from_this()](Result<std::size_t> size) { self->on_read(std::move(size)); });
  }

  void on_read(Result<std::size_t> size) {
    if (!size) return broken(write_error_.value_or(size.error()));
    if (*size == 0) {
      const auto whole = parser_->end();
      if (!whole) return broken(write_error_.value_or(whole.error()));
      return complete();
    }
    may_repeat_ = false;
    input_ += as_text({piece_.data(), *size});
    const auto consumed = parser_->feed(input_);
    if (!consumed) return broken(consumed.error());
    input_.erase(0, *consumed);
    if (!parser_->complete()) return read();
    complete();
  }

  void complete() {
    ClientResponse response = parser_->take();
    if (!response.keep_alive || write_error_) drop_stream();
    finish(std::move(response));
  }

  void broken(const Error& error) {
    drop_stream();
    if (may_repeat_) {
      may_repeat_ = false;
      return connect();
    }
    finish(pass(error, shown(server_)));
  }

  void drop_stream() {
    const std::lock_guard lock(mutex_);
    stream_.reset();
  }

  void finish(Result<ClientResponse> result) {
    Done done;
    {
      const std::lock_guard lock(mutex_);
      if (abandoned_) return;
      done = std::exchange(done_, nullptr);
    }
    done(std::move(result));
  }

  std::string hint() const {
    return "no server answers at http://" + shown(server_) +
           " (start it there, or give its address)";
  }

  io::Network& network_;
  const HostPort server_;
  const ClientOptions options_;
  std::mutex mutex_;  // guards stream_ and abandoned_ against the owner going away
  bool abandoned_ = false;
  std::optional<io::TcpStream> stream_;
  Done done_;
  std::string text_;
  std::optional<Error> write_error_;
  std::unique_ptr<ResponseParser> parser_;
  std::array<std::byte, kReadSize> piece_;
  std::string input_;
  bool head_only_ = false;
  bool may_repeat_ = false;
};

Client::Client(io::Network& network, HostPort server, ClientOptions options)
    : exchange_(std::make_shared<Exchange>(network, std::move(server), options)) {}

Client::~Client() { exchange_->abandon(); }

void Client::send(ClientRequest request, Done done) {
  exchange_->send(std::move(request), std::move(done));
}

Result<ClientResponse> Client::send_and_wait(ClientRequest request) {
  // Shared: the callback may still be inside set_value() when get() has returned.
  auto promise = std::make_shared<std::promise<Result<ClientResponse>>>();
  auto future = promise->get_future();
  send(std::move(request),
       [promise](Result<ClientResponse> result) { promise->set_value(std::move(result)); });
  return future.get();
}

}  // namespace adbrook::http
