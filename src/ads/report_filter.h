// One filter of a report, "country=FR", and how it is written where several stand side by side.
// docs/reports.md has the rule.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "ads/views.h"
#include "base/result.h"

namespace adbrook::ads {

struct ReportFilter {
  Dimension dimension;
  std::string value;  // as printed in a report; empty selects rows where it is absent
};

// A dimension a report may name; the hidden currency is none.
std::optional<Dimension> report_dimension(std::string_view name);

// "dimension=value", the value in double quotes where it would be read as something else: when it
// has a comma, a semicolon or a quote, which is doubled inside quotes as in CSV (RFC 4180).
std::string to_text(const ReportFilter& filter);

// Where the filter at the begin of `text` ends: behind its closing quote when its value has one,
// else at the next `separator`. invalid: a quote that is not closed, or text behind a closing one.
Result<std::size_t> filter_end(std::string_view text, char separator);

// The value as it was before it was written.
std::string filter_value(std::string_view written);

}  // namespace adbrook::ads
