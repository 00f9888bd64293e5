// One request of a client under way: what it asks, who asks, and the one answer it gets.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "io/kernel_file.h"
#include "protocol/codec.h"
#include "protocol/errors_in.h"
#include "protocol/frame.h"
#include "protocol/header.h"

namespace adbrook {
class Metrics;
}

namespace adbrook::broker {

struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
};

// The other side of a connection. Immutable.
struct Client {
  std::string host;     // its address, without the port
  Endpoint advertised;  // where it is told to find this broker
};

// The bytes of one request, shared by what was decoded from it and by the appends that its batches
// become. Their memory is not touched before they come.
class RequestFrame {
 public:
  explicit RequestFrame(std::size_t size)
      : bytes_(std::make_unique_for_overwrite<std::byte[]>(size)), size_(size) {}
  explicit RequestFrame(ByteView bytes) : RequestFrame(bytes.size()) {
    std::ranges::copy(bytes, bytes_.get());
  }

  std::span<std::byte> span() { return {bytes_.get(), size_}; }
  ByteView view() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t size_;
};

// What a connection sends back for a request.
struct Reply {
  enum class Kind : std::uint8_t {
    answer,
    silence,  // a producer that wants no acknowledgement
    hang_up,  // nothing that can be said; closing is heard
  };
  Kind kind = Kind::hang_up;
  protocol::Frame frame;                              // with its length in front
  std::vector<std::shared_ptr<const void>> borrowed;  // what the frame's pieces lie in
  std::vector<io::FileRange> files;                   // for the frame's gaps, in their order
  std::vector<protocol::ErrorCode> errors;            // that the frame tells
  std::string why;                                    // of a hang-up, for the log line
};

// Counts each code by its name. The counters are looked up under a lock: errors are rare.
void count_errors(Metrics& metrics, const std::vector<protocol::ErrorCode>& errors);

// Owned by whoever handles it. Dropping it unanswered hangs up, so that no client waits for ever.
class RawCall {
 public:
  using Respond = std::move_only_function<void(Reply)>;

  // `frame` holds the whole request, into which `header` points.
  RawCall(std::shared_ptr<RequestFrame> frame, const protocol::RequestHeader& header,
          std::shared_ptr<const Client> client, Metrics& metrics, Respond respond)
      : header_(header),
        frame_(std::move(frame)),
        client_(std::move(client)),
        metrics_(&metrics),
        respond_(std::move(respond)) {}
  RawCall(RawCall&& other) noexcept = default;
  RawCall& operator=(RawCall&&) = delete;
  ~RawCall() {
    if (respond_) hang_up("the request was dropped, the broker is stopping");
  }

  const protocol::RequestHeader& header() const { return header_; }
  const Client& client() const { return *client_; }
  const std::shared_ptr<RequestFrame>& frame() const { return frame_; }

  void answer(Reply reply) {
    count_errors(*metrics_, reply.errors);
    std::exchange(respond_, nullptr)(std::move(reply));
  }
  void hang_up(std::string why) { answer({.kind = Reply::Kind::hang_up, .why = std::move(why)}); }

 private:
  protocol::RequestHeader header_;
  std::shared_ptr<RequestFrame> frame_;  // shared with messages that point into it
  std::shared_ptr<const Client> client_;
  Metrics* metrics_;
  Respond respond_;
};

// A request that was decoded. Strings and bytes of it are views into its frame, which it keeps.
template <protocol::Message Request, protocol::Message Response>
class Call {
 public:
  Call(RawCall raw, Request request) : raw_(std::move(raw)), request_(std::move(request)) {}
  Call(Call&&) noexcept = default;

  const Request* operator->() const { return &request_; }
  const Request& operator*() const { return request_; }
  std::int16_t version() const { return raw_.header().api_version; }
  std::string_view client_id() const { return raw_.header().client_id.value_or(""); }
  const Client& client() const { return raw_.client(); }
  const std::shared_ptr<RequestFrame>& frame() const { return raw_.frame(); }

  // Once, from any thread. Views in the response are read before it returns, except records, which
  // must lie in something that `borrowed` keeps, or in `files` where it has a gap.
  void answer(const Response& response, std::vector<std::shared_ptr<const void>> borrowed = {},
              std::vector<io::FileRange> files = {}) {
    raw_.answer(
        {.kind = Reply::Kind::answer,
         .frame = protocol::response_frame(response, version(), raw_.header().correlation_id),
         .borrowed = std::move(borrowed),
         .files = std::move(files),
         .errors = protocol::errors_in(response)});
  }
  void answer_in(std::int16_t version, const Response& response) {
    raw_.answer({.kind = Reply::Kind::answer,
                 .frame = protocol::response_frame(response, version, raw_.header().correlation_id),
                 .errors = protocol::errors_in(response)});
  }
  void stay_silent() { raw_.answer({.kind = Reply::Kind::silence}); }
  void hang_up(std::string why) { raw_.hang_up(std::move(why)); }

 private:
  RawCall raw_;
  Request request_;
};

}  // namespace adbrook::broker
