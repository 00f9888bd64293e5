#include "ads/report_query.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace adbrook::ads {
namespace report_query_test {

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

TEST(ReportQuery, a_value_in_quotes_may_hold_commas) {
  const auto query = parse_report_query(
      {.by = "city", .where = {"city=\"Washington, DC\",country=US", "campaign_id=7"}});
  ASSERT_TRUE(query) << query.error().message;
  ASSERT_EQ(query->where.size(), 3u);
  EXPECT_EQ(query->where[0].value, "Washington, DC");
  EXPECT_EQ(query->where[1].value, "US");
  EXPECT_EQ(parse_report_query({.where = {"city="}})->where[0].value, "");
  EXPECT_EQ(parse_report_query({.where = {"city=\"\""}})->where[0].value, "");
}

TEST(ReportQuery, a_comma_without_quotes_is_answered_with_the_way_to_write_it) {
  EXPECT_NE(refusal({.where = {"city=Washington, DC"}}).find("city=\"Washington, DC\""),
            std::string::npos);
  EXPECT_NE(refusal({.where = {"city=\"Paris"}}).find("not closed"), std::string::npos);
  EXPECT_NE(refusal({.where = {"city=\"Paris\"x"}}).find("behind its closing quote"),
            std::string::npos);
}

// Whatever a value holds, it is read back from what is written, alone and beside others.
TEST(ReportFilter, any_value_survives_being_written) {
  const std::string_view letters = "a,;\"= \\b";
  const char* given = std::getenv("ADBROOK_SEED");
  const unsigned long seed = given ? std::strtoul(given, nullptr, 10) : std::random_device{}();
  std::printf("ADBROOK_SEED=%lu\n", seed);
  std::mt19937 random(static_cast<std::mt19937::result_type>(seed));
  for (int round = 0; round < 20'000; ++round) {
    std::vector<ReportFilter> filters;
    std::string list;
    for (int i = 0; i < 3; ++i) {
      std::string value;
      for (std::size_t n = random() % 7; n > 0; --n) value += letters[random() % letters.size()];
      filters.push_back({static_cast<Dimension>(random() % 8), value});
      list += (i ? "," : "") + to_text(filters.back());
    }
    std::string_view rest = list;
    for (const ReportFilter& filter : filters) {
      const auto end = filter_end(rest, ',');
      ASSERT_TRUE(end) << list << ": " << end.error().message;
      const std::string_view one = rest.substr(0, *end);
      EXPECT_EQ(filter_value(one.substr(one.find('=') + 1)), filter.value) << list;
      rest.remove_prefix(std::min(rest.size(), *end + 1));
    }
    EXPECT_TRUE(rest.empty()) << list;
  }
}

}  // namespace report_query_test
}  // namespace adbrook::ads
