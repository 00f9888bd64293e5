// What a click-through report asks for: dimensions, time range, bucket, filters, order.
// The same words come from the command line and from the query string; see docs/reports.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ads/report_filter.h"
#include "ads/views.h"
#include "base/result.h"
#include "base/time.h"

namespace adbrook::ads {

// The texts as the user gave them; empty means not given.
struct ReportRequest {
  std::string by;                  // "campaign_id,country"
  std::string from;                // a time; the bucket that starts there is the first one in
  std::string to;                  // a time; the bucket that starts there is the first one out
  std::string bucket;              // 1m | 1h | 1d | all
  std::vector<std::string> where;  // "country=FR", see report_filter.h; several must all hold
  std::string sort;                // a column, most first; "-column" least first
  std::string limit;
};

enum class SortOrder { descending, ascending };

// A checked request.
struct ReportQuery {
  std::vector<Dimension> by;
  Timestamp from = Timestamp::lowest();
  Timestamp to = Timestamp::highest();
  std::optional<Millis> bucket;  // nothing = one row for all time
  std::vector<ReportFilter> where;
  std::string sort;  // empty: by bucket, then by key
  SortOrder order = SortOrder::descending;
  std::size_t limit = 0;  // 0 = all rows
};

// The columns in their printed order, after the dimensions.
const std::vector<std::string>& report_measures();

// invalid: names the parameter, what was given and what is allowed.
Result<ReportQuery> parse_report_query(const ReportRequest& request);

// Which of kViews answers: the coarsest one that has the dimensions and whose grain fits.
// invalid: there is none; the sentence lists what is there.
Result<std::size_t> choose_view(const ReportQuery& query);

}  // namespace adbrook::ads
