#include "app/kafka_exchange.h"

#include <array>
#include <future>

#include "base/text.h"

namespace adbrook::app {
namespace {

// What something that is no Kafka broker begins its answer with, read as a size.
Error no_kafka(ByteView head) {
  const auto text = as_text(head);
  if (head[0] == std::byte{0x15} || head[0] == std::byte{0x16})
    return {ErrorKind::unsupported, "it answers in TLS"};
  if (text == "HTTP") return {ErrorKind::unsupported, "it answers in HTTP"};
  return {ErrorKind::unsupported, "it answers '" + printable(text) + "', which is no Kafka"};
}

}  // namespace

Result<KafkaExchange> KafkaExchange::connect(io::Network& network, const std::string& host,
                                             std::uint16_t port, Millis patience) {
  std::promise<Result<io::TcpStream>> done;
  network.connect(host, port, patience,
                  [&](Result<io::TcpStream> stream) { done.set_value(std::move(stream)); });
  auto stream = done.get_future().get();
  if (!stream) return pass(std::move(stream.error()));
  return KafkaExchange(std::move(*stream), patience);
}

Result<void> KafkaExchange::exchange(ByteView request) {
  std::promise<Result<void>> written;
  stream_.write_all(request, patience_, [&](Result<void> done) { written.set_value(done); });
  if (auto done = written.get_future().get(); !done) return done;
  std::array<std::byte, protocol::kSizePrefix> head;
  if (auto done = read_exactly(head); !done) return done;
  const auto size = load_be<std::int32_t>(head.data());
  if (size < 0 || static_cast<std::size_t>(size) > kAnswerSizeMax) return pass(no_kafka(head));
  answer_.resize(static_cast<std::size_t>(size));
  return read_exactly(answer_);
}

Result<void> KafkaExchange::read_exactly(std::span<std::byte> into) {
  while (!into.empty()) {
    std::promise<Result<std::size_t>> read;
    stream_.read_some(into, patience_, [&](Result<std::size_t> size) { read.set_value(size); });
    const auto size = read.get_future().get();
    if (!size) return pass(size.error());
    if (*size == 0) return fail(ErrorKind::closed, "it closed the connection without an answer");
    into = into.subspan(*size);
  }
  return {};
}

}  // namespace adbrook::app
