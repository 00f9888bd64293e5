#include "ads/report_query.h"

#include <algorithm>
#include <charconv>
#include <span>

#include "base/text.h"

namespace adbrook::ads {
namespace {

// The currency is a hidden part of every key, no dimension to ask for.
constexpr std::span<const std::string_view> kReportDimensions(kDimensionNames.data(),
                                                              kDimensionNames.size() - 1);

constexpr std::size_t kLimitMax = 1'000'000;

std::string allowed_dimensions() {
  std::string out;
  for (const auto name : kReportDimensions) out += (out.empty() ? "" : ", ") + std::string(name);
  return out;
}

std::unexpected<Error> unknown_dimension(std::string_view parameter, std::string_view name) {
  return fail(ErrorKind::invalid, std::string(parameter) + ": '" + printable(name) +
                                      "' is no dimension" + did_you_mean(name, kReportDimensions) +
                                      "; choose from " + allowed_dimensions());
}

Result<void> parse_by(std::string_view text, ReportQuery& query) {
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view name = text.substr(0, comma);
    const auto dimension = report_dimension(name);
    if (!dimension) return unknown_dimension("by", name);
    if (std::ranges::find(query.by, *dimension) == query.by.end()) query.by.push_back(*dimension);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return {};
}

Result<void> parse_range(const ReportRequest& request, ReportQuery& query) {
  if (!request.from.empty()) {
    const auto from = parse_time(request.from);
    if (!from) return pass(from.error(), "from");
    query.from = *from;
  }
  if (!request.to.empty()) {
    const auto to = parse_time(request.to);
    if (!to) return pass(to.error(), "to");
    query.to = *to;
  }
  if (query.from >= query.to)
    return fail(ErrorKind::invalid,
                "from/to: the range is empty: `from` must be before `to`, which "
                "is the first moment that is left out");
  return {};
}

Result<void> parse_bucket(std::string_view text, ReportQuery& query) {
  if (text.empty() || text == "all") return {};
  if (text == "1m") query.bucket = Millis(60'000);
  if (text == "1h") query.bucket = Millis(3'600'000);
  if (text == "1d") query.bucket = Millis(86'400'000);
  if (query.bucket) return {};
  return fail(ErrorKind::invalid,
              "bucket: '" + printable(text) + "' is not offered; choose 1m, 1h, 1d or all");
}

Result<ReportFilter> parse_filter(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos)
    return fail(ErrorKind::invalid, "where: '" + printable(text) +
                                        "' has no '='; write it like country=FR, and a value with "
                                        "a comma in quotes: city=\"Washington, DC\"");
  const auto dimension = report_dimension(text.substr(0, equals));
  if (!dimension) return unknown_dimension("where", text.substr(0, equals));
  return ReportFilter{*dimension, filter_value(text.substr(equals + 1))};
}

Result<void> parse_where(const std::vector<std::string>& filters, ReportQuery& query) {
  for (std::string_view rest : filters) {
    while (!rest.empty()) {
      const auto end = filter_end(rest, ',');
      if (!end) return pass(end.error(), "where");
      auto filter = parse_filter(rest.substr(0, *end));
      if (!filter) return std::unexpected(filter.error());
      query.where.push_back(std::move(*filter));
      rest.remove_prefix(std::min(rest.size(), *end + 1));
    }
  }
  return {};
}

Result<void> parse_sort(std::string_view text, ReportQuery& query) {
  if (text.empty()) return {};
  query.order = text.starts_with('-') ? SortOrder::ascending : SortOrder::descending;
  if (text.starts_with('-')) text.remove_prefix(1);
  std::vector<std::string_view> columns(report_measures().begin(), report_measures().end());
  columns.emplace_back("bucket");
  for (const Dimension dimension : query.by) columns.push_back(to_string(dimension));
  if (std::ranges::find(columns, text) == columns.end())
    return fail(ErrorKind::invalid, "sort: '" + printable(text) + "' is no column of this report" +
                                        did_you_mean(text, columns));
  query.sort = text;
  return {};
}

Result<void> parse_limit(std::string_view text, ReportQuery& query) {
  if (text.empty()) return {};
  const auto* end = text.data() + text.size();
  const auto [at, ec] = std::from_chars(text.data(), end, query.limit);
  if (ec != std::errc{} || at != end || query.limit == 0 || query.limit > kLimitMax)
    return fail(ErrorKind::invalid, "limit: '" + printable(text) +
                                        "' must be a whole number from 1 to " +
                                        std::to_string(kLimitMax));
  return {};
}

bool covers(const ViewDeclaration& view, Dimension dimension) {
  return std::ranges::find(view.key(), dimension) != view.key().end();
}

bool covers(const ViewDeclaration& view, const ReportQuery& query) {
  return std::ranges::all_of(query.by, [&](Dimension d) { return covers(view, d); }) &&
         std::ranges::all_of(query.where,
                             [&](const ReportFilter& f) { return covers(view, f.dimension); });
}

bool fine_enough(const ViewDeclaration& view, const ReportQuery& query) {
  const auto on_grain = [&](Timestamp time) { return bucket_start(time, view.bucket) == time; };
  if (query.bucket && *query.bucket < view.bucket) return false;
  return (query.from == Timestamp::lowest() || on_grain(query.from)) &&
         (query.to == Timestamp::highest() || on_grain(query.to));
}

}  // namespace

const std::vector<std::string>& report_measures() {
  static const std::vector<std::string> names = {
      "impressions",    "clicks",          "unique_clicks", "ctr",     "unique_ctr",
      "unique_ctr_low", "unique_ctr_high", "spend",         "currency"};
  return names;
}

Result<ReportQuery> parse_report_query(const ReportRequest& request) {
  ReportQuery query;
  for (const auto& step : {parse_by(request.by, query), parse_range(request, query),
                           parse_bucket(request.bucket, query), parse_where(request.where, query)})
    if (!step) return std::unexpected(step.error());
  if (auto sort = parse_sort(request.sort, query); !sort) return std::unexpected(sort.error());
  if (auto limit = parse_limit(request.limit, query); !limit) return std::unexpected(limit.error());
  if (auto view = choose_view(query); !view) return std::unexpected(view.error());
  return query;
}

Result<std::size_t> choose_view(const ReportQuery& query) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < kViews.size(); ++i) {
    if (!covers(kViews[i], query) || !fine_enough(kViews[i], query)) continue;
    if (!best || kViews[i].bucket > kViews[*best].bucket) best = i;
  }
  if (best) return *best;
  std::string offered;
  for (const ViewDeclaration& view : kViews) {
    offered += (offered.empty() ? "" : "; ") + std::string(view.name) + " (";
    for (const Dimension dimension : view.key().first(view.part_count - 1))
      offered += (offered.ends_with('(') ? "" : ", ") + std::string(to_string(dimension));
    offered += ", from " + format_duration(view.bucket) + ")";
  }
  return fail(ErrorKind::invalid,
              "by/where/bucket: no view keeps these dimensions together at this grain, and `from` "
              "and `to` must lie on its buckets; the views are: " +
                  offered);
}

}  // namespace adbrook::ads
