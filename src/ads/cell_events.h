// The events behind one number of a report: which impressions and clicks count in a cell of a
// view. Read from the topics, so what retention has removed is missing here but not in the cell.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ads/event_search.h"
#include "ads/report_query.h"
#include "ads/views.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"

namespace adbrook::ads {

inline constexpr std::size_t kCellEventsDefault = 100;
inline constexpr std::size_t kCellEventsMax = 10'000;  // of each kind
// Places that one search remembers: of impressions that do not count and of unlinked clicks.
inline constexpr std::size_t kCellPlacesMax = 4'000'000;

// Parts of the view's key that are not named may have any value; the currency cannot be named, as
// in reports.
struct CellEventsQuery {
  std::size_t view_index = 0;
  Timestamp from;
  Timestamp to;                     // the first moment that is out
  std::vector<ReportFilter> where;  // an empty value selects events where it is absent
  std::size_t limit = kCellEventsDefault;
};

struct CellImpression {
  Uuid id;
  Timestamp timestamp;
  bus::Partition partition;  // where the record lies that was read
  Offset offset;
};
struct CellClick {
  Uuid id;
  Timestamp timestamp;
  std::optional<Uuid> impression_id;  // absent: unlinked
  bus::Partition partition;           // as above; joined ones lie in attributed-clicks
  Offset offset;
};

// In the order of the log, at most `limit` of each kind.
struct CellEvents {
  CellEventsQuery query;
  std::vector<CellImpression> impressions;
  std::vector<CellClick> clicks;
  bool more_impressions = false;
  bool more_clicks = false;
};

// Reads "click-through;2013-05-17T13:50:00Z;campaign_id=7;country=FR": the view, the bucket's start
// and what the dimensions must be. "TIME/1d" asks for a longer bucket than the view's finest.
// invalid: names the part that is wrong and what is allowed.
Result<CellEventsQuery> parse_cell(std::string_view cell, std::string_view limit);

void cell_events(EventSearch& search, CellEventsQuery query, Answer<CellEvents> answer);

std::string to_json(const CellEvents& events);

}  // namespace adbrook::ads
