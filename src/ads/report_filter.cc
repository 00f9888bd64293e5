#include "ads/report_filter.h"

#include <algorithm>

#include "base/text.h"

namespace adbrook::ads {
namespace {

constexpr char kQuote = '"';

// Behind the quote that closes the one at the begin of `text`; npos when there is none.
std::size_t quoted_size(std::string_view text) {
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (text[at] != kQuote) continue;
    if (at + 1 == text.size() || text[at + 1] != kQuote) return at + 1;
    ++at;  // a doubled one stands for itself
  }
  return std::string_view::npos;
}

}  // namespace

std::optional<Dimension> report_dimension(std::string_view name) {
  const auto dimension = parse_dimension(name);
  return dimension == Dimension::currency ? std::nullopt : dimension;
}

std::string to_text(const ReportFilter& filter) {
  std::string out(to_string(filter.dimension));
  out += '=';
  if (filter.value.find_first_of(",;\"") == std::string::npos) return out + filter.value;
  out += kQuote;
  for (const char c : filter.value) out.append(c == kQuote ? 2 : 1, c);
  return out + kQuote;
}

Result<std::size_t> filter_end(std::string_view text, char separator) {
  const std::size_t equals = text.find('=');
  const std::size_t plain_end = std::min(text.find(separator), text.size());
  if (equals >= plain_end || equals + 1 == text.size() || text[equals + 1] != kQuote)
    return plain_end;
  const std::size_t size = quoted_size(text.substr(equals + 1));
  if (size == std::string_view::npos)
    return fail(ErrorKind::invalid, "'" + printable(text) +
                                        "' has a quote that is not closed; a value in quotes ends "
                                        "with one, and one inside is written twice");
  const std::size_t end = equals + 1 + size;
  if (end < text.size() && text[end] != separator)
    return fail(ErrorKind::invalid, "'" + printable(text) +
                                        "' goes on behind its closing quote; '" +
                                        std::string(1, separator) + "' separates filters");
  return end;
}

std::string filter_value(std::string_view written) {
  if (!written.starts_with(kQuote) || quoted_size(written) != written.size())
    return std::string(written);
  std::string out;
  for (std::size_t at = 1; at + 1 < written.size(); ++at) {
    out += written[at];
    if (written[at] == kQuote) ++at;
  }
  return out;
}

}  // namespace adbrook::ads
