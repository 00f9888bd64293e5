#include "app/table.h"

#include <gtest/gtest.h>

namespace adbrook::app {
namespace {

const Table kTable = {{{"country"}, {"clicks", ColumnKind::number}},
                      {{"FR", "1234"}, {"=1+1", ""}, {"a\x1b[31m", "7"}}};

TEST(Table, people_get_aligned_columns_and_no_control_characters) {
  EXPECT_EQ(print_table(kTable, TableFormat::table),
            "country    clicks\n"
            "FR          1,234\n"
            "=1+1\n"
            "a\\x1b[31m       7\n");
}

TEST(Table, a_spreadsheet_gets_no_formula) {
  EXPECT_EQ(print_table({{{"a"}}, {{"=1+1"}, {"x,y"}}}, TableFormat::csv), "a\n'=1+1\n\"x,y\"\n");
}

TEST(Table, programs_get_numbers_as_numbers_and_nothing_as_null) {
  EXPECT_EQ(
      print_table({{{"a"}, {"n", ColumnKind::number}}, {{"\"", "7"}, {"", ""}}}, TableFormat::json),
      "[\n  {\"a\": \"\\\"\", \"n\": 7},\n  {\"a\": \"\", \"n\": null}\n]\n");
  EXPECT_EQ(print_table({{{"a"}}, {}}, TableFormat::json), "[]\n");
}

}  // namespace
}  // namespace adbrook::app
