#include "app/record_format.h"

#include <gtest/gtest.h>

#include "ads/event_codec.h"
#include "app/value_text.h"

namespace adbrook::app {
namespace {

bus::KafkaRecord record_with(std::string_view key, std::string_view value) {
  bus::KafkaRecord record;
  record.topic = "orders";
  record.partition = 3;
  record.offset = Offset{41};
  record.time = Timestamp{1'767'225'600'000};
  record.key = as_bytes(key);
  record.value = as_bytes(value);
  return record;
}

std::string printed(std::string_view format, const bus::KafkaRecord& record) {
  const auto parsed = RecordFormat::parse(format);
  EXPECT_TRUE(parsed) << format;
  ShownValue value;
  if (record.value) value.text = as_text(*record.value);
  std::string out;
  if (parsed) parsed->append(out, record, value);
  return out;
}

TEST(RecordFormat, every_field_has_its_letter) {
  const auto record = record_with("k1", "hello");
  EXPECT_EQ(printed("%t[%p]@%o %k %v\\n", record), "orders[3]@41 k1 hello\n");
  EXPECT_EQ(printed("%K/%S %T %s", record), "2/5 1767225600000 hello");
  EXPECT_EQ(printed("%R", record), std::string("\0\0\0\5", 4));
}

TEST(RecordFormat, escapes_are_the_characters_they_stand_for) {
  const auto record = record_with("", "");
  EXPECT_EQ(printed("a\\tb\\r\\n\\\\\\x41%%", record), "a\tb\r\n\\A%");
  EXPECT_EQ(printed("\\0", record), std::string(1, '\0'));
}

TEST(RecordFormat, null_is_nothing_and_its_size_minus_one) {
  bus::KafkaRecord record = record_with("", "");
  EXPECT_EQ(printed("[%k|%v] %K %S", record), "[|] 0 0");
  record.key.reset();
  record.value.reset();
  record.time.reset();
  EXPECT_EQ(printed("[%k|%v] %K %S %T", record), "[|] -1 -1 -1");
}

TEST(RecordFormat, headers_are_listed_with_commas) {
  auto record = record_with("", "");
  record.headers = {{"a", as_bytes("1")}, {"b", std::nullopt}, {"a", as_bytes("")}};
  EXPECT_EQ(printed("%h", record), "a=1,b=NULL,a=");
}

TEST(RecordFormat, anything_else_is_refused_with_its_place) {
  for (const auto* format : {"%", "%q", "ab%", "\\", "\\q", "\\x4", "\\xZZ"})
    EXPECT_FALSE(RecordFormat::parse(format)) << format;
  const auto refused = RecordFormat::parse("%t %q");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("at 3"), std::string::npos) << refused.error().message;
}

TEST(RecordJson, text_is_text_json_is_embedded_and_bytes_are_base64) {
  auto record = record_with("k\"1", "{\"a\":1}");
  record.headers = {{"h", as_bytes("\xff")}};
  std::string out;
  append_record_json(out, record, {"{\"a\":1}", false});
  EXPECT_EQ(out,
            "{\"topic\":\"orders\",\"partition\":3,\"offset\":41,"
            "\"timestamp\":\"2026-01-01T00:00:00.000Z\",\"key\":\"k\\\"1\",\"value\":{\"a\":1},"
            "\"headers\":[{\"name\":\"h\",\"valueBase64\":\"/w==\"}]}\n");
  record.value = as_bytes("{broken");
  out.clear();
  append_record_json(out, record, {"{broken", false});
  EXPECT_NE(out.find("\"value\":\"{broken\""), std::string::npos) << out;
  record.value = as_bytes("\xfe\xff");
  record.key.reset();
  record.headers.clear();
  out.clear();
  append_record_json(out, record, {"\xfe\xff", false});
  EXPECT_NE(out.find("\"key\":null,\"valueBase64\":\"/v8=\",\"headers\":[]"), std::string::npos)
      << out;
}

TEST(RecordText, a_terminal_is_not_driven_by_a_record) {
  EXPECT_EQ(without_controls("a\tb\n\x1b[31mred\x7f"), "a\tb\n\\x1B[31mred\\x7F");
  EXPECT_EQ(without_controls("Zürich"), "Zürich");
}

TEST(ValueText, avro_of_the_built_in_schemas_is_shown_as_json) {
  ads::Click click;
  click.id = Uuid{1, 2};
  click.timestamp = Timestamp{1'767'225'600'000};
  click.campaign_id = 7;
  click.publisher_id = 1;
  Buffer value;
  ads::encode(click, value);
  ValueText values;
  const auto shown = values.show(ByteView(value));
  EXPECT_TRUE(shown.is_json);
  EXPECT_NE(shown.text.find("\"campaignId\":7"), std::string_view::npos) << shown.text;
  EXPECT_NE(shown.text.find("\"uuid\":\"00000000-0000-0001-0000-000000000002\""),
            std::string_view::npos)
      << shown.text;
}

TEST(ValueText, what_is_no_known_avro_is_shown_as_it_is) {
  ValueText values;
  const std::vector<std::string> texts = {"plain", std::string("\0\0\0\0\x07x", 6),
                                          std::string("\0\0\0\0\x01x", 6), std::string("\0\0\0", 3),
                                          "{broken"};
  for (const auto& text : texts) {
    const auto shown = values.show(as_bytes(text));
    EXPECT_EQ(shown.text, text);
    EXPECT_FALSE(shown.is_json);
  }
  EXPECT_TRUE(values.show(std::nullopt).text.empty());
}

}  // namespace
}  // namespace adbrook::app
