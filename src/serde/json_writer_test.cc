#include "serde/json_writer.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "serde/json_reader.h"

namespace adbrook::serde {
namespace json_writer_test {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonWriter, commas_stand_where_they_belong) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("a", std::int64_t{-1});
  json.key("b");
  json.begin_array();
  json.begin_object();
  json.end_object();
  json.null();
  json.unsigned_integer(std::numeric_limits<std::uint64_t>::max());
  json.end_array();
  json.field("c", true);
  json.field("d", "text");
  json.key("e");
  json.raw("[1]");
  json.end_object();
  EXPECT_EQ(out, R"({"a":-1,"b":[{},null,18446744073709551615],"c":true,"d":"text","e":[1]})");
}

TEST(JsonWriter, texts_are_escaped) {
  EXPECT_EQ(quoted("a\"b\\c/d"), R"("a\"b\\c/d")");
  EXPECT_EQ(quoted(std::string_view("\n\r\t\0\x1f\x7f", 6)), R"("\n\r\t\u0000\u001f\u007f")");
  EXPECT_EQ(quoted("</script>"), R"("<\/script>")");
  EXPECT_EQ(quoted("é\U0001F600"), "\"é\U0001F600\"");
  EXPECT_EQ(quoted("\u2028\u2029"), R"("\u2028\u2029")");
}

TEST(JsonWriter, broken_utf8_is_replaced) {
  EXPECT_EQ(quoted("a\xff"
                   "b"),
            R"("a\ufffdb")");
  EXPECT_EQ(quoted("\xc3"), R"("\ufffd")");
  EXPECT_EQ(quoted("\xed\xa0\x80"), R"("\ufffd\ufffd\ufffd")");
  EXPECT_EQ(quoted("\xe2\x82"), R"("\ufffd\ufffd")");
}

TEST(JsonWriter, doubles_read_back_the_same) {
  for (const double value : {0.1, 1e300, -2.5, 1.0, 5e-324}) {
    std::string out;
    JsonWriter(out).number(value);
    EXPECT_EQ(std::strtod(out.c_str(), nullptr), value) << out;
  }
  std::string out;
  JsonWriter(out).number(std::numeric_limits<double>::infinity());
  EXPECT_EQ(out, "null");
}

TEST(JsonWriter, random_texts_are_read_back_by_the_reader) {
  const char* given = std::getenv("ADBROOK_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 7;
  std::printf("ADBROOK_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  constexpr std::string_view kAlphabet[] = {"a",  "\"",   "\\", "/",         "<",
                                            "\n", "\x01", "é",  "\U0001F600"};
  JsonReader reader;
  for (int round = 0; round < 1000; ++round) {
    std::string text;
    for (std::size_t i = random() % 40; i > 0; --i) text += kAlphabet[random() % 9];
    std::string out = "{\"k\":";
    append_json_string(out, text);
    out += '}';
    const auto fields = reader.object(out);
    ASSERT_TRUE(fields) << out;
    EXPECT_EQ((*fields)[0].value.text, text);
  }
}

}  // namespace json_writer_test
}  // namespace adbrook::serde
