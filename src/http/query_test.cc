#include "http/query.h"

#include <gtest/gtest.h>

namespace adbrook::http {
namespace {

TEST(Query, names_and_values_are_percent_decoded) {
  const auto query = Query::parse("a=1&b%20c=%C3%A9+x&d&=e&&f=");
  ASSERT_TRUE(query);
  const std::vector<QueryParameter> expected{
      {"a", "1"}, {"b c", "\xC3\xA9 x"}, {"d", ""}, {"", "e"}, {"f", ""}};
  EXPECT_EQ(query->parameters(), expected);
  EXPECT_EQ(query->value_or("a", "x"), "1");
  EXPECT_EQ(query->value_or("missing", "x"), "x");
}

TEST(Query, the_first_of_two_equal_names_is_found) {
  const auto query = Query::parse("a=1&a=2");
  ASSERT_TRUE(query);
  EXPECT_EQ(*query->find("a"), "1");
}

TEST(Query, broken_escapes_and_broken_text_are_refused) {
  for (const char* text : {"a=%", "a=%4", "a=%zz", "%=1", "a=%FF", "a=%C3", "a=%00", "a=\xFF"}) {
    const auto query = Query::parse(text);
    ASSERT_FALSE(query) << text;
    EXPECT_EQ(query.error().kind, ErrorKind::invalid);
  }
}

TEST(Query, the_number_of_parameters_is_limited) {
  std::string text;
  for (std::size_t i = 0; i < kQueryParametersMax; ++i) text += "a=1&";
  EXPECT_TRUE(Query::parse(text));
  EXPECT_FALSE(Query::parse(text + "a=1"));
}

TEST(Query, text_reads_back_as_the_same_parameters) {
  Query query;
  query.add("to", "https://example.org/?q=a b&gclid=X%Y+Z#top");
  query.add("", "");
  const auto again = Query::parse(query.text());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->parameters(), query.parameters());
}

TEST(Query, a_plus_sign_in_a_path_is_a_plus_sign) {
  EXPECT_EQ(percent_decode("a+b%2B", PlusSign::is_plus).value(), "a+b+");
  EXPECT_EQ(percent_decode("a+b%2B", PlusSign::is_space).value(), "a b+");
}

}  // namespace
}  // namespace adbrook::http
