// One plaintext connection to a Kafka broker that asks and waits: for `doctor`, which must see each
// step by itself, where a client library hides them.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/time.h"
#include "io/tcp.h"
#include "protocol/header.h"

namespace adbrook::app {

// Owned by one thread, not one of the network's executor.
class KafkaExchange {
 public:
  static constexpr std::size_t kAnswerSizeMax = std::size_t{64} << 20;

  static Result<KafkaExchange> connect(io::Network& network, const std::string& host,
                                       std::uint16_t port, Millis patience);

  // The answer's views point into this object and live until the next ask.
  template <protocol::Message Response, protocol::Message Request>
  Result<Response> ask(const Request& request, std::int16_t version) {
    auto frame = protocol::request_frame(request, version, ++correlation_id_, "adbrook-doctor");
    if (auto exchanged = exchange(frame.joined()); !exchanged) return pass(exchanged.error());
    const auto header = protocol::read_response_header(answer_, Request::kApi, version);
    if (!header) return pass(header.error());
    return protocol::decode<Response>(header->body, version);
  }

 private:
  KafkaExchange(io::TcpStream stream, Millis patience)
      : stream_(std::move(stream)), patience_(patience) {}
  Result<void> exchange(ByteView request);
  Result<void> read_exactly(std::span<std::byte> into);

  io::TcpStream stream_;
  Millis patience_;
  std::int32_t correlation_id_ = 0;
  Buffer answer_;
};

}  // namespace adbrook::app
