#include "app/late_notice.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace adbrook::app {
namespace {

boost::json::value answer(int late, const char* watermark) {
  return boost::json::parse(
      R"({"outcomes":[{"topic":"clicks","outcome":"late","reason":"horizon","count":)" +
      std::to_string(late) +
      R"(},{"topic":"clicks","outcome":"joined","reason":"","count":7}],"watermarks":[)"
      R"({"topic":"clicks","partition":1,"watermark":"2011-01-01T00:00:00Z"},)"
      R"({"topic":"impressions","partition":3,"watermark":)" +
      std::string(watermark) + "}]}");
}

TEST(LateNotice, names_the_watermark_that_stood_in_the_way_before) {
  const auto text =
      late_notice(answer(1, "\"2013-05-17T00:00:00Z\""), answer(1'235, "\"2013-05-18T00:00:00Z\""));
  EXPECT_NE(text.find("1,234 events were late"), std::string::npos) << text;
  EXPECT_NE(text.find("impressions, partition 3 stood at 2013-05-17T00:00:00.000Z already"),
            std::string::npos)
      << text;
}

TEST(LateNotice, names_the_files_own_events_in_an_empty_engine) {
  const auto text =
      late_notice(boost::json::parse(R"({"outcomes":[],"watermarks":[]})"), answer(1, "null"));
  EXPECT_NE(text.find("1 event was late: the files' own later events moved the watermark of "
                      "clicks, partition 1"),
            std::string::npos)
      << text;
}

TEST(LateNotice, is_empty_when_nothing_became_late) {
  EXPECT_EQ(late_notice(answer(5, "null"), answer(5, "null")), "");
  EXPECT_EQ(late_notice(boost::json::parse("[]"), boost::json::parse("{}")), "");
}

}  // namespace
}  // namespace adbrook::app
