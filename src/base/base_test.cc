#include <gtest/gtest.h>

#include <random>

#include "base/csv.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/metrics.h"
#include "base/settings.h"
#include "base/text.h"
#include "base/time.h"

namespace adbrook {
namespace {

TEST(Uuid, all_spellings_are_one_id) {
  const auto dashed = Uuid::parse("0123ABCD-89ab-cdef-0011-223344556677");
  const auto plain = Uuid::parse("0123abcd89abcdef0011223344556677");
  ASSERT_TRUE(dashed && plain);
  EXPECT_EQ(*dashed, *plain);
  EXPECT_EQ(dashed->to_string(), "0123abcd-89ab-cdef-0011-223344556677");
  EXPECT_EQ(Uuid::from_bytes(dashed->bytes()), dashed);
}

TEST(Uuid, other_lengths_and_letters_are_refused) {
  for (const std::string_view bad :
       {"", "0123", "0123abcd89abcdef001122334455667", "g123abcd89abcdef0011223344556677",
        "0123abcd-89ab-cdef-0011_223344556677", "0123abcd889ab-cdef-0011-22334455667"})
    EXPECT_FALSE(Uuid::parse(bad)) << bad;
}

TEST(Uuid, every_byte_at_every_place_is_a_digit_or_refused) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  };
  for (const std::string text :
       {"0123abcd-4567-89ef-fedc-ba9876543210", "0123abcd456789effedcba9876543210"})
    for (std::size_t at = 0; at < text.size(); ++at)
      for (int c = 0; c < 256; ++c) {
        std::string changed = text;
        changed[at] = static_cast<char>(c);
        const auto id = Uuid::parse(changed);
        if (text[at] == '-') {
          EXPECT_EQ(id.has_value(), c == '-') << at << " " << c;
          continue;
        }
        ASSERT_EQ(id.has_value(), digit(changed[at]) >= 0) << at << " " << c;
        if (!id) continue;
        std::string lower = changed;
        if (c >= 'A' && c <= 'F') lower[at] = static_cast<char>(c + 32);
        std::string written = id->to_string();
        if (text.size() == 32) std::erase(written, '-');
        EXPECT_EQ(written, lower);
      }
}

TEST(Uuid, order_is_byte_order) {
  EXPECT_LT(*Uuid::parse("00ffffffffffffffffffffffffffffff"),
            *Uuid::parse("01000000000000000000000000000000"));
}

TEST(Crc32c, matches_the_published_check_value) {
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xE3069283u);
  EXPECT_EQ(crc32c(as_bytes("6789"), crc32c(as_bytes("12345"))), 0xE3069283u);
}

// Values from org.apache.kafka.common.utils.Utils.murmur2 in Kafka's own UtilsTest.
TEST(Murmur2, matches_kafka) {
  EXPECT_EQ(static_cast<std::int32_t>(kafka_murmur2(as_bytes("21"))), -973932308);
  EXPECT_EQ(static_cast<std::int32_t>(kafka_murmur2(as_bytes("foobar"))), -790332482);
  EXPECT_EQ(static_cast<std::int32_t>(kafka_murmur2(as_bytes("a-little-bit-long-string"))),
            -985981536);
  EXPECT_EQ(static_cast<std::int32_t>(kafka_murmur2(as_bytes("a-little-bit-longer-string"))),
            -1486304829);
}

TEST(Time, rfc3339_and_milliseconds_are_read) {
  EXPECT_EQ(parse_time("1970-01-01T00:00:00Z")->ms, 0);
  EXPECT_EQ(parse_time("2013-05-17T13:50:01.25Z")->ms, 1'368'798'601'250);
  EXPECT_EQ(parse_time("2013-05-17T15:50:01.25+02:00")->ms, 1'368'798'601'250);
  EXPECT_EQ(parse_time("1368798601250")->ms, 1'368'798'601'250);
  EXPECT_EQ(parse_time("2024-02-29 12:00:00Z")->ms, 1'709'208'000'000);
}

TEST(Time, nonsense_is_refused) {
  for (const std::string_view bad :
       {"", "yesterday", "2013-02-30T00:00:00Z", "2013-05-17", "2013-05-17T25:00:00Z",
        "2013-05-17T13:50:01", "12.5", "99999999999999999999", "2013-05-17T13:50:01.Z"})
    EXPECT_FALSE(parse_time(bad)) << bad;
}

TEST(Time, text_round_trips) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 10'000; ++i) {
    const Timestamp time{static_cast<std::int64_t>(random() % 250'000'000'000'000) -
                         60'000'000'000'000};
    ASSERT_EQ(*parse_time(format_time(time)), time) << time.ms;
  }
}

TEST(Time, buckets_also_work_before_1970) {
  EXPECT_EQ(bucket_start({-1}, Millis(60'000)).ms, -60'000);
  EXPECT_EQ(bucket_start({59'999}, Millis(60'000)).ms, 0);
}

TEST(Duration, text_round_trips) {
  for (const std::string_view text : {"36h", "30min", "10s", "250ms", "7d"})
    EXPECT_EQ(format_duration(*parse_duration(text)), text);
  EXPECT_EQ(parse_duration("5m")->count(), 300'000);
  EXPECT_FALSE(parse_duration("5 parsecs"));
  EXPECT_FALSE(parse_duration("9223372036854775807d"));
}

TEST(Text, foreign_bytes_are_made_harmless) {
  EXPECT_EQ(printable("a\x1b[31m\n\xff"), "a\\x1b[31m\\x0a\\xff");
  EXPECT_EQ(printable("Z\xc3\xbcrich"), "Z\xc3\xbcrich");
  EXPECT_EQ(printable("abcdef", 3), "abc...");
}

TEST(Text, utf8_is_checked_strictly) {
  EXPECT_TRUE(is_valid_utf8("\xf0\x9f\x98\x80 \xe2\x82\xac"));
  for (const std::string_view bad :
       {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80"})
    EXPECT_FALSE(is_valid_utf8(bad));
}

TEST(Text, base64_pads_what_is_left_over) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfe"), "//4=");
}

TEST(Text, typos_find_their_word) {
  constexpr std::string_view words[] = {"campaign_id", "country", "city"};
  EXPECT_EQ(closest("contry", words), "country");
  EXPECT_EQ(closest("zzzzzz", words), "");
}

TEST(Csv, formulas_are_disarmed_and_numbers_are_not) {
  EXPECT_EQ(csv_cell("=1+1"), "'=1+1");
  EXPECT_EQ(csv_cell("-12.5"), "-12.5");
  EXPECT_EQ(csv_cell(" =1+1"), "' =1+1");
  EXPECT_EQ(csv_cell("|calc"), "'|calc");
  EXPECT_EQ(csv_cell("\tx"), "'\tx");
  EXPECT_EQ(csv_cell(" x=1"), " x=1");
  EXPECT_EQ(csv_cell("a,\"b\""), "\"a,\"\"b\"\"\"");
}

struct SampleOptions {
  Bytes size = 64_KiB;
  Millis wait{100};
  bool on = false;
  template <class O = SampleOptions>
  static constexpr auto settings() {
    return std::tuple{Setting<O, Bytes>{"size.bytes", &O::size, 1_KiB, 1_MiB, "A size."},
                      Setting<O, Millis>{"wait.ms", &O::wait, Millis(0), std::nullopt, "A wait."},
                      Setting<O, bool>{"on", &O::on, std::nullopt, std::nullopt, "A switch."}};
  }
};

TEST(Settings, one_line_parses_checks_and_prints) {
  SampleOptions options;
  EXPECT_TRUE(set_setting(options, "size.bytes", "128KiB"));
  EXPECT_EQ(options.size, 128_KiB);
  EXPECT_TRUE(set_setting(options, "on", "true"));
  EXPECT_TRUE(options.on);
  EXPECT_EQ(set_setting(options, "size.bytes", "2GiB").error().kind, ErrorKind::invalid);
  EXPECT_EQ(set_setting(options, "wait.ms", "-5").error().kind, ErrorKind::invalid);
  EXPECT_EQ(set_setting(options, "size", "1").error().kind, ErrorKind::not_found);
  EXPECT_EQ(options.size, 128_KiB);
  EXPECT_EQ(setting_rows(options)[0].value, "128KiB");
}

TEST(Metrics, text_is_prometheus_format) {
  Metrics metrics;
  metrics.counter("adbrook_test_total", "Things.", {{"kind", "a\"b"}}).add(3);
  metrics.histogram("adbrook_wait_seconds", "Waits.", {0.5, 1}).observe(0.7);
  const std::string text = metrics.text();
  EXPECT_NE(text.find("# TYPE adbrook_test_total counter\nadbrook_test_total{kind=\"a\\\"b\"} 3\n"),
            text.npos);
  EXPECT_NE(
      text.find(
          "adbrook_wait_seconds_bucket{le=\"0.5\"} 0\nadbrook_wait_seconds_bucket{le=\"1\"} 1\n"),
      text.npos);
  EXPECT_NE(text.find("adbrook_wait_seconds_count 1\n"), text.npos);
}

}  // namespace
}  // namespace adbrook
