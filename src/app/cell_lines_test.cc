#include "app/cell_lines.h"

#include <gtest/gtest.h>

namespace adbrook::app {
namespace {

std::string head() {
  std::string text = R"({"view":"creatives","key":[],"measures":[)";
  for (const auto& measure : ads::kMeasures)
    text += (text.ends_with('[') ? "\"" : ",\"") + std::string(measure.name) + "\"";
  return text + "]}\n";
}

TEST(CellLines, a_cell_keeps_its_key_its_bucket_and_all_64_bits) {
  ads::Truth truth;
  const auto added = add_cell_lines(
      head() + R"({"bucket":"2026-01-01T00:00:00.000Z","bucket_ms":60000,"key":["7","1","FR",""],)"
               R"("values":[1,2,3,4,5,18446744073709551615,7,8,9,10,11]})"
               "\n",
      0, truth);
  ASSERT_TRUE(added) << added.error().message;
  ASSERT_EQ(truth.cells().all().size(), 1u);
  const auto& cell = truth.cells().all().front();
  EXPECT_EQ(cell.key.bucket_ms, 1'767'225'600'000);
  EXPECT_EQ(cell.key.width_ms, 60'000u);
  EXPECT_EQ(truth.text_of(cell.key.parts[2]), "FR");
  EXPECT_EQ(cell.key.parts[3], 0u);
  EXPECT_EQ(cell.values[5], ~std::uint64_t{0});
}

TEST(CellLines, what_is_no_cell_or_has_other_measures_is_refused) {
  ads::Truth truth;
  EXPECT_FALSE(add_cell_lines("{\"measures\":[\"clicks\"]}\n", 0, truth));
  EXPECT_FALSE(add_cell_lines(head() + "{\"bucket\":1}\n", 0, truth));
  EXPECT_FALSE(add_cell_lines("<html>", 0, truth));
  EXPECT_TRUE(add_cell_lines(head(), 0, truth));
}

}  // namespace
}  // namespace adbrook::app
