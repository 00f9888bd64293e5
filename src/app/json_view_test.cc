#include "app/json_view.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace adbrook::app {
namespace {

TEST(JsonView, objects_become_lines_and_lists_of_objects_tables) {
  const auto value = boost::json::parse(
      R"({"holds":true,"topics":[{"topic":"clicks","count":1234},{"topic":"x","why":"\u001b"}],)"
      R"("none":[]})");
  EXPECT_EQ(show_json(value),
            "holds  true\n"
            "topics\n"
            "  topic   count  why\n"
            "  clicks  1,234\n"
            "  x              \\x1b\n");
}

TEST(JsonView, numbers_keep_their_digits) {
  EXPECT_EQ(cell_of(boost::json::parse("18446744073709551615")), "18446744073709551615");
  EXPECT_EQ(cell_of(boost::json::parse("0.25")), "0.25");
  EXPECT_EQ(cell_of(boost::json::parse("null")), "");
}

}  // namespace
}  // namespace adbrook::app
