// One Kafka client for every broker that is compared: produces, consumes or measures how long an
// acknowledgement takes. Prints one line `result key=value …`; bench/kafka reads it.
//
//   kafka_load produce|consume|latency --bootstrap HOST:PORT --topic NAME [--records N] [--size
//   BYTES]
//              [--rate N] [--compression none] [--acks all] [--linger-ms 5] [--batch-bytes 1000000]
//              [--in-flight 5] [--idempotence 0] [--producers 1] [--batch-records 100000]
//
// With several producers each is a client of its own, with its own connections, and the records
// go to them in turns: a fleet of servers that send small batches.

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "kafka_load: %s\n", why.c_str());
  std::exit(1);
}

struct Arguments {
  std::map<std::string, std::string> values = {{"bootstrap", "127.0.0.1:9092"},
                                               {"topic", "bench"},
                                               {"records", "1000000"},
                                               {"size", "100"},
                                               {"rate", "1000"},
                                               {"compression", "none"},
                                               {"acks", "all"},
                                               {"linger-ms", "5"},
                                               {"batch-bytes", "1000000"},
                                               {"in-flight", "5"},
                                               {"idempotence", "0"},
                                               {"producers", "1"},
                                               {"batch-records", "100000"}};
  const std::string& operator[](const char* name) const { return values.at(name); }
  std::int64_t number(const char* name) const { return std::atoll(values.at(name).c_str()); }
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string name = std::strncmp(argv[i], "--", 2) == 0 ? argv[i] + 2 : "";
    if (!arguments.values.contains(name)) give_up("there is no flag " + std::string(argv[i]));
    arguments.values[name] = argv[i + 1];
  }
  return arguments;
}

void set(rd_kafka_conf_t* conf, const char* name, const std::string& value) {
  char why[256];
  if (rd_kafka_conf_set(conf, name, value.c_str(), why, sizeof why) != RD_KAFKA_CONF_OK)
    give_up(why);
}

struct Acknowledged {
  std::int64_t count = 0;
  std::int64_t failed = 0;
  std::vector<double> milliseconds;  // only when somebody wants them
};

// The opaque pointer of a message is its send time in nanoseconds, or null.
void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  auto& done = *static_cast<Acknowledged*>(opaque);
  message->err == RD_KAFKA_RESP_ERR_NO_ERROR ? ++done.count : ++done.failed;
  if (message->_private == nullptr) return;
  const auto sent = static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(message->_private));
  const auto now = Clock::now().time_since_epoch().count();
  done.milliseconds.push_back(static_cast<double>(now - sent) / 1e6);
}

rd_kafka_t* make_producer(const Arguments& a, const char* linger_ms, Acknowledged& done) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", a["bootstrap"]);
  set(conf, "acks", a["acks"]);
  set(conf, "linger.ms", linger_ms);
  set(conf, "batch.size", a["batch-bytes"]);
  set(conf, "batch.num.messages", a["batch-records"]);
  set(conf, "compression.type", a["compression"]);
  set(conf, "max.in.flight.requests.per.connection", a["in-flight"]);
  set(conf, "enable.idempotence", a["idempotence"] == "1" ? "true" : "false");
  // All of them together may have this much waiting.
  const std::int64_t fleet_size = std::max<std::int64_t>(1, a.number("producers"));
  set(conf, "queue.buffering.max.messages", std::to_string(1'000'000 / fleet_size));
  set(conf, "queue.buffering.max.kbytes", std::to_string(1'048'576 / fleet_size));
  set(conf, "socket.nagle.disable", "true");
  rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  rd_kafka_conf_set_opaque(conf, &done);
  char why[256];
  rd_kafka_t* producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
  if (producer == nullptr) give_up(why);
  return producer;
}

// Random bytes, so that compression has nothing to gain that real records would not give it.
std::vector<char> make_payload(std::size_t size) {
  std::vector<char> payload(size);
  std::uint64_t state = 42;
  for (char& c : payload) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    c = static_cast<char>(state >> 56);
  }
  return payload;
}

void produce_one(rd_kafka_t* producer, const std::string& topic, const std::vector<char>& payload,
                 void* sent) {
  for (;;) {
    const auto err = rd_kafka_producev(
        producer, RD_KAFKA_V_TOPIC(topic.c_str()),
        RD_KAFKA_V_VALUE(const_cast<char*>(payload.data()), payload.size()),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE(sent), RD_KAFKA_V_END);
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) return;
    if (err != RD_KAFKA_RESP_ERR__QUEUE_FULL) give_up(rd_kafka_err2str(err));
    rd_kafka_poll(producer, 5);
  }
}

void finish(rd_kafka_t* producer, const Acknowledged& done, std::int64_t wanted) {
  if (rd_kafka_flush(producer, 300'000) != RD_KAFKA_RESP_ERR_NO_ERROR) give_up("flush timed out");
  if (done.count != wanted || done.failed != 0)
    give_up(std::to_string(done.failed) + " records failed, " + std::to_string(done.count) +
            " acknowledged of " + std::to_string(wanted));
}

void run_produce(const Arguments& a) {
  const auto fleet_size =
      static_cast<std::size_t>(std::max<std::int64_t>(1, a.number("producers")));
  std::vector<Acknowledged> done(fleet_size);
  std::vector<rd_kafka_t*> fleet;
  for (Acknowledged& acknowledged : done)
    fleet.push_back(make_producer(a, a["linger-ms"].c_str(), acknowledged));
  const auto payload = make_payload(static_cast<std::size_t>(a.number("size")));
  const std::int64_t count = a.number("records");
  std::vector<std::int64_t> sent(fleet_size);
  const auto start = Clock::now();
  for (std::int64_t i = 0; i < count; ++i) {
    const std::size_t turn = static_cast<std::size_t>(i) % fleet_size;
    produce_one(fleet[turn], a["topic"], payload, nullptr);
    if (++sent[turn] % 1024 == 0) rd_kafka_poll(fleet[turn], 0);
  }
  for (std::size_t i = 0; i < fleet_size; ++i) finish(fleet[i], done[i], sent[i]);
  std::printf("result records=%ld seconds=%.3f\n", count, seconds_since(start));
  for (rd_kafka_t* producer : fleet) rd_kafka_destroy(producer);
}

// One record every 1/rate seconds, each sent at its moment whether or not the last is acknowledged.
void run_latency(const Arguments& a) {
  Acknowledged done;
  rd_kafka_t* producer = make_producer(a, "0", done);
  const auto payload = make_payload(static_cast<std::size_t>(a.number("size")));
  const std::int64_t count = a.number("records");
  const auto step =
      std::chrono::nanoseconds(1'000'000'000 / std::max<std::int64_t>(1, a.number("rate")));
  const auto start = Clock::now() + std::chrono::milliseconds(200);
  produce_one(producer, a["topic"], payload, nullptr);
  for (std::int64_t i = 1; i < count; ++i) {
    const auto moment = start + step * i;
    while (Clock::now() < moment)
      rd_kafka_poll(producer, Clock::now() + std::chrono::milliseconds(2) < moment ? 1 : 0);
    produce_one(
        producer, a["topic"], payload,
        reinterpret_cast<void*>(static_cast<std::intptr_t>(moment.time_since_epoch().count())));
  }
  finish(producer, done, count);
  auto& times = done.milliseconds;
  std::ranges::sort(times);
  const auto at = [&](double share) {
    return times[std::min(times.size() - 1,
                          static_cast<std::size_t>(share * static_cast<double>(times.size())))];
  };
  std::printf("result records=%ld p50=%.3f p99=%.3f p999=%.3f max=%.3f\n", done.count, at(0.5),
              at(0.99), at(0.999), times.back());
  rd_kafka_destroy(producer);
}

void run_consume(const Arguments& a) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", a["bootstrap"]);
  set(conf, "group.id", "kafka-load");
  set(conf, "enable.auto.commit", "false");
  set(conf, "auto.offset.reset", "earliest");
  set(conf, "fetch.wait.max.ms", "100");
  set(conf, "fetch.message.max.bytes", "1048576");
  set(conf, "queued.max.messages.kbytes", "262144");
  set(conf, "check.crcs", "false");
  char why[256];
  rd_kafka_t* consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
  if (consumer == nullptr) give_up(why);
  rd_kafka_poll_set_consumer(consumer);
  const rd_kafka_metadata_t* metadata = nullptr;
  rd_kafka_topic_t* topic = rd_kafka_topic_new(consumer, a["topic"].c_str(), nullptr);
  if (rd_kafka_metadata(consumer, 0, topic, &metadata, 10'000) != RD_KAFKA_RESP_ERR_NO_ERROR)
    give_up("no metadata");
  auto* partitions = rd_kafka_topic_partition_list_new(8);
  for (int p = 0; p < metadata->topics[0].partition_cnt; ++p)
    rd_kafka_topic_partition_list_add(partitions, a["topic"].c_str(), p)->offset =
        RD_KAFKA_OFFSET_BEGINNING;
  rd_kafka_metadata_destroy(metadata);
  rd_kafka_assign(consumer, partitions);
  const std::int64_t wanted = a.number("records");
  std::int64_t count = 0, bytes = 0;
  const auto start = Clock::now();
  while (count < wanted) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(consumer, 30'000);
    if (message == nullptr) give_up("only " + std::to_string(count) + " records came");
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) give_up(rd_kafka_message_errstr(message));
    ++count;
    bytes += static_cast<std::int64_t>(message->len);
    rd_kafka_message_destroy(message);
  }
  std::printf("result records=%ld bytes=%ld seconds=%.3f\n", count, bytes, seconds_since(start));
  rd_kafka_topic_partition_list_destroy(partitions);
  rd_kafka_topic_destroy(topic);
  rd_kafka_consumer_close(consumer);
  rd_kafka_destroy(consumer);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  const Arguments arguments = parse(argc, argv);
  if (mode == "produce") {
    run_produce(arguments);
  } else if (mode == "consume") {
    run_consume(arguments);
  } else if (mode == "latency") {
    run_latency(arguments);
  } else {
    give_up("say produce, consume or latency");
  }
  return 0;
}
