// A click-through report: cells of one view added up by the asked dimensions, with rates.
// Columns and their definitions: docs/reports.md.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ads/report_query.h"
#include "ads/views.h"
#include "base/time.h"
#include "serde/json_writer.h"

namespace adbrook::ads {

using MeasureValues = std::array<std::uint64_t, kMeasureCount>;

constexpr std::uint64_t measure(const MeasureValues& values, Measure which) {
  return values[static_cast<std::size_t>(which)];
}
// Adds `from` into `to`, each measure by its own rule.
void combine(MeasureValues& to, const MeasureValues& from);

struct ReportRow {
  std::vector<std::string> key;     // in the order of ReportQuery::by; absent is empty
  std::optional<Timestamp> bucket;  // absent when the report has one row for all time
  MeasureValues values{};
  std::map<std::string, std::int64_t>
      spend;  // millionths by currency; only where something was spent

  std::uint64_t clicks() const {
    return measure(values, Measure::joined_clicks) + measure(values, Measure::unlinked_clicks);
  }
  std::optional<double> ctr() const;         // joined clicks / impressions
  std::optional<double> unique_ctr() const;  // unique clicks / impressions
};

// How fresh an answer is.
struct Freshness {
  Timestamp as_of;        // last commit of the slowest task
  Timestamp final_until;  // smallest watermark: what happened before will not change
};

// A time as an answer shows it: empty (JSON: null) while there is none, before the first commit.
std::string shown_time(Timestamp time);
void write_time(serde::JsonWriter& json, std::string_view name, Timestamp time);

struct Report {
  ReportQuery query;
  std::string view;
  Freshness freshness;
  std::vector<ReportRow> rows;
  std::size_t row_count_before_limit = 0;
};

// Collects partial sums, from any number of tasks, and makes the rows. Owned by one thread.
class ReportBuilder {
 public:
  explicit ReportBuilder(ReportQuery query) : query_(std::move(query)) {}

  // `key` as in ReportRow; `currency` is the hidden key part.
  void add(std::vector<std::string> key, std::optional<Timestamp> bucket, std::string_view currency,
           const MeasureValues& values);
  Report finish(Freshness freshness) &&;

 private:
  ReportQuery query_;
  std::map<std::pair<std::optional<Timestamp>, std::vector<std::string>>, ReportRow> rows_;
};

// CSV: `#` lines with as_of and final_until, one header line, one line per row. Several currencies
// in one row are joined by ';' in both columns.
std::string to_csv(const Report& report);
// {"as_of":..,"final_until":..,"view":..,"rows":[{..}]}; absent rates are null.
std::string to_json(const Report& report);

}  // namespace adbrook::ads
