// Records the input of bench/streams and loads it into a Kafka broker. Deterministic: the same job,
// seed and count give the same bytes on every machine.
//
//   streams_input record yahoo|clicks --out FILE [--events 5000000] [--seed 42]
//   streams_input load yahoo|clicks --from FILE --bootstrap HOST:PORT
//
// yahoo: a table of 1,000 ads of 100 campaigns, and ad events as JSON objects of seven fields, a
// third of each type. clicks: impressions and 2 % clicks as 40 bytes each; of the clicks 5 % name
// an impression that never was and 5 % come later than a minute. Both: 10,000 events per second of
// event time, out of order by up to two seconds, keyed and placed as Kafka's partitioner does. Two
// records an hour later, which count nowhere, end each partition and close every window.
#include <librdkafka/rdkafka.h>

#include <array>
#include <cstring>
#include <map>
#include <vector>

#include "base/hash.h"
#include "base/ids.h"
#include "io/random.h"
#include "recorded_file.h"

namespace adbrook::bench {
namespace {

constexpr Timestamp kStart{1'700'000'000'000};
constexpr std::int64_t kEventsPerMs = 10;
constexpr std::int64_t kDisorderMs = 2'000;
constexpr std::int32_t kPartitionCount = 4;
constexpr std::size_t kCampaignCount = 100;
constexpr std::size_t kAdsPerCampaign = 10;

class Recorder {
 public:
  Recorder(const std::string& path, std::uint64_t seed) : file_(path, "wb"), random_(seed) {}

  void yahoo(std::int64_t event_count) {
    std::vector<std::string> ads;
    for (std::size_t campaign = 0; campaign < kCampaignCount; ++campaign) {
      const std::string id = uuid().to_string();
      for (std::size_t ad = 0; ad < kAdsPerCampaign; ++ad) {
        ads.push_back(uuid().to_string());
        add(0, kStart, ads.back(), id);
      }
    }
    constexpr std::array kEventTypes = {"view", "click", "purchase"};
    for (std::int64_t i = 0; i < event_count; ++i) {
      const Timestamp time = time_of(i);
      const std::string& ad = ads[random_.below(ads.size())];
      add_ad_event(time, ad, kEventTypes[random_.below(kEventTypes.size())]);
    }
    for (std::int32_t partition = 0; partition < kPartitionCount; ++partition)
      for (std::size_t left = 2, at = 0; left > 0; ++at) {
        if (kafka_partition(as_bytes(ads[at]), kPartitionCount) != partition) continue;
        add_ad_event(end_of(event_count), ads[at], "click");
        --left;
      }
  }

  void clicks(std::int64_t event_count) {
    for (std::int64_t i = 0; i < event_count; ++i) {
      const Timestamp time = time_of(i);
      if (i % 50 == 49) {
        const std::string id = clicked().to_string();
        add(1, time, id, click_value(time));
      } else {
        shown_[shown_count_++ % shown_.size()] = uuid();
        add(0, time, shown_[(shown_count_ - 1) % shown_.size()].to_string(),
            impression_value(time));
      }
    }
    const Timestamp end = end_of(event_count);
    for (std::int32_t partition = 0; partition < kPartitionCount; ++partition)
      for (int n = 0; n < 2; ++n) {
        const std::string shown = uuid_in(partition);
        add(0, end, shown, impression_value(end));
        const std::string clicked_on = uuid_in(partition);
        add(1, end, clicked_on, click_value(end));
      }
  }

 private:
  // A minute and three quarters of impressions; a minute of them is about 588,000.
  static constexpr std::size_t kShownCount = 1 << 20;
  static constexpr std::uint64_t kShownInTime = 500'000;

  Uuid uuid() {
    const std::uint64_t high = random_.next();
    return {high, random_.next()};
  }
  Timestamp time_of(std::int64_t i) {
    return kStart +
           Millis(i / kEventsPerMs + static_cast<std::int64_t>(random_.below(kDisorderMs)));
  }
  static Timestamp end_of(std::int64_t event_count) {
    return kStart + Millis(event_count / kEventsPerMs) + std::chrono::hours(1);
  }
  std::string uuid_in(std::int32_t partition) {
    for (;;) {
      std::string id = uuid().to_string();
      if (kafka_partition(as_bytes(id), kPartitionCount) == partition) return id;
    }
  }
  void add_ad_event(Timestamp time, const std::string& ad, const char* type) {
    constexpr std::array kAdTypes = {"banner", "modal", "sponsored-search", "mail", "mobile"};
    const std::string user = uuid().to_string();
    const std::string page = uuid().to_string();
    const char* ad_type = kAdTypes[random_.below(kAdTypes.size())];
    char value[512];
    std::snprintf(value, sizeof value,
                  R"({"user_id":"%s","page_id":"%s","ad_id":"%s","ad_type":"%s",)"
                  R"("event_type":"%s","event_time":%ld,"ip_address":"192.0.2.%lu"})",
                  user.c_str(), page.c_str(), ad.c_str(), ad_type, type, time.ms,
                  random_.below(256));
    add(1, time, ad, value);
  }
  // Mostly of an impression of the last minute.
  Uuid clicked() {
    const std::uint64_t dice = random_.below(20);
    if (dice == 0) return uuid();
    const std::uint64_t known = std::min<std::uint64_t>(shown_count_, shown_.size());
    const std::uint64_t range = dice == 1 ? known : std::min(known, kShownInTime);
    return shown_[(shown_count_ - 1 - random_.below(range)) % shown_.size()];
  }
  // Big-endian, as Java reads it: i64 time, u32 campaign, u32 ad, u32 publisher, u32 price, user.
  std::string impression_value(Timestamp time) {
    std::string value(40, '\0');
    auto* at = reinterpret_cast<std::byte*>(value.data());
    const auto ad = static_cast<std::uint32_t>(random_.below(kCampaignCount * kAdsPerCampaign));
    store_be(at, time.ms);
    store_be(at + 8, ad / static_cast<std::uint32_t>(kAdsPerCampaign));
    store_be(at + 12, ad);
    store_be(at + 16, static_cast<std::uint32_t>(random_.below(5'000)));
    store_be(at + 20, static_cast<std::uint32_t>(random_.below(4'000)));
    store_be(at + 24, random_.next());
    store_be(at + 32, random_.next());
    return value;
  }
  // i64 time, 16 bytes of the click's own id, 16 of the user.
  std::string click_value(Timestamp time) {
    std::string value(40, '\0');
    auto* at = reinterpret_cast<std::byte*>(value.data());
    store_be(at, time.ms);
    for (std::size_t place = 8; place < 40; place += 8) store_be(at + place, random_.next());
    return value;
  }
  void add(std::uint8_t topic, Timestamp time, const std::string& key, std::string value) {
    const auto partition = kafka_partition(as_bytes(key), kPartitionCount);
    file_.write({topic, static_cast<std::uint8_t>(partition), time, key, std::move(value)});
  }

  RecordedFile file_;
  io::SeededRandom random_;
  std::vector<Uuid> shown_{kShownCount};
  std::uint64_t shown_count_ = 0;
};

void set(rd_kafka_conf_t* conf, const char* name, const char* value) {
  char why[256];
  if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) stop_bench(why);
}

void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
    stop_bench(std::string("the broker refused a record: ") + rd_kafka_err2str(message->err));
}

void load(const std::string& job, const std::string& path, const std::string& bootstrap) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", bootstrap.c_str());
  set(conf, "acks", "all");
  set(conf, "linger.ms", "50");
  set(conf, "batch.size", "200000");
  set(conf, "enable.idempotence", "true");  // keeps the order
  set(conf, "queue.buffering.max.messages", "500000");
  rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  char why[256];
  rd_kafka_t* producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
  if (producer == nullptr) stop_bench(why);
  RecordedFile file(path, "rb");
  const char* const* topics = topics_of_job(job);
  RecordedRecord record;
  while (file.read(record)) {
    for (;;) {
      const auto failed = rd_kafka_producev(
          producer, RD_KAFKA_V_TOPIC(topics[record.topic]), RD_KAFKA_V_PARTITION(record.partition),
          RD_KAFKA_V_TIMESTAMP(record.time.ms),
          RD_KAFKA_V_KEY(record.key.data(), record.key.size()),
          RD_KAFKA_V_VALUE(record.value.data(), record.value.size()),
          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
      if (failed == RD_KAFKA_RESP_ERR_NO_ERROR) break;
      if (failed != RD_KAFKA_RESP_ERR__QUEUE_FULL) stop_bench(rd_kafka_err2str(failed));
      rd_kafka_poll(producer, 100);
    }
    rd_kafka_poll(producer, 0);
  }
  if (rd_kafka_flush(producer, 120'000) != RD_KAFKA_RESP_ERR_NO_ERROR)
    stop_bench("the broker did not take the input within two minutes");
  rd_kafka_destroy(producer);
}

}  // namespace
}  // namespace adbrook::bench

int main(int argc, char** argv) {
  using namespace adbrook::bench;
  std::map<std::string, std::string> flags = {{"--events", "5000000"},
                                              {"--seed", "42"},
                                              {"--out", ""},
                                              {"--from", ""},
                                              {"--bootstrap", ""}};
  if (argc < 3) stop_bench("usage: streams_input record|load yahoo|clicks --flag value …");
  const std::string command = argv[1];
  const std::string job = argv[2];
  for (int i = 3; i + 1 < argc; i += 2) {
    if (!flags.contains(argv[i])) stop_bench("there is no flag " + std::string(argv[i]));
    flags[argv[i]] = argv[i + 1];
  }
  topics_of_job(job);  // refuses what is none
  if (command == "load") {
    load(job, flags["--from"], flags["--bootstrap"]);
    return 0;
  }
  Recorder recorder(flags["--out"], std::strtoull(flags["--seed"].c_str(), nullptr, 10));
  const std::int64_t count = std::atoll(flags["--events"].c_str());
  job == "yahoo" ? recorder.yahoo(count) : recorder.clicks(count);
  return 0;
}
