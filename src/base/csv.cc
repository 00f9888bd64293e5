#include "base/csv.h"

#include <algorithm>
#include <charconv>

namespace adbrook {
namespace {

bool is_number(std::string_view text) {
  double value = 0;
  const auto* end = text.data() + text.size();
  const auto [at, ec] = std::from_chars(text.data(), end, value);
  return ec == std::errc{} && at == end;
}

// Spreadsheets look past spaces in front; a tab or a line's end may end the cell before it.
bool looks_like_formula(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return false;
  constexpr std::string_view kFormulaStarts = "=+-@|";
  return text[0] == '\t' || text[0] == '\r' || text[0] == '\n' ||
         kFormulaStarts.find(text[first]) != std::string_view::npos;
}

}  // namespace

std::string csv_cell(std::string_view text) {
  std::string cell;
  if (looks_like_formula(text) && !is_number(text)) cell = "'";
  cell += text;
  if (cell.find_first_of(",\"\n\r") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace adbrook
