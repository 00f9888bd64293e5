#include "pipeline_input.h"

#include <array>
#include <deque>
#include <future>
#include <vector>

#include "ads/event.h"
#include "ads/event_codec.h"
#include "base/hash.h"
#include "io/random.h"
#include "record/batch.h"

namespace adbrook::bench {
namespace {

constexpr Timestamp kStart{1'368'748'800'000};  // 2013-05-17T00:00:00Z
constexpr std::int64_t kSpanMs = 24 * 3'600'000;
constexpr std::int32_t kBatchRecords = 1'000;
constexpr std::size_t kRecentCount = 1 << 16;  // impressions that a click may belong to

constexpr std::array<std::string_view, 12> kCountries = {"US", "DE", "FR", "GB", "JP", "BR",
                                                         "IN", "CA", "ES", "IT", "NL", "SE"};
constexpr std::array<std::string_view, 12> kCities = {
    "New York", "Berlin",  "Paris",  "London", "Tokyo",     "Rio de Janeiro",
    "Mumbai",   "Toronto", "Madrid", "Rome",   "Amsterdam", "Stockholm"};
constexpr std::array<std::string_view, 5> kBrowsers = {"Chrome", "Firefox", "Safari", "Edge",
                                                       "Opera"};
constexpr std::array<std::string_view, 5> kPlatforms = {"Windows", "macOS", "Linux", "Android",
                                                        "iOS"};
constexpr std::array<std::string_view, 10> kCreatives = {"c0", "c1", "c2", "c3", "c4",
                                                         "c5", "c6", "c7", "c8", "c9"};

struct Shown {
  Uuid id;
  Timestamp time;
};

// One topic being filled: a batch per partition, appended when it is full.
class TopicWriter {
 public:
  TopicWriter(log::Log& log, std::string_view topic, std::int32_t partition_count)
      : log_(log), builders_(static_cast<std::size_t>(partition_count)) {
    for (std::int32_t p = 0; p < partition_count; ++p) ids_.push_back(*log.partition(topic, p));
  }

  Result<void> add(Uuid id, Timestamp time, ByteView value) {
    const auto key = id.text();
    const ByteView key_bytes = as_bytes({key.data(), key.size()});
    const auto at = static_cast<std::size_t>(
        kafka_partition(key_bytes, static_cast<std::int32_t>(builders_.size())));
    builders_[at].add(time, key_bytes, value);
    return builders_[at].count() == kBatchRecords ? flush(at) : Result<void>{};
  }
  Result<void> finish() {
    for (std::size_t p = 0; p < builders_.size(); ++p)
      if (!builders_[p].empty())
        if (auto flushed = flush(p); !flushed) return flushed;
    return {};
  }

 private:
  Result<void> flush(std::size_t at) {
    log::Append append;
    append.batches.push_back({ids_[at], builders_[at].finish()});
    std::promise<Result<void>> done;
    log_.append(std::move(append), [&](Result<std::vector<log::AppendedBatch>> appended) {
      done.set_value(appended ? Result<void>{} : std::unexpected(appended.error()));
    });
    return done.get_future().get();
  }

  log::Log& log_;
  std::vector<record::BatchBuilder> builders_;
  std::vector<log::PartitionId> ids_;
};

class InputMaker {
 public:
  InputMaker(log::Log& log, const InputOptions& options)
      : options_(options),
        random_(options.seed),
        impressions_(log, ads::kImpressionsTopic, options.partition_count),
        clicks_(log, ads::kClicksTopic, options.partition_count) {}

  Result<void> run() {
    for (std::uint64_t i = 0; i < options_.event_count; ++i) {
      const std::int64_t elapsed = static_cast<std::int64_t>(static_cast<unsigned __int128>(i) *
                                                             kSpanMs / options_.event_count);
      const Timestamp time =
          kStart + Millis(elapsed + static_cast<std::int64_t>(random_.below(2'000)));
      const bool click = i % 50 == 49 && !recent_.empty();
      const auto added = click ? add_click(time) : add_impression(time);
      if (!added) return added;
    }
    if (auto finished = impressions_.finish(); !finished) return finished;
    return clicks_.finish();
  }

 private:
  Result<void> add_impression(Timestamp time) {
    const std::uint64_t dice = random_.next();
    if (!recent_.empty() && dice % 100 == 0) return impressions_.add(last_id_, last_time_, value_);
    const std::size_t place = (dice >> 8) % kCountries.size();
    const ads::Impression impression{.id = {random_.next(), random_.next()},
                                     .timestamp = time,
                                     .campaign_id = static_cast<std::int64_t>((dice >> 16) % 10),
                                     .publisher_id = static_cast<std::int64_t>((dice >> 24) % 5),
                                     .creative_id = kCreatives[(dice >> 32) % kCreatives.size()],
                                     .placement_id = "top",
                                     .user_id = "user-0123456789",
                                     .ip = "192.0.2.17",
                                     .city = kCities[place],
                                     .country = kCountries[place],
                                     .browser = kBrowsers[(dice >> 40) % kBrowsers.size()],
                                     .platform = kPlatforms[(dice >> 48) % kPlatforms.size()],
                                     .platform_version = "10.1",
                                     .latitude = 48.85,
                                     .longitude = 2.35,
                                     .price_micros = static_cast<std::int64_t>(500 + dice % 4'000),
                                     .currency = "USD"};
    value_.clear();
    ads::encode(impression, value_);
    last_id_ = impression.id;
    last_time_ = time;
    recent_.push_back({impression.id, time});
    if (recent_.size() > kRecentCount) recent_.pop_front();
    return impressions_.add(impression.id, time, value_);
  }

  // Of an impression in the older half of the recent ones, so that it lies before its click.
  Result<void> add_click(Timestamp time) {
    const Shown& shown = recent_[random_.below(recent_.size() / 2 + 1)];
    const bool linked = random_.below(20) != 0;
    const ads::Click click{.id = {random_.next(), random_.next()},
                           .timestamp = time,
                           .campaign_id = 1,
                           .publisher_id = 1,
                           .impression_id = linked ? std::optional(shown.id) : std::nullopt,
                           .user_id = "user-0123456789",
                           .ip = "192.0.2.17",
                           .city = "Paris",
                           .country = "FR"};
    click_value_.clear();
    ads::encode(click, click_value_);
    return clicks_.add(click.id, time, click_value_);
  }

  InputOptions options_;
  io::SeededRandom random_;
  TopicWriter impressions_;
  TopicWriter clicks_;
  std::deque<Shown> recent_;
  Uuid last_id_;
  Timestamp last_time_;
  Buffer value_;
  Buffer click_value_;
};

}  // namespace

Result<void> write_input(log::Log& log, const InputOptions& options) {
  log::TopicConfig relaxed{.durability = log::Durability::relaxed};
  for (const std::string_view topic : {ads::kImpressionsTopic, ads::kClicksTopic})
    if (auto made = log.create_topic(topic, options.partition_count, relaxed); !made) return made;
  return InputMaker(log, options).run();
}

}  // namespace adbrook::bench
