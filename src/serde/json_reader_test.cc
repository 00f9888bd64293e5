#include "serde/json_reader.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>

namespace adbrook::serde {
namespace json_reader_test {

// The elements of a body: "keys" of good ones, "!message" of bad ones.
std::vector<std::string> elements_of(std::string_view body,
                                     JsonShape shape = JsonShape::automatic) {
  JsonReader reader;
  std::vector<std::string> found;
  if (auto opened = reader.open(body, shape); !opened)
    return {"refused: " + opened.error().message};
  JsonElement element;
  while (reader.next(element)) {
    EXPECT_EQ(element.index, found.size());
    if (element.fields) {
      std::string keys;
      for (const JsonField& field : *element.fields) keys += std::string(field.key) + ";";
      found.push_back(keys);
    } else {
      found.push_back("!" + element.fields.error().message);
    }
  }
  return found;
}

std::string problem(std::string_view text) {
  JsonReader reader;
  const auto fields = reader.object(text);
  return fields ? "none" : fields.error().message;
}

bool says(const std::string& message, std::string_view part) {
  return message.find(part) != message.npos;
}

using Elements = std::vector<std::string>;

TEST(JsonReader, fields_come_in_order_with_kind_and_raw_text) {
  JsonReader reader;
  const auto fields = reader.object(
      R"( {"a": 1 , "b":"x", "c": [1, {"d":"}"}] ,"e":{},"f":null,"g":true,"h":-1.5e3} )");
  ASSERT_TRUE(fields) << fields.error().message;
  ASSERT_EQ(fields->size(), 7u);
  const auto raw = [&](std::size_t i) { return (*fields)[i].value.raw; };
  EXPECT_EQ((*fields)[0].key, "a");
  EXPECT_EQ(raw(0), "1");
  EXPECT_EQ(raw(1), "\"x\"");
  EXPECT_EQ((*fields)[1].value.text, "x");
  EXPECT_EQ(raw(2), R"([1, {"d":"}"}])");
  EXPECT_EQ((*fields)[2].value.kind, JsonKind::array);
  EXPECT_EQ(raw(3), "{}");
  EXPECT_EQ((*fields)[3].value.kind, JsonKind::object);
  EXPECT_TRUE((*fields)[4].value.is_null());
  EXPECT_TRUE((*fields)[5].value.boolean().value());
  EXPECT_EQ((*fields)[6].value.number().value(), -1500.0);
}

// What was read, or "bad".
std::string shown(const Result<std::span<const JsonField>>& fields) {
  if (!fields) return "bad";
  std::string all;
  for (const JsonField& field : *fields) {
    all += std::string(field.key) + "|" + std::string(to_string(field.value.kind)) + "|";
    all += std::string(field.value.raw) + "|" + std::string(field.value.text) + "\n";
  }
  return all;
}

std::string random_flat_object(std::mt19937_64& random) {
  constexpr auto kValues = std::to_array<std::string_view>(
      {"null", "true", "false", "0", "-0", "12", "-1.5e+3", "01", "1.", "+1", "nul", "\"\"",
       "\"x\"", "\"a longer text, of words\"", "\"\xC3\xA9\"", "\"\\u0041\"", "[1]", "{\"k\":1}",
       ""});
  constexpr auto kSpaces =
      std::to_array<std::string_view>({"", "", "", "", "", " ", "  ", "\t", "\n"});
  const auto space = [&] { return std::string(kSpaces[random() % kSpaces.size()]); };
  std::string text = space() + "{";
  const std::size_t count = random() % 40;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) text += "," + space();
    // Sometimes twice, sometimes with the filter's bit of another key.
    text += "\"" + std::string(1 + random() % 3, static_cast<char>('a' + random() % 26)) +
            std::to_string(random() % 200) + "\"" + space() + ":" + space();
    // Mostly simple ones, so that many objects are good to their end.
    text += std::string(kValues[random() % (random() % 8 == 0 ? kValues.size() : 7)]) + space();
  }
  return text + "}" + space();
}

// Elements of an array never take the short way for flat objects.
TEST(JsonReader, objects_alone_and_in_an_array_read_alike) {
  const char* given = std::getenv("ADBROOK_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 11;
  std::printf("ADBROOK_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  JsonReader alone, in_array;
  std::size_t good = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = random_flat_object(random);
    if (random() % 3 == 0) text[random() % text.size()] = "\"\\{}[],: x1\xFF\x01"[random() % 13];
    const auto fields = alone.object(text);
    // An object that another one follows is bad alone; the comma behind says that none does.
    const std::string array = "[" + text + ",0]";
    JsonElement element;
    ASSERT_TRUE(in_array.open(array));
    if (!in_array.next(element)) continue;
    const std::size_t from = text.find_first_not_of(" \n\t");
    const bool whole = text.substr(from, text.find_last_not_of(" \n\t") + 1 - from) == element.raw;
    ASSERT_EQ(shown(fields), whole ? shown(element.fields) : "bad") << text;
    good += fields.has_value() ? 1 : 0;
  }
  EXPECT_GT(good, 3'000u);
}

TEST(JsonReader, escapes_are_resolved_in_keys_and_texts) {
  JsonReader reader;
  const auto fields = reader.object(R"({"k\u00e9y":"\"\\\/\b\f\n\r\t\u0041\ud83d\ude00é"})");
  ASSERT_TRUE(fields) << fields.error().message;
  EXPECT_EQ((*fields)[0].key, "kéy");
  EXPECT_EQ((*fields)[0].value.text, "\"\\/\b\f\n\r\tA\U0001F600é");
}

TEST(JsonReader, getters_say_what_is_needed_and_what_is_there) {
  JsonReader reader;
  const auto fields = reader.object(R"({"a":"x","b":1.5,"c":99999999999999999999,"d":1e999})");
  ASSERT_TRUE(fields);
  const auto value = [&](std::size_t i) { return (*fields)[i].value; };
  EXPECT_EQ(value(0).integer().error().message,
            "a whole number is needed, but '\"x\"' is here (string)");
  EXPECT_TRUE(says(value(1).integer().error().message, "without fraction or exponent"));
  EXPECT_TRUE(says(value(2).integer().error().message, "at most 64 bits"));
  EXPECT_EQ(value(2).number().value(), 1e20);
  EXPECT_TRUE(says(value(3).number().error().message, "range of a double"));
  EXPECT_TRUE(says(value(1).string().error().message, "a string is needed"));
  EXPECT_TRUE(says(value(1).boolean().error().message, "true or false is needed"));
  EXPECT_EQ(value(0).string().value(), "x");
}

TEST(JsonReader, integers_reach_both_ends) {
  JsonReader reader;
  const auto fields = reader.object(R"({"a":9223372036854775807,"b":-9223372036854775808,"c":-0})");
  ASSERT_TRUE(fields);
  EXPECT_EQ((*fields)[0].value.integer(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ((*fields)[1].value.integer(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ((*fields)[2].value.integer(), 0);
}

TEST(JsonReader, errors_have_a_position_and_a_reason) {
  const struct {
    std::string_view text;
    std::string_view expected;
  } cases[] = {
      {"", "byte 0: nothing is here"},
      {" \n ", "byte 0: only white space"},
      {"[]", "byte 0: an object is needed"},
      {R"({"a":1)", "byte 6: a comma or } is missing"},
      {R"({"a":1,})", "byte 7: a key in quotes is missing"},
      {R"({"a" 1})", "byte 5: a colon is missing"},
      {R"({"a":})", "byte 5: a value is missing"},
      {R"({"a":tru})", "byte 5: a value is missing or broken"},
      {R"({"a":01})", "byte 5: a number is broken"},
      {R"({"a":1.})", "byte 5: a number is broken"},
      {R"({"a":+1})", "byte 5: a value is missing or broken"},
      {R"({"a":NaN})", "byte 5: a value is missing or broken"},
      {R"({"a":1 2})", "byte 7: a comma or } is missing"},
      {R"({"a":1}x)", "byte 7: something follows"},
      {R"({"a":1}{})", "byte 7: something follows"},
      {R"({"a":"x)", "byte 5: a string that does not end"},
      {R"({"a":"\q"})", "byte 6: an unknown escape"},
      {R"({"a":"\ud800"})", "byte 6: a \\u escape that is no character"},
      {R"({"a":"\u12"})", "byte 6: a \\u escape that is no character"},
      {R"({"a":[1,{"b":2]})", "byte 14: a comma or } is missing"},
      {R"({"a":[1})", "byte 7: a comma or ] is missing"},
      {R"({a:1})", "byte 1: a key in quotes is missing"},
      {R"({'a':1})", "byte 1: a key in quotes is missing"},
      {"{\"a\":\"x\ny\"}", "byte 7: a control character in a string"},
      {"{\"a\":\"x\xff\"}", "byte 7: broken UTF-8"},
      {"{\"a\":\"\xed\xa0\x80\"}", "byte 6: broken UTF-8"},
      {R"({"a":1,"b":2,"a":3})", "byte 13: a key appears twice"},
      {R"({"a":1 /* no */})", "byte 7: a comma or } is missing"},
  };
  for (const auto& [text, expected] : cases)
    EXPECT_TRUE(says(problem(text), expected)) << text << " -> " << problem(text);
}

TEST(JsonReader, members_may_repeat_a_key_and_are_checked_as_fields_are) {
  JsonReader reader;
  const auto members = reader.members(R"({"a":1,"b":"x","a":[2]})");
  ASSERT_TRUE(members) << members.error().message;
  ASSERT_EQ(members->size(), 3u);
  EXPECT_EQ((*members)[2].key, "a");
  EXPECT_EQ((*members)[2].value.raw, "[2]");
  for (const char* broken : {"[1]", R"({"a":1,})", R"({"a":01})", R"({"a":1}x)", ""})
    EXPECT_FALSE(reader.members(broken)) << broken;
}

TEST(JsonReader, every_truncation_is_an_error) {
  const std::string text = R"({"a":[1,2,{"b":"c\n"}],"d":"é","e":-1.5,"f":{"g":null}})";
  EXPECT_EQ(problem(text), "none");
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_NE(problem(text.substr(0, size)), "none") << size;
}

TEST(JsonReader, ten_thousand_brackets_are_refused) {
  const std::string brackets(10'000, '[');
  EXPECT_TRUE(says(problem("{\"a\":" + brackets), "nested too deep"));
  EXPECT_TRUE(says(problem("{\"a\":" + brackets + std::string(10'000, ']') + "}"), "too deep"));
  EXPECT_EQ(elements_of(brackets).size(), 1u);
  EXPECT_FALSE(check_json(brackets));
}

TEST(JsonReader, depth_is_counted_from_the_outermost_object) {
  const auto nested = [](int depth) {
    return "{\"a\":" + std::string(static_cast<std::size_t>(depth - 1), '[') +
           std::string(static_cast<std::size_t>(depth - 1), ']') + "}";
  };
  EXPECT_EQ(problem(nested(64)), "none");
  EXPECT_TRUE(says(problem(nested(65)), "too deep"));
}

TEST(JsonReader, limits_are_kept) {
  JsonReader reader({.size_max = Bytes{20}, .field_count_max = 2, .value_count_max = 2});
  EXPECT_TRUE(reader.object(R"({"a":1,"b":2})"));
  EXPECT_TRUE(says(reader.object(R"({"a":1,"b":2,"c":3})").error().message, "too many fields"));
  EXPECT_EQ(reader.object(R"({"a":"0123456789012345"})").error().kind, ErrorKind::overloaded);
  EXPECT_EQ(reader.open(R"([{"a":"0123456789012345"}])").error().kind, ErrorKind::overloaded);
  EXPECT_TRUE(reader.array("[1,2]"));
  EXPECT_TRUE(says(reader.array("[1,2,3]").error().message, "too many values"));
}

TEST(JsonReader, array_gives_its_values) {
  JsonReader reader;
  const auto values = reader.array(R"([1, "a\n", [2], {}])");
  ASSERT_TRUE(values);
  ASSERT_EQ(values->size(), 4u);
  EXPECT_EQ((*values)[0].integer(), 1);
  EXPECT_EQ((*values)[1].string(), "a\n");
  EXPECT_EQ((*values)[2].raw, "[2]");
  EXPECT_TRUE(reader.array("[]")->empty());
  for (const std::string_view bad : {"[1,]", "[1", "[", "[,1]", "[1 2]", "[1]]", "{}", "1"})
    EXPECT_FALSE(reader.array(bad)) << bad;
}

TEST(JsonBody, one_object_an_array_and_lines_are_told_apart) {
  EXPECT_EQ(elements_of(R"({"a":1})"), Elements{"a;"});
  EXPECT_EQ(elements_of("\xEF\xBB\xBF {\"a\":1}\n"), Elements{"a;"});
  EXPECT_EQ(elements_of("{\n \"a\": 1,\n \"b\": \"}\"\n}\n"), Elements{"a;b;"});
  EXPECT_EQ(elements_of(R"([{"a":1},{"b":2} , {}])"), (Elements{"a;", "b;", ""}));
  EXPECT_EQ(elements_of("[]"), Elements{});
  EXPECT_EQ(elements_of("{\"a\":1}\n\r\n{\"b\":2}\r\n"), (Elements{"a;", "b;"}));
  EXPECT_EQ(elements_of("{\"a\":1}\n{\"b\":2}"), (Elements{"a;", "b;"}));
}

TEST(JsonBody, bad_line_does_not_spoil_the_others) {
  const auto found =
      elements_of("{\"a\":1}\n{\"b\":\n{\"c\":3}\n\"d\"\n{\"e\":\"\xff\"}\n{\"f\":1}");
  ASSERT_EQ(found.size(), 6u);
  EXPECT_EQ(found[0], "a;");
  EXPECT_TRUE(says(found[1], "byte 13: the text ends early")) << found[1];
  EXPECT_EQ(found[2], "c;");
  EXPECT_TRUE(says(found[3], "byte 22: an object is needed")) << found[3];
  EXPECT_TRUE(says(found[4], "byte 32: broken UTF-8")) << found[4];
  EXPECT_EQ(found[5], "f;");
}

TEST(JsonBody, bad_first_line_does_not_spoil_the_others) {
  EXPECT_EQ(elements_of("{\"a\":\n{\"b\":2}").size(), 2u);
  EXPECT_EQ(elements_of("{\"a\":\"x}\n{\"b\":2}\n{\"c\":2}")[2], "c;");
  EXPECT_EQ(elements_of("junk\n{\"b\":2}", JsonShape::lines)[1], "b;");
}

TEST(JsonBody, bad_array_element_does_not_spoil_the_others) {
  for (const std::string_view bad :
       {"{\"x\":tru}", "{\"x\" 1}", "{\"x\":1,}", "7", "[{}]", "", "{} {}", "{\"x\":1,\"x\":2}",
        "{\"x\":\"\xff\"}", "{\"x\":\"a\nb\"}", "{\"x\":\"\\q\"}"}) {
    const auto found = elements_of("[{\"a\":1}, " + std::string(bad) + " ,{\"b\":2}]");
    ASSERT_EQ(found.size(), 3u) << bad;
    EXPECT_EQ(found[0], "a;") << bad;
    EXPECT_TRUE(found[1].starts_with("!JSON at byte ")) << bad << " " << found[1];
    EXPECT_EQ(found[2], "b;") << bad;
  }
}

TEST(JsonBody, broken_end_is_a_last_bad_element) {
  const auto last_of = [](std::string_view body) {
    const auto found = elements_of(body);
    EXPECT_EQ(found.size(), 2u) << body;
    return found.back();
  };
  EXPECT_TRUE(says(last_of(R"([{"a":1})"), "byte 8: the array does not end"));
  EXPECT_TRUE(says(last_of(R"([{"a":1},)"), "byte 9: the array does not end"));
  EXPECT_TRUE(says(last_of(R"([{"a":1},{"b")"), "byte 13: a colon is missing"));
  EXPECT_TRUE(says(last_of(R"([{"a":1}] x)"), "byte 10: something follows the array"));
  EXPECT_TRUE(says(last_of("[{\"a\":1}] \xff"), "byte 10: something follows the array"));
  EXPECT_TRUE(says(last_of(R"([{"a":1},{"b":"x)"), "a string that does not end"));
  EXPECT_TRUE(says(last_of(R"([{"a":1},])"), "byte 9: an object is needed"));
}

TEST(JsonBody, what_is_no_body_is_refused) {
  for (const std::string_view body : {"", "  ", "7", "\"a\"", "garbage", "\xff"})
    EXPECT_TRUE(elements_of(body)[0].starts_with("refused: ")) << body;
}

TEST(JsonBody, raw_and_position_of_an_element_point_into_the_body) {
  const std::string_view body = R"(  [ {"a":1} , {"b":[1, 2]} ])";
  JsonReader reader;
  ASSERT_TRUE(reader.open(body));
  JsonElement element;
  ASSERT_TRUE(reader.next(element));
  EXPECT_EQ(element.raw, R"({"a":1})");
  ASSERT_TRUE(reader.next(element));
  EXPECT_EQ(element.raw, R"({"b":[1, 2]})");
  EXPECT_EQ(body.substr(element.position, element.raw.size()), element.raw);
}

}  // namespace json_reader_test
}  // namespace adbrook::serde
