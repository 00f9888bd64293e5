#include "ads/report.h"

#include <gtest/gtest.h>

namespace adbrook::ads {
namespace report_test {

MeasureValues values(std::uint64_t impressions, std::uint64_t joined, std::uint64_t unlinked,
                     std::uint64_t unique, std::uint64_t spend) {
  MeasureValues v{};
  v[static_cast<std::size_t>(Measure::impressions)] = impressions;
  v[static_cast<std::size_t>(Measure::joined_clicks)] = joined;
  v[static_cast<std::size_t>(Measure::unlinked_clicks)] = unlinked;
  v[static_cast<std::size_t>(Measure::unique_clicks)] = unique;
  v[static_cast<std::size_t>(Measure::spend_micros)] = spend;
  return v;
}

ReportBuilder by_country(const ReportRequest& more = {}) {
  ReportRequest request = more;
  request.by = "country";
  return ReportBuilder(*parse_report_query(request));
}

TEST(Report, parts_of_one_row_add_up_and_rates_use_joined_clicks_only) {
  auto builder = by_country();
  builder.add({"FR"}, std::nullopt, "USD", values(60, 2, 1, 1, 500));
  builder.add({"FR"}, std::nullopt, "USD", values(40, 3, 0, 2, 700));
  const Report report = std::move(builder).finish({});
  ASSERT_EQ(report.rows.size(), 1u);
  EXPECT_EQ(report.rows[0].clicks(), 6u);
  EXPECT_DOUBLE_EQ(*report.rows[0].ctr(), 0.05);
  EXPECT_DOUBLE_EQ(*report.rows[0].unique_ctr(), 0.03);
  EXPECT_EQ(report.rows[0].spend.at("USD"), 1200);
}

TEST(Report, two_currencies_are_never_added) {
  auto builder = by_country();
  builder.add({"FR"}, std::nullopt, "USD", values(1, 0, 0, 0, 5));
  builder.add({"FR"}, std::nullopt, "EUR", values(1, 0, 0, 0, 7));
  const std::string csv = to_csv(std::move(builder).finish({{1000}, {500}}));
  EXPECT_NE(csv.find("FR,all,2,0,0,0.00000000,0.00000000,0.00000000,0.65761977,7;5,EUR;USD\n"),
            csv.npos)
      << csv;
}

TEST(Report, csv_starts_with_its_freshness_and_one_header) {
  const std::string csv = to_csv(by_country().finish({{1000}, {500}}));
  EXPECT_EQ(csv,
            "# as_of: 1970-01-01T00:00:01.000Z\n# final_until: 1970-01-01T00:00:00.500Z\n"
            "country,bucket,impressions,clicks,unique_clicks,ctr,unique_ctr,unique_ctr_low,"
            "unique_ctr_high,spend,currency\n");
}

TEST(Report, a_time_that_is_not_there_yet_is_empty) {
  const Freshness none{Timestamp::lowest(), Timestamp::lowest()};
  EXPECT_TRUE(to_csv(by_country().finish(none)).starts_with("# as_of: \n# final_until: \n"));
  EXPECT_TRUE(
      to_json(by_country().finish(none)).starts_with("{\"as_of\":null,\"final_until\":null"));
}

TEST(Report, rates_without_impressions_are_empty) {
  auto builder = by_country();
  builder.add({""}, std::nullopt, "", values(0, 0, 4, 0, 0));
  const Report report = std::move(builder).finish({});
  EXPECT_NE(to_csv(report).find("\n,all,0,4,0,,,,,0,\n"), std::string::npos) << to_csv(report);
  EXPECT_NE(to_json(report).find("\"ctr\":null"), std::string::npos);
}

TEST(Report, a_formula_in_a_dimension_is_disarmed) {
  auto builder = by_country();
  builder.add({"=HYPERLINK(1)"}, std::nullopt, "", values(1, 0, 0, 0, 0));
  EXPECT_NE(to_csv(std::move(builder).finish({})).find("\n'=HYPERLINK(1),all,"), std::string::npos);
}

TEST(Report, sorting_and_limit_count_what_was_cut) {
  auto builder = by_country({.sort = "clicks", .limit = "1"});
  builder.add({"FR"}, std::nullopt, "", values(1, 0, 1, 0, 0));
  builder.add({"DE"}, std::nullopt, "", values(1, 0, 9, 0, 0));
  const Report report = std::move(builder).finish({});
  ASSERT_EQ(report.rows.size(), 1u);
  EXPECT_EQ(report.rows[0].key[0], "DE");
  EXPECT_EQ(report.row_count_before_limit, 2u);
}

TEST(Report, a_cell_whose_unique_click_moved_away_leaves_no_row) {
  auto builder = by_country();
  MeasureValues minus = values(0, 0, 0, ~0ull, 0);
  builder.add({"FR"}, std::nullopt, "", values(0, 0, 0, 1, 0));
  builder.add({"FR"}, std::nullopt, "", minus);
  EXPECT_TRUE(std::move(builder).finish({}).rows.empty());
}

}  // namespace report_test
}  // namespace adbrook::ads
