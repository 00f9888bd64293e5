#include "ads/event_codec.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <limits>
#include <sstream>

#include "ads/event_extra.h"
#include "ads/event_fields.h"

namespace adbrook::ads {
namespace event_codec_test {

Impression full_impression() {
  return {.id = *Uuid::parse("0f7e1c2a-9b3d-4e5f-8a6b-7c8d9e0f1a2b"),
          .timestamp = {1'700'000'000'123},
          .campaign_id = 7,
          .publisher_id = kWholeEnd - 1,
          .creative_id = "c-1",
          .placement_id = "p-2",
          .user_id = "user",
          .ip = "192.0.2.1",
          .city = "Zürich",
          .country = "CH",
          .browser = "Firefox",
          .platform = "Linux",
          .platform_version = "6.1",
          .latitude = 47.37,
          .longitude = -8.54,
          .price_micros = 1500,
          .currency = "EUR",
          .decision_id = "d/1",
          .propensity = 0.25};
}

Buffer encoded(const auto& event) {
  Buffer out;
  encode(event, out);
  return out;
}

// The field and reason of a refusal as "field:reason".
template <class Event>
std::string refused(ByteView value) {
  EventDecoder<Event> decoder;
  Event event;
  if (decoder.decode(value, event)) return "accepted";
  return decoder.refusal().field + ":" + std::string(to_string(decoder.refusal().reason));
}

TEST(EventCodec, impression_keeps_every_field) {
  EventText text;
  Impression given = full_impression();
  const ExtraField extra[] = {{"slot", "top"}, {"größe", ""}};
  given.extra = encode_extra(extra, text);
  const Buffer value = encoded(given);
  EventDecoder<Impression> decoder;
  Impression read;
  ASSERT_TRUE(decoder.decode(value, read)) << describe(decoder.refusal());
  EXPECT_EQ(encoded(read), value);
  EXPECT_EQ(read.city, "Zürich");
  EXPECT_EQ(read.publisher_id, kWholeEnd - 1);
  EXPECT_EQ(read.propensity, 0.25);
  ExtraReader fields(read.extra);
  EXPECT_EQ(fields.next()->name, "slot");
  EXPECT_EQ(fields.next()->name, "größe");
  EXPECT_FALSE(fields.next().has_value());
  EXPECT_TRUE(fields.ok());
}

TEST(EventCodec, click_keeps_absent_fields_absent) {
  Click given{.id = {1, 2}, .timestamp = {5}, .campaign_id = 3, .publisher_id = 4};
  const Buffer value = encoded(given);
  EXPECT_EQ(value.size(), 5u + 16 + 1 + 1 + 1 + 11);  // header, head, eleven null branches
  EventDecoder<Click> decoder;
  Click read;
  ASSERT_TRUE(decoder.decode(value, read));
  EXPECT_FALSE(read.impression_id.has_value());
  EXPECT_FALSE(read.latitude.has_value());
  EXPECT_TRUE(read.city.empty());
  given.impression_id = Uuid{9, 9};
  ASSERT_TRUE(decoder.decode(encoded(given), read));
  EXPECT_EQ(read.impression_id, (Uuid{9, 9}));
}

TEST(EventCodec, fields_stand_in_the_order_of_the_published_schemas) {
  const auto names = [](const char* file) {
    std::ifstream in(std::string(ADBROOK_SOURCE_DIR) + "/schemas/" + file);
    std::stringstream text;
    text << in.rdbuf();
    std::vector<std::string> out;
    const auto schema = boost::json::parse(text.str());
    for (const auto& field : schema.at("fields").as_array())
      out.emplace_back(field.at("name").as_string().c_str());
    return out;
  };
  const auto expected = [](auto fields) {
    std::vector<std::string> out;
    for (const auto& field : fields) out.emplace_back(field.name);
    out.emplace_back("extra");
    return out;
  };
  EXPECT_EQ(names("impression.avsc"), expected(kImpressionFields));
  EXPECT_EQ(names("click.avsc"), expected(kClickFields));
}

TEST(EventCodec, lower_case_country_is_read_in_upper_case) {
  Impression given = full_impression();
  given.country = "ch";
  given.currency = "eUr";
  const Buffer value = encoded(given);
  EventDecoder<Impression> decoder;
  Impression read;
  ASSERT_TRUE(decoder.decode(value, read));
  EXPECT_EQ(read.country, "CH");
  EXPECT_EQ(read.currency, "EUR");
}

TEST(EventCodec, refusal_names_the_field_and_the_reason) {
  const auto changed = [](auto change) {
    Impression event = full_impression();
    change(event);
    return refused<Impression>(encoded(event));
  };
  EXPECT_EQ(changed([](auto& e) { e.campaign_id = -1; }), "campaignId:out_of_range");
  EXPECT_EQ(changed([](auto& e) { e.publisher_id = kWholeEnd; }), "pubId:out_of_range");
  EXPECT_EQ(changed([](auto& e) { e.city = "\xC3"; }), "city:bad_utf8");
  EXPECT_EQ(changed([](auto& e) { e.country = "C1"; }), "country:bad_country");
  EXPECT_EQ(changed([](auto& e) { e.latitude = 91; }), "latitude:out_of_range");
  EXPECT_EQ(changed([](auto& e) { e.longitude = std::numeric_limits<double>::quiet_NaN(); }),
            "longitude:out_of_range");
  EXPECT_EQ(changed([](auto& e) { e.propensity = 0; }), "propensity:out_of_range");
  const std::string large(kNameSizeMax + 1, 'x');
  EXPECT_EQ(changed([&](auto& e) { e.creative_id = large; }), "creativeId:too_long");
}

TEST(EventCodec, every_cut_value_is_refused) {
  const Buffer value = encoded(full_impression());
  for (std::size_t size = 0; size < value.size(); ++size)
    EXPECT_TRUE(refused<Impression>(ByteView(value).first(size)).ends_with(":unreadable")) << size;
  Buffer longer = value;
  longer.push_back(std::byte{0});
  EXPECT_EQ(refused<Impression>(longer), ":unreadable");
}

TEST(EventCodec, value_of_another_schema_or_form_is_refused) {
  const Buffer click = encoded(Click{.id = {1, 2}});
  EXPECT_EQ(refused<Impression>(click), ":unknown_schema");
  EXPECT_EQ(refused<Click>(as_bytes("hello")), ":unreadable");
}

TEST(EventCodec, json_value_is_read_like_avro) {
  const std::string_view json =
      R"({"uuid":"0F7E1C2A9B3D4E5F8A6B7C8D9E0F1A2B","timestamp":"2023-11-14T22:13:20.123Z",)"
      R"("campaignId":7,"pubId":1,"city":"Z\u00fcrich","country":"ch","slot":{"a":1}})";
  EventDecoder<Impression> decoder;
  Impression event;
  ASSERT_TRUE(decoder.decode(as_bytes(json), event)) << describe(decoder.refusal());
  EXPECT_EQ(event.id, full_impression().id);
  EXPECT_EQ(event.timestamp.ms, 1'700'000'000'123);
  EXPECT_EQ(event.city, "Zürich");
  EXPECT_EQ(event.country, "CH");
  EXPECT_EQ(ExtraReader(event.extra).next()->value, R"({"a":1})");
  EXPECT_EQ(refused<Impression>(as_bytes(R"({"uuid":"x"})")), "uuid:bad_uuid");
  EXPECT_EQ(refused<Impression>(as_bytes("{")), ":unreadable");
}

TEST(EventCodec, texts_of_json_values_live_until_clear) {
  EventDecoder<Click> decoder;
  std::vector<std::string> values;
  for (int i = 0; i < 500; ++i)
    values.push_back(R"({"uuid":"0f7e1c2a9b3d4e5f8a6b7c8d9e0f1a2b","timestamp":1700000000000,)"
                     R"("campaignId":1,"pubId":1,"city":"\u00fc)" +
                     std::to_string(i) + "\"}");
  std::vector<Click> events(values.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    ASSERT_TRUE(decoder.decode(as_bytes(values[i]), events[i]));
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_EQ(events[i].city, "ü" + std::to_string(i));
  decoder.clear();
}

}  // namespace event_codec_test
}  // namespace adbrook::ads
