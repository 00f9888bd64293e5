#include "ads/report.h"

#include <algorithm>
#include <charconv>
#include <functional>

#include "ads/wilson.h"
#include "base/csv.h"

namespace adbrook::ads {
namespace {

std::optional<double> ratio(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

std::string number_text(std::optional<double> value) {
  if (!value) return {};
  std::array<char, 32> out;
  const auto end =
      std::to_chars(out.data(), out.data() + out.size(), *value, std::chars_format::fixed, 8).ptr;
  return {out.data(), end};
}

std::optional<Interval> unique_interval(const ReportRow& row) {
  return wilson_95(measure(row.values, Measure::unique_clicks),
                   measure(row.values, Measure::impressions));
}

std::optional<double> low(const ReportRow& row) {
  const auto interval = unique_interval(row);
  return interval ? std::optional(interval->low) : std::nullopt;
}
std::optional<double> high(const ReportRow& row) {
  const auto interval = unique_interval(row);
  return interval ? std::optional(interval->high) : std::nullopt;
}

std::string spend_text(const ReportRow& row) {
  std::string out;
  for (const auto& [currency, micros] : row.spend)
    out += (out.empty() ? "" : ";") + std::to_string(micros);
  return out;
}
std::string currency_text(const ReportRow& row) {
  std::string out;
  for (const auto& [currency, micros] : row.spend) out += (out.empty() ? "" : ";") + currency;
  return out;
}

std::string bucket_text(const ReportRow& row) {
  return row.bucket ? format_time(*row.bucket) : "all";
}

double sort_value(const ReportRow& row, std::string_view column) {
  if (column == "impressions")
    return static_cast<double>(measure(row.values, Measure::impressions));
  if (column == "clicks") return static_cast<double>(row.clicks());
  if (column == "unique_clicks")
    return static_cast<double>(measure(row.values, Measure::unique_clicks));
  if (column == "ctr") return row.ctr().value_or(-1);
  if (column == "unique_ctr") return row.unique_ctr().value_or(-1);
  if (column == "unique_ctr_low") return low(row).value_or(-1);
  if (column == "unique_ctr_high") return high(row).value_or(-1);
  if (column == "bucket") return row.bucket ? static_cast<double>(row.bucket->ms) : 0;
  return static_cast<double>(measure(row.values, Measure::spend_micros));
}

// Numbers sort as numbers, and before other text.
bool key_less(const std::string& a, const std::string& b) {
  std::uint64_t left = 0, right = 0;
  const auto read = [](const std::string& text, std::uint64_t& value) {
    const auto* end = text.data() + text.size();
    const auto [at, ec] = std::from_chars(text.data(), end, value);
    return ec == std::errc{} && at == end;
  };
  const bool left_number = read(a, left), right_number = read(b, right);
  if (left_number != right_number) return left_number;
  return left_number ? left < right : a < b;
}

bool keys_less(const ReportRow& a, const ReportRow& b) {
  if (a.bucket != b.bucket) return a.bucket < b.bucket;
  return std::ranges::lexicographical_compare(a.key, b.key, key_less);
}

void sort_rows(const ReportQuery& query, std::vector<ReportRow>& rows) {
  std::ranges::sort(rows, keys_less);
  if (query.sort.empty()) return;
  const bool down = query.order == SortOrder::descending;
  const auto dimension = report_dimension(query.sort);
  const auto at = dimension ? std::ranges::find(query.by, *dimension) : query.by.end();
  const bool by_currency = query.sort == "currency";
  if (at == query.by.end() && !by_currency) {
    std::ranges::stable_sort(rows, [&](const ReportRow& a, const ReportRow& b) {
      const double left = sort_value(a, query.sort), right = sort_value(b, query.sort);
      return down ? left > right : left < right;
    });
    return;
  }
  const auto index = static_cast<std::size_t>(at - query.by.begin());
  const auto text = [&](const ReportRow& row) {
    return by_currency ? currency_text(row) : row.key[index];
  };
  std::ranges::stable_sort(rows, [&](const ReportRow& a, const ReportRow& b) {
    return down ? key_less(text(b), text(a)) : key_less(text(a), text(b));
  });
}

void write_rate(serde::JsonWriter& json, std::string_view name, std::optional<double> value) {
  json.key(name);
  if (value)
    json.number(*value);
  else
    json.null();
}

void write_spend(serde::JsonWriter& json, const ReportRow& row) {
  if (row.spend.size() <= 1) {
    json.field("spend", row.spend.empty() ? std::int64_t{0} : row.spend.begin()->second);
    json.field("currency", std::string_view(currency_text(row)));
    return;
  }
  json.key("spend");
  json.begin_array();
  for (const auto& [currency, micros] : row.spend) json.integer(micros);
  json.end_array();
  json.key("currency");
  json.begin_array();
  for (const auto& [currency, micros] : row.spend) json.string(currency);
  json.end_array();
}

void write_row(serde::JsonWriter& json, const Report& report, const ReportRow& row) {
  json.begin_object();
  for (std::size_t i = 0; i < report.query.by.size(); ++i)
    json.field(to_string(report.query.by[i]), std::string_view(row.key[i]));
  json.field("bucket", std::string_view(bucket_text(row)));
  json.key("impressions");
  json.unsigned_integer(measure(row.values, Measure::impressions));
  json.key("clicks");
  json.unsigned_integer(row.clicks());
  json.key("unique_clicks");
  json.unsigned_integer(measure(row.values, Measure::unique_clicks));
  write_rate(json, "ctr", row.ctr());
  write_rate(json, "unique_ctr", row.unique_ctr());
  write_rate(json, "unique_ctr_low", low(row));
  write_rate(json, "unique_ctr_high", high(row));
  write_spend(json, row);
  json.end_object();
}

}  // namespace

std::string shown_time(Timestamp time) {
  return time == Timestamp::lowest() ? std::string() : format_time(time);
}

void write_time(serde::JsonWriter& json, std::string_view name, Timestamp time) {
  json.key(name);
  if (time == Timestamp::lowest())
    json.null();
  else
    json.string(format_time(time));
}

void combine(MeasureValues& to, const MeasureValues& from) {
  for (std::size_t i = 0; i < kMeasureCount; ++i)
    to[i] = kMeasures[i].combine == Combine::sum ? to[i] + from[i] : to[i] ^ from[i];
}

std::optional<double> ReportRow::ctr() const {
  return ratio(measure(values, Measure::joined_clicks), measure(values, Measure::impressions));
}
std::optional<double> ReportRow::unique_ctr() const {
  return ratio(measure(values, Measure::unique_clicks), measure(values, Measure::impressions));
}

void ReportBuilder::add(std::vector<std::string> key, std::optional<Timestamp> bucket,
                        std::string_view currency, const MeasureValues& values) {
  auto [at, is_new] = rows_.try_emplace({bucket, key});
  ReportRow& row = at->second;
  if (is_new) {
    row.key = std::move(key);
    row.bucket = bucket;
  }
  combine(row.values, values);
  if (const auto spent = measure(values, Measure::spend_micros); spent != 0)
    row.spend[std::string(currency)] += static_cast<std::int64_t>(spent);
}

Report ReportBuilder::finish(Freshness freshness) && {
  Report report{.query = std::move(query_), .freshness = freshness};
  if (const auto view = choose_view(report.query)) report.view = kViews[*view].name;
  report.rows.reserve(rows_.size());
  for (auto& [key, row] : rows_) {
    // A cell whose only unique click moved away is left with nothing: no row.
    if (row.values != MeasureValues{}) report.rows.push_back(std::move(row));
  }
  sort_rows(report.query, report.rows);
  report.row_count_before_limit = report.rows.size();
  if (report.query.limit != 0 && report.rows.size() > report.query.limit)
    report.rows.resize(report.query.limit);
  return report;
}

std::string to_csv(const Report& report) {
  std::string out = "# as_of: " + shown_time(report.freshness.as_of) +
                    "\n# final_until: " + shown_time(report.freshness.final_until) + "\n";
  for (const Dimension dimension : report.query.by) out += std::string(to_string(dimension)) + ",";
  out += "bucket";
  for (const std::string& name : report_measures()) out += "," + name;
  out += "\n";
  for (const ReportRow& row : report.rows) {
    for (const std::string& part : row.key) out += csv_cell(part) + ",";
    out += bucket_text(row) + "," + std::to_string(measure(row.values, Measure::impressions)) +
           "," + std::to_string(row.clicks()) + "," +
           std::to_string(measure(row.values, Measure::unique_clicks)) + "," +
           number_text(row.ctr()) + "," + number_text(row.unique_ctr()) + "," +
           number_text(low(row)) + "," + number_text(high(row)) + "," +
           (row.spend.empty() ? "0" : spend_text(row)) + "," + csv_cell(currency_text(row)) + "\n";
  }
  return out;
}

std::string to_json(const Report& report) {
  std::string out;
  serde::JsonWriter json(out);
  json.begin_object();
  write_time(json, "as_of", report.freshness.as_of);
  write_time(json, "final_until", report.freshness.final_until);
  json.field("view", std::string_view(report.view));
  json.field("row_count", static_cast<std::int64_t>(report.row_count_before_limit));
  json.key("rows");
  json.begin_array();
  for (const ReportRow& row : report.rows) write_row(json, report, row);
  json.end_array();
  json.end_object();
  return out;
}

}  // namespace adbrook::ads
