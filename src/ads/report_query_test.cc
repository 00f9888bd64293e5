#include "ads/report_query.h"

#include <gtest/gtest.h>

namespace adbrook::ads {
namespace {

std::string refusal(const ReportRequest& request) {
  const auto query = parse_report_query(request);
  return query ? "" : query.error().message;
}

TEST(ReportQuery, a_full_request_is_read) {
  const auto query = parse_report_query({.by = "campaign_id,country",
                                         .from = "2013-01-01T00:00:00Z",
                                         .to = "2013-01-02T00:00:00Z",
                                         .bucket = "1h",
                                         .where = {"country=FR", "campaign_id=7"},
                                         .sort = "-clicks",
                                         .limit = "20"});
  ASSERT_TRUE(query) << query.error().message;
  EXPECT_EQ(query->by, (std::vector{Dimension::campaign_id, Dimension::country}));
  EXPECT_EQ(query->where.size(), 2u);
  EXPECT_EQ(query->order, SortOrder::ascending);
  EXPECT_EQ(query->limit, 20u);
}

TEST(ReportQuery, a_typo_is_answered_with_the_right_word) {
  EXPECT_NE(refusal({.by = "contry"}).find("did you mean 'country'"), std::string::npos);
  EXPECT_NE(refusal({.sort = "click"}).find("did you mean 'clicks'"), std::string::npos);
}

TEST(ReportQuery, bad_words_name_their_parameter) {
  EXPECT_TRUE(refusal({.by = "currency"}).starts_with("by:"));
  EXPECT_TRUE(refusal({.from = "yesterday"}).starts_with("from:"));
  EXPECT_TRUE(refusal({.bucket = "5m"}).starts_with("bucket:"));
  EXPECT_TRUE(refusal({.where = {"country"}}).starts_with("where:"));
  EXPECT_TRUE(refusal({.limit = "0"}).starts_with("limit:"));
  EXPECT_TRUE(refusal({.from = "2000", .to = "1000"}).starts_with("from/to:"));
}

TEST(ReportQuery, an_uncovered_combination_lists_the_views) {
  const std::string message = refusal({.by = "browser,city"});
  EXPECT_NE(message.find("devices (campaign_id, browser, platform, from 1h)"), std::string::npos)
      << message;
}

TEST(ReportQuery, the_coarsest_view_that_fits_answers) {
  const auto view_of = [](const ReportRequest& request) {
    return kViews[*choose_view(*parse_report_query(request))].name;
  };
  EXPECT_EQ(view_of({.by = "country"}), "places");
  EXPECT_EQ(view_of({.by = "country", .bucket = "1m"}), "click-through");
  EXPECT_EQ(view_of({.by = "country", .from = "2013-01-01T00:01:00Z"}), "click-through");
  EXPECT_EQ(view_of({.by = "country", .where = {"publisher_id=3"}}), "click-through");
}

}  // namespace
}  // namespace adbrook::ads
