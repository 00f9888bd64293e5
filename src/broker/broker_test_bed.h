// What the broker's tests share: a broker over a log on a simulated disk, asked by whole frames as
// a connection would, with no socket and no thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "broker/broker.h"
#include "io/random.h"
#include "log/log_test_bed.h"
#include "protocol/header.h"
#include "record/batch.h"

namespace adbrook::broker {

// An answer with the bytes that its views lie in.
template <class Response>
struct Answered {
  std::optional<Reply::Kind> kind;  // nothing: it is still owed
  Buffer bytes;
  Response message;
  std::string why;
  const Response* operator->() const { return &message; }
};
template <class Response>
using AnsweredPtr = std::shared_ptr<Answered<Response>>;

// What a client would receive, files included.
inline Buffer whole_answer(const Reply& reply) {
  Buffer bytes;
  auto file = reply.files.begin();
  for (const ByteView piece : reply.frame.pieces()) {
    append(bytes, piece);
    if (!piece.empty()) continue;
    Buffer sent(file->size);
    EXPECT_EQ(file->file->read_at(file->position, sent).value(), sent.size());
    append(bytes, sent);
    ++file;
  }
  EXPECT_EQ(bytes.size(), reply.frame.size());
  EXPECT_TRUE(file == reply.files.end());
  return bytes;
}

// Owned by one thread.
class BrokerBed {
 public:
  BrokerBed() { start(); }
  ~BrokerBed() { broker.reset(); }

  void start() {
    ASSERT_TRUE(log.open());
    auto opened = Broker::open({*log.log, log.executor.clock(), random, log.executor, log.executor,
                                *log.metrics, [this](std::string_view note) { notes += note; }},
                               options, groups, owned);
    ASSERT_TRUE(opened) << opened.error().message;
    broker = std::move(*opened);
  }
  // The power fails, and everything begins again from what is on the disk.
  void crash() {
    broker->stop();
    log.executor.run_until_idle();
    broker.reset();
    log.power_loss();
    start();
  }

  // The process is gone in the middle of whatever is under way, and the disk with what it had not
  // made durable.
  void crash_at_once() {
    log.die();
    broker.reset();
    log.disk.crash();
    start();
  }

  // Sends a frame as it is, which nothing has run for yet; `answered` is filled when the answer
  // comes.
  template <class Response>
  AnsweredPtr<Response> start_frame(const Buffer& frame, std::int16_t answer_version) {
    auto answered = std::make_shared<Answered<Response>>();
    broker->handle(std::make_shared<RequestFrame>(ByteView(frame)), client,
                   [answered, answer_version](Reply reply) {
                     answered->kind = reply.kind;
                     answered->why = reply.why;
                     if (reply.kind != Reply::Kind::answer) return;
                     answered->bytes = whole_answer(reply);
                     const auto header = protocol::read_response_header(
                         ByteView(answered->bytes).subspan(protocol::kSizePrefix), Response::kApi,
                         answer_version);
                     ASSERT_TRUE(header) << header.error().message;
                     auto message = protocol::decode<Response>(header->body, answer_version);
                     ASSERT_TRUE(message) << message.error().message;
                     answered->message = std::move(*message);
                   });
    return answered;
  }
  template <class Response>
  AnsweredPtr<Response> send_frame(const Buffer& frame, std::int16_t answer_version) {
    auto answered = start_frame<Response>(frame, answer_version);
    log.executor.run_until_idle();
    return answered;
  }
  template <class Response, protocol::Message Request>
  AnsweredPtr<Response> start_request(const Request& request, std::int16_t version) {
    const Buffer frame = protocol::request_frame(request, version, 7, "test").joined();
    return start_frame<Response>(Buffer(frame.begin() + protocol::kSizePrefix, frame.end()),
                                 version);
  }
  // Sends a request and returns at once; its answer may be owed for long.
  template <class Response, protocol::Message Request>
  AnsweredPtr<Response> send(const Request& request, std::int16_t version = Request::kApi.last) {
    const Buffer frame = protocol::request_frame(request, version, 7, "test").joined();
    return send_frame<Response>(Buffer(frame.begin() + protocol::kSizePrefix, frame.end()),
                                version);
  }
  // The answer to a request that is answered at once.
  template <class Response, protocol::Message Request>
  Answered<Response> ask(const Request& request, std::int16_t version = Request::kApi.last) {
    const auto answered = send<Response>(request, version);
    EXPECT_EQ(answered->kind, Reply::Kind::answer) << answered->why;
    // Its views point into the moved bytes, which stay where they are.
    return std::move(*answered);
  }
  // Lets time pass step by step.
  void advance(Millis by) {
    const Nanos end = log.executor.clock().monotonic() + by;
    while (log.executor.clock().monotonic() < end) {
      log.executor.advance(Millis(100));
      log.executor.run_until_idle();
    }
  }

  log::LogBed log;
  io::SeededRandom random{1};
  BrokerOptions options;
  GroupOptions groups;
  EngineOwned owned{.groups = {"engine"}, .topics = {"impressions"}, .topics_it_writes = {"out"}};
  std::string notes;
  std::shared_ptr<const Client> client =
      std::make_shared<const Client>(Client{"10.0.0.9", {"broker.example", 9092}});
  std::unique_ptr<Broker> broker;
};

// A batch as a producer sends it, with its identity in the header.
struct ProducedBy {
  std::int64_t producer_id = -1;
  std::int16_t epoch = -1;
  std::int32_t sequence = -1;
  bool transactional = false;
};

inline Buffer produced_batch(const std::vector<std::string>& values, ProducedBy by = {},
                             record::Compression compression = record::Compression::none,
                             Timestamp first = {1'700'000'000'000}) {
  record::BatchBuilder builder(compression);
  for (std::size_t i = 0; i < values.size(); ++i)
    builder.add(first + Millis(static_cast<std::int64_t>(i) * 1'000), std::nullopt,
                as_bytes(values[i]));
  Buffer batch = builder.finish();
  const auto attributes = load_be<std::int16_t>(batch.data() + 21);
  store_be(batch.data() + 21,
           static_cast<std::int16_t>(attributes | (by.transactional ? 0x10 : 0)));
  store_be(batch.data() + 43, by.producer_id);
  store_be(batch.data() + 51, by.epoch);
  store_be(batch.data() + 53, by.sequence);
  store_be(batch.data() + 17, crc32c(ByteView(batch).subspan(21)));
  return batch;
}

}  // namespace adbrook::broker
