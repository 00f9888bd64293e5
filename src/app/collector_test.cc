#include "app/collector.h"

#include <gtest/gtest.h>

#include <optional>

#include "ads/click_topology.h"
#include "ads/edge_query.h"
#include "ads/event_codec.h"
#include "app/click_key.h"
#include "app/link_collector.h"
#include "base/hash.h"
#include "base/hex.h"
#include "log/log_test_bed.h"

namespace adbrook::app {
namespace {

constexpr std::int32_t kPartitions = 4;

std::string event(std::uint64_t number, std::string_view more = "") {
  return "{\"uuid\":\"" + Uuid{number * 0x9E3779B97F4A7C15u, number}.to_string() +
         "\",\"timestamp\":1368799999000,\"campaignId\":7,\"pubId\":3" + std::string(more) + "}";
}

class CollectorTest : public ::testing::Test {
 protected:
  CollectorTest() {
    EXPECT_TRUE(bed_.open());
    for (const auto topic : {ads::kImpressionsTopic, ads::kClicksTopic, ads::kDeadLettersTopic})
      EXPECT_TRUE(bed_.log->create_topic(topic, kPartitions, {}));
    auto opened = Collector::open(*bed_.log, bed_.executor.clock(), *bed_.metrics, {});
    EXPECT_TRUE(opened);
    collector_ = std::move(*opened);
    links_ = std::make_unique<LinkCollector>(*collector_, bed_.executor.clock(), random_, key_);
  }

  Result<CollectAnswer> impressions(const std::string& body, BodyRules rules = {}) {
    std::optional<Result<CollectAnswer>> result;
    collector_->collect_impressions(body, rules,
                                    [&](Result<CollectAnswer> r) { result = std::move(r); });
    bed_.executor.run_until_idle();
    return std::move(result).value();
  }
  // "index:field:reason" of everything refused.
  std::string refused(const std::string& body, BodyRules rules = {}) {
    const auto answer = impressions(body, rules);
    if (!answer) return std::string(to_string(answer.error().kind));
    std::string out;
    for (const RefusedItem& item : answer->refused)
      out += std::to_string(item.index) + ":" + item.refusal.field + ":" +
             std::string(to_string(item.refusal.reason)) + " ";
    return out;
  }
  template <class Call>
  LinkAnswer link(Call call) {
    std::optional<Result<LinkAnswer>> result;
    call([&](Result<LinkAnswer> r) { result = std::move(r); });
    bed_.executor.run_until_idle();
    return std::move(result).value().value();
  }
  // All values of a topic, and that each lies where Kafka's partitioner puts its key.
  std::vector<std::string> values(std::string_view topic) {
    std::vector<std::string> all;
    for (std::int32_t p = 0; p < kPartitions; ++p) {
      const auto read = bed_.log->read(bed_.partition(topic, p), {0}, 64 << 20);
      if (!read) continue;
      for (const auto& place : read->batches) {
        auto reader = record::BatchReader::open(
            ByteView(read->bytes).subspan(place.index_begin, place.size), 64_MiB);
        record::RecordView record;
        while (reader->next(record).value_or(false)) {
          EXPECT_EQ(kafka_partition(*record.key, kPartitions), p);
          all.emplace_back(as_text(*record.value));
        }
      }
    }
    return all;
  }

  log::LogBed bed_;
  io::SeededRandom random_{1};
  Buffer key_ = Buffer(kClickKeySize, std::byte{7});
  std::unique_ptr<Collector> collector_;
  std::unique_ptr<LinkCollector> links_;
};

TEST_F(CollectorTest, accepted_events_are_durable_when_the_answer_comes) {
  std::string body = "[" + event(0);
  for (std::uint64_t i = 1; i < 100; ++i) body += "," + event(i);
  std::size_t acknowledged = 0;
  collector_->collect_impressions(body + "]", {}, [&](Result<CollectAnswer> r) {
    ASSERT_TRUE(r);
    acknowledged = r->accepted;
    bed_.disk.crash_at_step(bed_.disk.steps());
  });
  while (acknowledged == 0) ASSERT_TRUE(bed_.executor.run_one());
  collector_.reset();
  bed_.power_loss();
  ASSERT_TRUE(bed_.open());
  EXPECT_EQ(values(ads::kImpressionsTopic).size(), 100U);
}

TEST_F(CollectorTest, all_three_shapes_of_a_body_are_read) {
  EXPECT_EQ(impressions(event(1))->accepted, 1U);
  EXPECT_EQ(impressions("[" + event(2) + "," + event(3) + "]")->accepted, 2U);
  EXPECT_EQ(impressions(event(4) + "\n" + event(5) + "\n")->accepted, 2U);
  EXPECT_EQ(impressions("[]")->accepted, 0U);
  EXPECT_EQ(values(ads::kImpressionsTopic).size(), 5U);
}

TEST_F(CollectorTest, a_bad_event_does_not_keep_the_good_ones_out) {
  const std::string body = event(1) + "\n{\"uuid\":\"12\"}\nnonsense\n" + event(2) + "\n";
  EXPECT_EQ(refused(body), "1:uuid:bad_uuid 2::unreadable ");
  EXPECT_EQ(values(ads::kImpressionsTopic).size(), 2U);
  EXPECT_NE(bed_.metrics->text().find("adbrook_events_refused_total{topic=\"impressions\","
                                      "reason=\"bad_uuid\"} 1"),
            std::string::npos);
}

TEST_F(CollectorTest, a_bad_first_line_does_not_spoil_the_others) {
  EXPECT_EQ(refused("nonsense\n" + event(1) + "\n", {.shape = BodyShape::lines}), "0::unreadable ");
  EXPECT_EQ(values(ads::kImpressionsTopic).size(), 1U);
}

TEST_F(CollectorTest, bad_fields_are_named) {
  const std::string id = "{\"uuid\":\"0f7e1c2a-9b3d-4e5f-8a6b-7c8d9e0f1a2b\",";
  EXPECT_EQ(refused(id + "\"timestamp\":0,\"campaignId\":1,\"pubId\":1}"),
            "0:timestamp:timestamp_out_of_range ");
  EXPECT_EQ(refused(id + "\"timestamp\":\"9999-01-01T00:00:00Z\",\"campaignId\":1,\"pubId\":1}"),
            "0:timestamp:timestamp_out_of_range ");
  EXPECT_EQ(refused(id + "\"timestamp\":1368799999000,\"campaignId\":\"x\",\"pubId\":1}"),
            "0:campaignId:wrong_type ");
  EXPECT_EQ(refused(id + "\"timestamp\":1368799999000,\"pubId\":1}"),
            "0:campaignId:missing_field ");
}

TEST_F(CollectorTest, unknown_fields_are_kept_and_counted_unless_strict) {
  EXPECT_EQ(refused(event(1, ",\"slot\":\"top\""), {.unknown = UnknownFields::refuse}),
            "0:slot:unknown_field ");
  EXPECT_EQ(refused(event(1, ",\"slot\":\"top\"")), "");
  EXPECT_NE(bed_.metrics->text().find(
                "adbrook_events_unknown_fields_total{topic=\"impressions\",field=\"slot\"} 1"),
            std::string::npos);
}

TEST_F(CollectorTest, names_that_strangers_make_up_do_not_fill_the_metrics) {
  for (std::size_t i = 0; i < 3 * kUnknownNamesMax; ++i)
    impressions(event(i, ",\"f" + std::to_string(i) + "\":1")).value();
  std::size_t lines = 0;
  const std::string text = bed_.metrics->text();
  for (auto at = text.find("unknown_fields_total{"); at != std::string::npos;
       at = text.find("unknown_fields_total{", at + 1))
    ++lines;
  EXPECT_EQ(lines, kUnknownNamesMax + 1);
}

TEST_F(CollectorTest, what_cannot_be_read_at_all_is_told_apart) {
  const auto unreadable = [&](const std::string& body) {
    const auto answer = impressions(body);
    return answer ? answer->nothing_readable : answer.error().kind == ErrorKind::invalid;
  };
  for (const std::string& body :
       {std::string(), std::string("nonsense"), std::string("[1,2]"), std::string("{\"uuid\":"),
        std::string(10'000, '['), std::string("{\"uuid\":\"\xff\"}")})
    EXPECT_TRUE(unreadable(body)) << body.substr(0, 20);
  EXPECT_FALSE(unreadable("{}"));
  EXPECT_TRUE(values(ads::kImpressionsTopic).empty());
}

TEST_F(CollectorTest, a_request_has_a_limited_number_of_items_and_is_kept_whole_or_not_at_all) {
  std::string body = event(1) + "\n";
  for (std::size_t i = 0; i < kEventsPerRequestMax; ++i) body += "{}\n";
  EXPECT_EQ(impressions(body).error().kind, ErrorKind::out_of_range);
  EXPECT_TRUE(values(ads::kImpressionsTopic).empty());
  EXPECT_EQ(impressions(event(2))->accepted, 1U);
  EXPECT_EQ(values(ads::kImpressionsTopic).size(), 1U);
}

TEST_F(CollectorTest, a_full_disk_is_told_and_loses_nothing) {
  ASSERT_TRUE(impressions(event(1)));
  bed_.disk.set_capacity(1);
  Result<CollectAnswer> answer = impressions(event(2));
  for (std::uint64_t i = 3; answer && i < 5000; ++i) answer = impressions(event(i));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::disk_full);
}

// Nobody writes what waits for the disk before all bodies are here.
TEST_F(CollectorTest, a_full_append_queue_is_told_and_what_was_taken_is_kept) {
  std::string lines;
  for (std::uint64_t i = 0; i < 200; ++i) lines += event(i) + "\n";
  std::size_t taken = 0, refused = 0;
  for (int i = 0; i < 500; ++i)
    collector_->collect_impressions(lines, {}, [&](const Result<CollectAnswer>& answer) {
      (answer ? taken : refused) += 1;
      if (!answer) {
        EXPECT_EQ(answer.error().kind, ErrorKind::overloaded);
      }
    });
  bed_.executor.run_until_idle();
  EXPECT_EQ(taken + refused, 500U);
  EXPECT_GT(taken, 0U);
  EXPECT_GT(refused, 0U);
  EXPECT_EQ(values(ads::kImpressionsTopic).size(), taken * 200);
}

TEST_F(CollectorTest, a_pixel_without_id_and_time_gets_them_here) {
  const auto answer =
      link([&](auto done) { links_->pixel("campaignId=1&pubId=2", std::move(done)); });
  EXPECT_FALSE(answer.refused);
  const auto stored = values(ads::kImpressionsTopic);
  ASSERT_EQ(stored.size(), 1U);
  ads::EventDecoder<ads::Impression> decoder;
  ads::Impression impression;
  ASSERT_TRUE(decoder.decode(as_bytes(stored[0]), impression));
  EXPECT_EQ(impression.timestamp, bed_.executor.clock().now());
  EXPECT_EQ(impression.publisher_id, 2);
}

TEST_F(CollectorTest, a_signed_click_leads_on_and_is_recorded) {
  ads::EventText text;
  const std::string to = "to=https%3A%2F%2Fshop.example%2F%3Fgclid%3DAbC";
  const std::string plain = "campaignId=1&pubId=2&" + to;
  const std::string sig = ads::sign_query(ads::Query::parse(plain, text).value(), key_);
  const auto good = link([&](auto done) { links_->click(plain + "&sig=" + sig, std::move(done)); });
  EXPECT_EQ(good.target, "https://shop.example/?gclid=AbC");
  EXPECT_EQ(values(ads::kClicksTopic).size(), 1U);
}

TEST_F(CollectorTest, a_click_that_was_not_signed_here_leads_nowhere_and_becomes_a_dead_letter) {
  const std::string plain = "campaignId=1&pubId=2&to=https%3A%2F%2Fevil.example%2F";
  for (const std::string& query : {plain, plain + "&sig=AAAA", plain + "&sig="}) {
    const auto bad = link([&](auto done) { links_->click(query, std::move(done)); });
    EXPECT_EQ(bad.target, "");
    EXPECT_EQ(bad.refused->reason, ads::Reason::bad_signature);
  }
  EXPECT_TRUE(values(ads::kClicksTopic).empty());
  const auto letters = values(ads::kDeadLettersTopic);
  ASSERT_EQ(letters.size(), 3U);
  EXPECT_EQ(ads::read_dead_letter(as_bytes(letters[0]))->reason, "bad_signature");
}

TEST_F(CollectorTest, dead_letters_keep_their_bytes) {
  const std::string body =
      R"({"source":"a.csv","line":3,"reason":"unreadable","detail":"d","bytes":"AP8K"})"
      "\n"
      R"({"source":"a.csv","line":4,"reason":"bad_time","text":"x"})"
      "\n"
      R"({"source":"a.csv","line":4,"reason":"Bad Reason","text":"x"})"
      "\n"
      R"({"source":"a.csv","line":4,"reason":"bad_time","bytes":"*"})"
      "\n";
  std::optional<Result<CollectAnswer>> result;
  collector_->collect_dead_letters(body, {.shape = BodyShape::lines},
                                   [&](Result<CollectAnswer> r) { result = std::move(r); });
  bed_.executor.run_until_idle();
  ASSERT_TRUE(result && *result);
  EXPECT_EQ((*result)->accepted, 2U);
  ASSERT_EQ((*result)->refused.size(), 2U);
  EXPECT_EQ((*result)->refused[0].refusal.field, "reason");
  EXPECT_EQ((*result)->refused[1].refusal.field, "bytes");
  bool found = false;
  for (const std::string& value : values(ads::kDeadLettersTopic)) {
    const auto letter = ads::read_dead_letter(as_bytes(value));
    ASSERT_TRUE(letter);
    found = found || as_text(letter->bytes) == std::string_view("\0\xff\n", 3);
  }
  EXPECT_TRUE(found);
}

std::string redrive(std::uint64_t letter, const std::string& text) {
  std::string escaped;
  for (const char c : text) escaped += c == '"' ? "\\\"" : std::string(1, c);
  return "{\"letter\":\"" + Uuid{letter, 7}.to_string() + "\",\"as\":\"impressions\",\"text\":\"" +
         escaped + "\"}\n";
}

TEST_F(CollectorTest, a_redriven_letter_is_marked_and_a_refused_one_is_not) {
  const std::string body = redrive(1, event(1)) + redrive(2, "{\"uuid\":\"x\"}") + redrive(3, "[") +
                           "{\"letter\":\"x\"}\n{\"as\":\"clicks\",\"text\":\"{}\"}\n";
  const auto run = [&](BodyPurpose purpose) {
    std::optional<Result<CollectAnswer>> result;
    collector_->redrive(body, {.purpose = purpose, .shape = BodyShape::lines},
                        [&](Result<CollectAnswer> r) { result = std::move(r); });
    bed_.executor.run_until_idle();
    return std::move(result).value();
  };
  const auto tried = run(BodyPurpose::check);
  ASSERT_TRUE(tried);
  EXPECT_EQ(tried->accepted, 1U);
  EXPECT_TRUE(values(ads::kImpressionsTopic).empty());
  EXPECT_TRUE(values(ads::kDeadLettersTopic).empty());

  const auto sent = run(BodyPurpose::deliver);
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->accepted, 1U);
  ASSERT_EQ(sent->refused.size(), 4U);
  EXPECT_EQ(sent->refused[0].refusal.field, "uuid");
  EXPECT_EQ(sent->refused[1].refusal.reason, ads::Reason::unreadable);
  EXPECT_EQ(sent->refused[2].refusal.field, "letter");
  EXPECT_EQ(sent->refused[3].refusal.field, "letter");
  EXPECT_EQ(values(ads::kImpressionsTopic).size(), 1U);
  const auto marks = values(ads::kDeadLettersTopic);
  ASSERT_EQ(marks.size(), 1U);
  const auto mark = ads::read_dead_letter_redrive(as_bytes(marks[0]));
  ASSERT_TRUE(mark);
  EXPECT_EQ(mark->topic, "impressions");
  EXPECT_EQ(mark->event.to_string(), event(1).substr(9, 36));
}

TEST_F(CollectorTest, a_value_is_redriven_byte_by_byte) {
  ads::Click click;
  click.id = {3, 4};
  click.timestamp = {1'368'799'999'000};
  click.campaign_id = 7;
  Buffer value;
  ads::encode(click, value);
  const auto line = [](std::string_view as, const std::string& digits) {
    return "{\"letter\":\"" + Uuid{5, 5}.to_string() + "\",\"as\":\"" + std::string(as) +
           "\",\"hex\":\"" + digits + "\"}\n";
  };
  Buffer broken = value;
  broken.pop_back();
  const std::string body = line("clicks", hex(value)) + line("impressions", hex(value)) +
                           line("clicks", hex(broken)) + line("clicks", "7") +
                           line("impressions", hex(as_bytes(event(1))));
  std::optional<Result<CollectAnswer>> result;
  collector_->redrive(body, {.shape = BodyShape::lines},
                      [&](Result<CollectAnswer> r) { result = std::move(r); });
  bed_.executor.run_until_idle();
  ASSERT_TRUE(result && *result);
  EXPECT_EQ((*result)->accepted, 2U);
  ASSERT_EQ((*result)->refused.size(), 3U);
  EXPECT_EQ((*result)->refused[0].refusal.reason, ads::Reason::unknown_schema);
  EXPECT_EQ((*result)->refused[1].index, 2U);
  EXPECT_EQ((*result)->refused[2].refusal.field, "hex");
  const auto clicks = values(ads::kClicksTopic);
  ASSERT_EQ(clicks.size(), 1U);
  EXPECT_EQ(hex(as_bytes(clicks[0])), hex(value));
  EXPECT_EQ(values(ads::kImpressionsTopic).size(), 1U);
  EXPECT_EQ(values(ads::kDeadLettersTopic).size(), 2U);
}

// The machine dies at every step of the disk in turn: the event is there exactly when its letter is
// marked, and both are when the redrive was acknowledged.
TEST(Redrive, a_power_loss_never_parts_an_event_from_its_mark) {
  for (std::uint64_t step = 1; step < 60; ++step) {
    log::LogBed bed(step);
    ASSERT_TRUE(bed.open());
    for (const auto topic : {ads::kImpressionsTopic, ads::kClicksTopic, ads::kDeadLettersTopic})
      ASSERT_TRUE(bed.log->create_topic(topic, kPartitions, {}));
    auto collector = Collector::open(*bed.log, bed.executor.clock(), *bed.metrics, {}).value();
    bed.disk.crash_at_step(bed.disk.steps() + step);
    bool acknowledged = false;
    collector->redrive(redrive(1, event(1)) + redrive(2, event(2)), {.shape = BodyShape::lines},
                       [&](Result<CollectAnswer> r) { acknowledged = r && r->accepted == 2; });
    bed.executor.run_until_idle();
    collector.reset();
    bed.power_loss();
    ASSERT_TRUE(bed.open());
    const auto count = [&](std::string_view topic) {
      std::int64_t all = 0;
      for (std::int32_t p = 0; p < kPartitions; ++p)
        all += bed.log->ends(bed.partition(topic, p)).visible.value;
      return all;
    };
    EXPECT_EQ(count(ads::kImpressionsTopic), count(ads::kDeadLettersTopic)) << "step " << step;
    EXPECT_EQ(count(ads::kImpressionsTopic) % 2, 0) << "step " << step;
    if (acknowledged) EXPECT_EQ(count(ads::kImpressionsTopic), 2) << "step " << step;
  }
}

TEST_F(CollectorTest, the_click_key_is_made_once) {
  const auto first = load_or_make_click_key(bed_.disk, random_, "data");
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(*load_or_make_click_key(bed_.disk, random_, "data"), *first);
  EXPECT_EQ(load_click_key(bed_.disk, "data").value(), *first);
}

}  // namespace
}  // namespace adbrook::app
