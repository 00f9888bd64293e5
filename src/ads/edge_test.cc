// The edges, JSON and query string: what becomes an event and what is refused with which word.
#include <gtest/gtest.h>

#include "ads/edge_ip.h"
#include "ads/edge_json.h"
#include "ads/edge_query.h"

namespace adbrook::ads {
namespace edge_test {

constexpr std::string_view kHead =
    R"("uuid":"0f7e1c2a-9b3d-4e5f-8a6b-7c8d9e0f1a2b","timestamp":1700000000123,)"
    R"("campaignId":7,"pubId":3)";

// "field:reason" of a refusal, "accepted" otherwise.
template <class Event = Impression>
std::string judged(std::string_view json, EdgeOptions options = {}) {
  EventText text;
  JsonEdge<Event> edge(options, text);
  const auto event = edge.read(json);
  if (event) return "accepted";
  EXPECT_FALSE(event.error().detail.empty());
  return event.error().field + ":" + std::string(to_string(event.error().reason));
}

std::string with(std::string_view more) {
  return "{" + std::string(kHead) + "," + std::string(more) + "}";
}

TEST(EdgeJson, every_field_of_an_impression_is_read) {
  EventText text;
  JsonEdge<Impression> edge({}, text);
  const std::string json =
      with(R"("creativeId":12,"placementId":"top","userId":"u","ip":"2001:db8::1",)"
           R"("city":"S\u00e3o Paulo",)"
           R"("country":"br","browser":"Firefox","platform":"Linux","platformVersion":"6.1",)"
           R"("latitude":-23.55,"longitude":-46,"priceMicros":1500,"currency":"usd",)"
           R"("decisionId":"d","propensity":1,"extra":{"a":"b"},"slot":{"w":300},"old":null)");
  const auto event = edge.read(json);
  ASSERT_TRUE(event) << describe(event.error());
  EXPECT_EQ(event->id.to_string(), "0f7e1c2a-9b3d-4e5f-8a6b-7c8d9e0f1a2b");
  EXPECT_EQ(event->timestamp.ms, 1'700'000'000'123);
  EXPECT_EQ(event->creative_id, "12");
  EXPECT_EQ(event->city, "São Paulo");
  EXPECT_EQ(event->country, "BR");
  EXPECT_EQ(event->longitude, -46.0);
  EXPECT_EQ(event->price_micros, 1500);
  EXPECT_EQ(event->currency, "USD");
  EXPECT_EQ(event->propensity, 1.0);
  ExtraReader extra(event->extra);
  EXPECT_EQ(extra.next()->value, "b");
  EXPECT_EQ(extra.next()->value, R"({"w":300})");
  ASSERT_EQ(edge.unknown_fields().size(), 1u);
  EXPECT_EQ(edge.unknown_fields()[0], "slot");
}

TEST(EdgeJson, empty_and_null_texts_are_absent) {
  EventText text;
  JsonEdge<Click> edge({}, text);
  const std::string json = with(R"("impressionId":null,"city":"","country":"","ip":null)");
  const auto event = edge.read(json);
  ASSERT_TRUE(event) << describe(event.error());
  EXPECT_FALSE(event->impression_id.has_value());
  EXPECT_TRUE(event->country.empty());
}

TEST(EdgeJson, required_fields_are_demanded) {
  EXPECT_EQ(judged("{}"), "uuid:missing_field");
  EXPECT_EQ(judged(R"({"uuid":null})"), "uuid:missing_field");
  EXPECT_EQ(judged("{" + std::string(kHead.substr(0, kHead.rfind(','))) + "}"),
            "pubId:missing_field");
}

TEST(EdgeJson, wrong_values_are_refused_by_field_and_reason) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {R"("city":5)", "city:wrong_type"},
      {R"("creativeId":1.5)", "creativeId:wrong_type"},
      {R"("creativeId":true)", "creativeId:wrong_type"},
      {R"("city":["x"])", "city:wrong_type"},
      {R"("country":"USA")", "country:bad_country"},
      {R"("country":"U1")", "country:bad_country"},
      {R"("currency":"US")", "currency:bad_currency"},
      {R"("ip":"1.2.3")", "ip:bad_ip"},
      {R"("ip":"localhost")", "ip:bad_ip"},
      {R"("latitude":90.001)", "latitude:out_of_range"},
      {R"("longitude":-181)", "longitude:out_of_range"},
      {R"("latitude":"47")", "latitude:wrong_type"},
      {R"("latitude":1e999)", "latitude:out_of_range"},
      {R"("priceMicros":-1)", "priceMicros:out_of_range"},
      {R"("priceMicros":1.5)", "priceMicros:wrong_type"},
      {R"("priceMicros":9007199254740992)", "priceMicros:out_of_range"},
      {R"("priceMicros":99999999999999999999)", "priceMicros:out_of_range"},
      {R"("propensity":0)", "propensity:out_of_range"},
      {R"("propensity":1.01)", "propensity:out_of_range"},
      {R"("extra":[])", "extra:wrong_type"},
      {R"("extra":{"a":1})", "extra.a:wrong_type"},
      {R"("slot":1,"extra":{"slot":"x"})", "slot:duplicate_field"},
  };
  for (const auto& [more, expected] : cases) EXPECT_EQ(judged(with(more)), expected) << more;
}

TEST(EdgeJson, ids_and_times_have_their_own_rules) {
  const auto head = [](std::string_view id, std::string_view time) {
    return R"({"uuid":)" + std::string(id) + R"(,"timestamp":)" + std::string(time) +
           R"(,"campaignId":7,"pubId":3})";
  };
  constexpr std::string_view kId = R"("0F7E1C2A9B3D4E5F8A6B7C8D9E0F1A2B")";
  EXPECT_EQ(judged(head(kId, R"("2013-05-17T13:50:01+02:00")")), "accepted");
  EXPECT_EQ(judged(head(kId, R"("1700000000000")")), "accepted");
  EXPECT_EQ(judged(head(R"("0f7e1c2a")", "1700000000000")), "uuid:bad_uuid");
  EXPECT_EQ(judged(head("7", "1700000000000")), "uuid:wrong_type");
  EXPECT_EQ(judged(head(R"("")", "1700000000000")), "uuid:bad_uuid");
  EXPECT_EQ(judged(head(kId, R"("yesterday")")), "timestamp:bad_time");
  EXPECT_EQ(judged(head(kId, "true")), "timestamp:wrong_type");
  EXPECT_EQ(judged(head(kId, "0")), "timestamp:timestamp_out_of_range");
  EXPECT_EQ(judged(head(kId, "2000"), {.time_end = {1000}}), "timestamp:timestamp_out_of_range");
  EXPECT_EQ(judged(head(kId, R"("9999-12-31T23:59:59Z")"), {.time_end = {1'800'000'000'000}}),
            "timestamp:timestamp_out_of_range");
}

TEST(EdgeJson, what_is_no_object_is_refused_as_a_whole) {
  EXPECT_EQ(judged("[1,2]"), ":not_an_object");
  EXPECT_EQ(judged("17"), ":not_an_object");
  EXPECT_EQ(judged(""), ":unreadable");
  EXPECT_EQ(judged("{\"uuid\":"), ":unreadable");
  EXPECT_EQ(judged(with("\"city\":\"\xC3\x28\"")), ":unreadable");
  EXPECT_EQ(judged(with(R"("a":)" + std::string(10'000, '[') + std::string(10'000, ']'))),
            ":unreadable");
}

TEST(EdgeJson, strict_refuses_what_nobody_knows) {
  EXPECT_EQ(judged(with(R"("slot":1)")), "accepted");
  EXPECT_EQ(judged(with(R"("slot":1)"), {.strict = true}), "slot:unknown_field");
  EXPECT_EQ(judged<Click>(with(R"("priceMicros":1)"), {.strict = true}),
            "priceMicros:unknown_field");
}

TEST(EdgeJson, limits_of_texts_and_extra_fields_are_kept) {
  EXPECT_EQ(judged(with(R"("city":")" + std::string(kCitySizeMax, 'x') + "\"")), "accepted");
  EXPECT_EQ(judged(with(R"("city":")" + std::string(kCitySizeMax + 1, 'x') + "\"")),
            "city:too_long");
  std::string many;
  for (std::size_t i = 0; i <= kExtraCountMax; ++i)
    many += (i ? ",\"x" : "\"x") + std::to_string(i) + "\":1";
  EXPECT_EQ(judged(with(many)), "x32:too_many_fields");
}

TEST(EdgeIp, forms_of_addresses) {
  for (const char* right : {"0.0.0.0", "255.255.255.255", "::", "::1", "1::", "2001:db8::ff00:42",
                            "1:2:3:4:5:6:7:8", "::ffff:192.0.2.1", "1:2:3:4:5:6:1.2.3.4"})
    EXPECT_TRUE(is_ip_address(right)) << right;
  for (const char* wrong :
       {"", "1", "1.2.3.4.", "256.1.1.1", "01.2.3.4", "1.2.3.4.5", ":::", "1::2::3",
        "12345::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", ":1:2:3:4:5:6:7",
        "::1%eth0", "1.2.3.4::", "[::1]", "1:2:3:4:5:6:7:1.2.3.4", ":"})
    EXPECT_FALSE(is_ip_address(wrong)) << wrong;
}

Checked<Click> click_of(std::string_view source, EventText& text) {
  const auto query = Query::parse(source, text);
  if (!query) return std::unexpected(query.error());
  EventBuilder<Click> builder({}, text);
  return event_from_query(*query, {{1, 2}, {1'700'000'000'000}}, builder, text);
}

TEST(EdgeQuery, click_link_becomes_a_click) {
  EventText text;
  const auto click = click_of(
      "campaignId=7&pubId=3&city=S%C3%A3o+Paulo&latitude=-23.5&impressionId="
      "0f7e1c2a9b3d4e5f8a6b7c8d9e0f1a2b&to=https%3A%2F%2Fexample.com&sig=x",
      text);
  ASSERT_TRUE(click) << describe(click.error());
  EXPECT_EQ(click->id, (Uuid{1, 2}));
  EXPECT_EQ(click->timestamp.ms, 1'700'000'000'000);
  EXPECT_EQ(click->city, "São Paulo");
  EXPECT_EQ(click->latitude, -23.5);
  EXPECT_TRUE(click->extra.empty());
}

TEST(EdgeQuery, broken_queries_are_refused) {
  const auto judged_query = [](std::string_view source) {
    EventText text;
    const auto click = click_of(source, text);
    if (click) return std::string("accepted");
    return click.error().field + ":" + std::string(to_string(click.error().reason));
  };
  EXPECT_EQ(judged_query("campaignId=7&pubId=3"), "accepted");
  EXPECT_EQ(judged_query("campaignId=7&&pubId=3&"), "accepted");
  EXPECT_EQ(judged_query("campaignId=7&campaignId=8"), "campaignId:duplicate_field");
  EXPECT_EQ(judged_query("campaignId=%7"), ":unreadable");
  EXPECT_EQ(judged_query("campaignId=%zz"), ":unreadable");
  EXPECT_EQ(judged_query("campaignId=seven&pubId=3"), "campaignId:wrong_type");
  EXPECT_EQ(judged_query("campaignId=7"), "pubId:missing_field");
  EXPECT_EQ(judged_query("campaignId=7&pubId=3&city=%ff"), "city:bad_utf8");
  EXPECT_EQ(judged_query(std::string(kQuerySizeMax + 1, 'a')), ":too_long");
  std::string many;
  for (std::size_t i = 0; i <= kQueryParameterCountMax; ++i) many += "x" + std::to_string(i) + "&";
  EXPECT_EQ(judged_query(many), ":too_many_fields");
}

TEST(EdgeQuery, signature_covers_every_parameter_in_any_order) {
  EventText text;
  const auto key = as_bytes("a key of the engine");
  const std::string source = "pubId=3&campaignId=7&to=https%3a%2f%2Fexample.com%2F";
  const auto query = Query::parse(source, text);
  ASSERT_TRUE(query);
  EXPECT_EQ(canonical_query(*query), "campaignId=7&pubId=3&to=https%3A%2F%2Fexample.com%2F");
  const std::string sig = sign_query(*query, key);
  EXPECT_EQ(sig.size(), 43u);
  const auto is_right = [&](const std::string& link) {
    return is_signed(*Query::parse(link, text), key);
  };
  EXPECT_TRUE(is_right("sig=" + sig + "&to=https://example.com/&campaignId=7&pubId=3"));
  EXPECT_FALSE(is_right(source));
  EXPECT_FALSE(is_right(source + "&x=1&sig=" + sig));
  EXPECT_FALSE(is_right("pubId=4&campaignId=7&to=https://example.com/&sig=" + sig));
  std::string changed = sig;
  changed.back() = changed.back() == 'A' ? 'B' : 'A';
  EXPECT_FALSE(is_right(source + "&sig=" + changed));
  EXPECT_FALSE(is_signed(*Query::parse(source + "&sig=" + sig, text), as_bytes("another key")));
}

TEST(EdgeQuery, only_absolute_web_addresses_are_targets) {
  for (const char* right : {"https://example.com", "HTTP://example.com:8080/a?b=c#d",
                            "http://[::1]/", "https://example.com/@x"})
    EXPECT_TRUE(check_target(right)) << right;
  for (const char* wrong :
       {"", "//example.com", "/path", "javascript:alert(1)", "https:example.com", "https:///x",
        "https://user@example.com", "https://exa mple.com", "https://example.com\\@evil",
        "https://ex\xC3\xA4mple.com", "http://\n", "ftp://example.com", "https://:80/"})
    EXPECT_FALSE(check_target(wrong)) << wrong;
}

}  // namespace edge_test
}  // namespace adbrook::ads
