#include <gtest/gtest.h>

#include "ads/attributed_click.h"
#include "ads/dead_letter.h"
#include "ads/impression_summary.h"
#include "ads/outcome_record.h"

namespace adbrook::ads {
namespace output_records_test {

const Uuid kId{0x0123456789abcdef, 0xfedcba9876543210};
const Uuid kOther{1, 2};
const ReportedUnder kUnder{7, 9, "c1", "", "FR", "Paris", "Firefox", ""};

void expect_equal(const ReportedUnder& a, const ReportedUnder& b) {
  EXPECT_EQ(a.campaign_id, b.campaign_id);
  EXPECT_EQ(a.publisher_id, b.publisher_id);
  EXPECT_EQ(a.creative_id, b.creative_id);
  EXPECT_EQ(a.placement_id, b.placement_id);
  EXPECT_EQ(a.country, b.country);
  EXPECT_EQ(a.city, b.city);
  EXPECT_EQ(a.browser, b.browser);
  EXPECT_EQ(a.platform, b.platform);
}

TEST(ImpressionSummary, reads_what_was_written) {
  const std::vector<SummaryClick> clicks = {{kOther, {1500}}, {kId, {1600}}};
  for (const std::size_t count : {0u, 1u, 2u}) {
    const ImpressionSummary summary{kId,  {1000}, kUnder,
                                    2500, "USD",  std::span(clicks).first(count)};
    Buffer value(value_size(summary));
    write_value(value, summary);
    std::vector<SummaryClick> read_clicks;
    const auto read = read_impression_summary(value, read_clicks);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->id, kId);
    EXPECT_EQ(read->timestamp.ms, 1000);
    expect_equal(read->under, kUnder);
    EXPECT_EQ(read->price_micros, 2500);
    EXPECT_EQ(read->currency, "USD");
    EXPECT_TRUE(std::ranges::equal(read->clicks, summary.clicks));
  }
}

TEST(AttributedClick, reads_what_was_written) {
  Buffer value;
  encode(AttributedClick{kId, {2000}, kOther, {1000}, kUnder}, value);
  const auto read = read_attributed_click(value);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->impression_id, kOther);
  EXPECT_EQ(read->impression_timestamp.ms, 1000);
  expect_equal(read->under, kUnder);
}

TEST(OutcomeRecord, reads_what_was_written) {
  Buffer value;
  encode(
      OutcomeRecord{
          kId, "clicks", 3, {77}, Timestamp{5}, "orphan", "unknown", kOther, std::nullopt},
      value);
  const auto read = read_outcome(value);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->id, kId);
  EXPECT_EQ(read->topic, "clicks");
  EXPECT_EQ(read->offset.value, 77);
  EXPECT_EQ(read->outcome, "orphan");
  EXPECT_EQ(read->reason, "unknown");
  EXPECT_EQ(read->impression_id, kOther);
  EXPECT_FALSE(read->impression_timestamp);
}

TEST(DeadLetter, keeps_the_original_bytes_and_its_key_is_its_place) {
  const std::string bytes("\x00\xff{broken", 9);
  const DeadLetter letter{"file.gz", 12, "unreadable", "", "why", as_bytes(bytes)};
  Buffer value;
  encode(letter, value);
  const auto read = read_dead_letter(value);
  ASSERT_TRUE(read);
  EXPECT_EQ(as_text(read->bytes), bytes);
  EXPECT_EQ(dead_letter_id(*read), dead_letter_id(letter));
  DeadLetter elsewhere = letter;
  elsewhere.place = 13;
  EXPECT_NE(dead_letter_id(elsewhere), dead_letter_id(letter));
}

TEST(OutputRecords, truncated_values_are_refused) {
  Buffer value;
  encode(OutcomeRecord{kId, "clicks", 3, {77}, Timestamp{5}, "late", "", kOther, Timestamp{1}},
         value);
  for (std::size_t size = 0; size < value.size(); ++size)
    EXPECT_FALSE(read_outcome(ByteView(value).first(size)));
  value.clear();
  encode(AttributedClick{kId, {2000}, kOther, {1000}, kUnder}, value);
  for (std::size_t size = 0; size < value.size(); ++size)
    EXPECT_FALSE(read_attributed_click(ByteView(value).first(size)));
}

}  // namespace output_records_test
}  // namespace adbrook::ads
