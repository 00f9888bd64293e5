#include "app/redrive_item.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace adbrook::app {
namespace {

boost::json::object letter(const char* members) {
  return boost::json::parse("{\"id\":\"i\",\"as\":\"clicks\"," + std::string(members) + "}")
      .as_object();
}

std::string line(const char* members, const std::vector<std::string>& set = {},
                 const std::string& as = "") {
  const auto made = redrive_line(letter(members), {as, parse_changes(set).value()});
  return made ? *made : made.error().message;
}

TEST(RedriveItem, unchanged_it_is_what_it_was) {
  EXPECT_EQ(line(R"("text":"{ \"a\" : 1.50 }")"),
            "{\"letter\":\"i\",\"as\":\"clicks\",\"text\":\"{ \\\"a\\\" : 1.50 }\"}\n");
  EXPECT_EQ(line(R"("hex":"00ff")", {}, "impressions"),
            "{\"letter\":\"i\",\"as\":\"impressions\",\"hex\":\"00ff\"}\n");
  EXPECT_EQ(line(R"("hex":"00ff","event":"{}")"),
            "{\"letter\":\"i\",\"as\":\"clicks\",\"hex\":\"00ff\"}\n");
}

TEST(RedriveItem, a_link_is_sent_as_the_event_it_would_have_been) {
  EXPECT_EQ(line(R"("text":"a=1","event":"{\"a\":1}")"),
            "{\"letter\":\"i\",\"as\":\"clicks\",\"text\":\"{\\\"a\\\":1}\"}\n");
}

TEST(RedriveItem, fields_are_set_and_taken_away_also_in_an_avro_value) {
  EXPECT_EQ(line(R"("hex":"00","event":"{\"a\":1,\"b\":2}")", {"a=7", "b=", "c=x=y", "d=\"7\""}),
            "{\"letter\":\"i\",\"as\":\"clicks\",\"text\":\"{\\\"a\\\":7,\\\"c\\\":\\\"x=y\\\","
            "\\\"d\\\":\\\"7\\\"}\"}\n");
  for (const char* other : {R"("text":"[1]")", R"("text":"x")", R"("hex":"00")"})
    EXPECT_TRUE(line(other, {"a=1"}).starts_with("it is no JSON object")) << other;
  EXPECT_FALSE(parse_changes({"=1"}));
  EXPECT_FALSE(parse_changes({"campaignId"}));
}

TEST(RedriveItem, what_is_not_set_stays_byte_for_byte) {
  const auto text_of = [](const std::string& made) {
    return std::string(boost::json::parse(made).at("text").as_string());
  };
  const char* const event =
      R"("text":"{\"creativeId\":9007199254740993, \"placementId\":123456789012345678901234,)"
      R"(\"bid\":1.50,\"a\":1,\"city\":\"caf\\u00e9\",\"a\":2,\"b\":{\"c\":1e400}}")";
  const std::string kept =
      R"("creativeId":9007199254740993,"placementId":123456789012345678901234,"bid":1.50,)";
  EXPECT_EQ(text_of(line(event, {"pubId=3"})),
            "{" + kept + R"("a":1,"city":"caf\u00e9","a":2,"b":{"c":1e400},"pubId":3})");
  // A field that is there twice is set once, where it was first.
  EXPECT_EQ(text_of(line(event, {"a=7", "a=18446744073709551616", "b=", "city="})),
            "{" + kept + R"("a":18446744073709551616})");
  EXPECT_EQ(text_of(line(event, {"a="})), "{" + kept + R"("city":"caf\u00e9","b":{"c":1e400}})");
}

TEST(RedriveItem, other_bytes_stand_in_its_place) {
  EXPECT_EQ(redrive_line(letter(R"("text":"x")"), {}, as_bytes("{}")),
            "{\"letter\":\"i\",\"as\":\"clicks\",\"hex\":\"7b7d\"}\n");
}

}  // namespace
}  // namespace adbrook::app
