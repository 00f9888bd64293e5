// Rows for people and programs: one table printed as aligned text, CSV or JSON.
// Text from events is data everywhere: control characters are shown, spreadsheet formulas guarded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace adbrook::app {

enum class ColumnKind { text, number };

struct Column {
  std::string name;
  ColumnKind kind = ColumnKind::text;
};

struct Table {
  std::vector<Column> columns;
  // A cell is the plain text of its value ("1234", not "1,234"); an empty one is absent.
  std::vector<std::vector<std::string>> rows;
};

enum class TableFormat { table, csv, json };

// "table", "csv" or "json"; anything else is table.
TableFormat parse_table_format(std::string_view text);

// Ends with a newline. As table: numbers to the right with thousands separators.
std::string print_table(const Table& table, TableFormat format);

}  // namespace adbrook::app
