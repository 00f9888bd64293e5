#include "app/table.h"

#include <algorithm>
#include <charconv>

#include "base/csv.h"
#include "base/text.h"
#include "http/problem.h"

namespace adbrook::app {
namespace {

constexpr std::size_t kCellShownMax = 200;

std::string shown(const std::string& cell, ColumnKind kind) {
  if (kind == ColumnKind::text) return printable(cell, kCellShownMax);
  long long number = 0;
  const auto [at, ec] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
  return ec == std::errc{} && at == cell.data() + cell.size() ? with_thousands(number) : cell;
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string padded(const std::string& text, std::size_t width, ColumnKind kind) {
  const std::string space(width - std::min(width, width_of(text)), ' ');
  return kind == ColumnKind::number ? space + text : text + space;
}

std::string without_trailing_space(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string text_table(const Table& table) {
  std::vector<std::size_t> widths;
  for (const auto& column : table.columns) widths.push_back(width_of(column.name));
  for (const auto& row : table.rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], width_of(shown(row[i], table.columns[i].kind)));
  std::string line, out;
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    line += padded(table.columns[i].name, widths[i], table.columns[i].kind) + "  ";
  out = without_trailing_space(line);
  for (const auto& row : table.rows) {
    line.clear();
    for (std::size_t i = 0; i < row.size(); ++i)
      line += padded(shown(row[i], table.columns[i].kind), widths[i], table.columns[i].kind) + "  ";
    out += without_trailing_space(line);
  }
  return out;
}

std::string as_csv(const Table& table) {
  std::string out;
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    out += (i == 0 ? "" : ",") + csv_cell(table.columns[i].name);
  out += "\n";
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) out += (i == 0 ? "" : ",") + csv_cell(row[i]);
    out += "\n";
  }
  return out;
}

std::string as_json(const Table& table) {
  std::string out = "[";
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    out += r == 0 ? "\n  {" : ",\n  {";
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      if (i > 0) out += ", ";
      http::append_json_text(out, table.columns[i].name);
      out += ": ";
      const std::string& cell = table.rows[r][i];
      if (table.columns[i].kind == ColumnKind::text)
        http::append_json_text(out, cell);
      else
        out += cell.empty() ? "null" : cell;
    }
    out += "}";
  }
  return out + (table.rows.empty() ? "]\n" : "\n]\n");
}

}  // namespace

TableFormat parse_table_format(std::string_view text) {
  if (text == "csv") return TableFormat::csv;
  return text == "json" ? TableFormat::json : TableFormat::table;
}

std::string print_table(const Table& table, TableFormat format) {
  switch (format) {
    case TableFormat::csv: return as_csv(table);
    case TableFormat::json: return as_json(table);
    case TableFormat::table: break;
  }
  return text_table(table);
}

}  // namespace adbrook::app
