#include "app/letter_json.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "ads/event_codec.h"
#include "base/hex.h"

namespace adbrook::app {
namespace {

ads::DeadLetterWithBytes letter(std::string source, ByteView bytes) {
  return {.entry = {.id = Uuid{1, 2},
                    .source = std::move(source),
                    .place = 7,
                    .append_time = {1'700'000'000'000},
                    .reason = "wrong_type",
                    .field = {},
                    .detail = {},
                    .size = static_cast<std::int64_t>(bytes.size()),
                    .sent_again = {}},
          .bytes = Buffer(bytes.begin(), bytes.end())};
}

boost::json::object shown(std::string source, std::string_view bytes) {
  return boost::json::parse(letter_json(letter(std::move(source), as_bytes(bytes)))).as_object();
}

TEST(LetterJson, text_stands_for_itself) {
  const auto json = shown("impressions-1", "{\"uuid\":7}");
  EXPECT_EQ(json.at("text"), "{\"uuid\":7}");
  EXPECT_EQ(json.at("as"), "impressions");
  EXPECT_FALSE(json.contains("event"));
  EXPECT_EQ(shown("clicks-1", "x").at("as"), "clicks");
}

TEST(LetterJson, the_query_of_a_link_is_the_event_it_would_have_been) {
  const auto json = shown("GET /v1/click",
                          "campaignId=7&pubId=x&city=S%C3%A3o+Paulo&latitude=-23.5&to=http://a&"
                          "broken=%zz&city=Lima&sig=A");
  EXPECT_EQ(json.at("as"), "clicks");
  EXPECT_EQ(json.at("event"),
            R"({"uuid":"00000000-0000-0001-0000-000000000002",)"
            R"("timestamp":"2023-11-14T22:13:20.000Z","campaignId":7,"pubId":"x","city":"Lima",)"
            R"("latitude":-23.5,"broken":"%zz"})");
}

TEST(LetterJson, a_number_that_is_none_stays_text) {
  for (const char* odd : {"inf", "nan", "7x", "", "0x7", " 7"}) {
    const auto json = shown("GET /v1/pixel.gif", std::string("campaignId=") + odd);
    const auto event = boost::json::parse(json.at("event").as_string());
    EXPECT_EQ(event.at("campaignId").as_string(), odd);
  }
}

TEST(LetterJson, an_avro_value_is_shown_as_bytes_and_as_json) {
  ads::Click click;
  click.id = {3, 4};
  click.timestamp = {1'700'000'000'000};
  click.campaign_id = 7;
  Buffer value;
  ads::encode(click, value);
  // In the topic of impressions it was refused for its schema, which says what it is.
  const auto json = shown("impressions-0", as_text(value));
  EXPECT_EQ(json.at("hex").as_string(), hex(value));
  EXPECT_EQ(json.at("as"), "clicks");
  const auto event = boost::json::parse(json.at("event").as_string());
  EXPECT_EQ(event.at("uuid"), "00000000-0000-0003-0000-000000000004");
  EXPECT_EQ(event.at("campaignId"), 7);
  value.resize(value.size() - 3);
  EXPECT_FALSE(shown("clicks-0", as_text(value)).contains("event"));
}

TEST(LetterJson, bytes_that_are_no_text_are_hex) {
  EXPECT_EQ(shown("clicks-0", "\xff\x01").at("hex"), "ff01");
  EXPECT_EQ(shown("clicks-0", std::string_view("\0\0\0\0\2", 5)).at("hex"), "0000000002");
}

TEST(LetterJson, a_page_says_where_the_next_one_begins) {
  ads::DeadLettersWithBytes page;
  page.letters.push_back(letter("clicks-0", as_bytes("x")));
  EXPECT_TRUE(boost::json::parse(letters_json(page)).at("next").is_null());
  page.more = true;
  const auto json = boost::json::parse(letters_json(page));
  EXPECT_EQ(json.at("next"), "1700000000000.00000000-0000-0001-0000-000000000002");
  EXPECT_EQ(json.at("dead_letters").as_array().size(), 1U);
}

}  // namespace
}  // namespace adbrook::app
