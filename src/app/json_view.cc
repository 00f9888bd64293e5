#include "app/json_view.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>

#include "base/text.h"

namespace adbrook::app {
namespace {

constexpr std::size_t kValueShownMax = 400;
constexpr int kDigitsShown = 6;  // of fractions; --json gives all of them

bool is_table(const boost::json::value& value) {
  const auto* list = value.if_array();
  return list && !list->empty() &&
         std::all_of(list->begin(), list->end(), [](const auto& item) { return item.is_object(); });
}

std::string indented(const std::string& text, const std::string& indent) {
  std::string out;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    out += indent + text.substr(begin, end - begin) + "\n";
    begin = end + 1;
  }
  return out;
}

void show(const boost::json::value& value, const std::string& indent, std::string& out) {
  if (is_table(value)) {
    out += indented(print_table(table_of(value.as_array()), TableFormat::table), indent);
    return;
  }
  if (const auto* list = value.if_array()) {
    for (const auto& item : *list) show(item, indent, out);
    return;
  }
  const auto* object = value.if_object();
  if (object == nullptr) {
    out += indent + printable(cell_of(value), kValueShownMax) + "\n";
    return;
  }
  std::size_t width = 0;
  for (const auto& [name, member] : *object)
    if (!member.is_structured()) width = std::max(width, name.size());
  for (const auto& [name, member] : *object) {
    const std::string label = printable(std::string_view(name));
    const bool empty = (member.is_array() && member.as_array().empty()) ||
                       (member.is_object() && member.as_object().empty());
    if (empty) continue;
    if (member.is_structured()) {
      out += indent + label + "\n";
      show(member, indent + "  ", out);
    } else {
      out += indent + label + std::string(width - std::min(width, label.size()) + 2, ' ') +
             printable(cell_of(member), kValueShownMax) + "\n";
    }
  }
}

}  // namespace

std::string cell_of(const boost::json::value& value) {
  if (value.is_null()) return "";
  if (const auto* text = value.if_string()) return std::string(*text);
  if (const auto* number = value.if_double()) {
    std::array<char, 32> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), *number,
                                   std::chars_format::general, kDigitsShown)
                         .ptr;
    return {digits.data(), end};
  }
  if (const auto* list = value.if_array()) {
    std::string out;
    for (const auto& item : *list) out += (out.empty() ? "" : " + ") + cell_of(item);
    return out;
  }
  return boost::json::serialize(value);
}

Table table_of(const boost::json::array& rows) {
  Table table;
  for (const auto& row : rows)
    for (const auto& [name, member] : row.as_object()) {
      const std::string column(name);
      auto found = std::find_if(table.columns.begin(), table.columns.end(),
                                [&](const Column& known) { return known.name == column; });
      if (found == table.columns.end())
        found = table.columns.insert(table.columns.end(), {column, ColumnKind::number});
      if (!member.is_number() && !member.is_null()) found->kind = ColumnKind::text;
    }
  for (const auto& row : rows) {
    std::vector<std::string> cells;
    for (const auto& column : table.columns) {
      const auto* member = row.as_object().if_contains(column.name);
      cells.push_back(member ? cell_of(*member) : "");
    }
    table.rows.push_back(std::move(cells));
  }
  return table;
}

std::string show_json(const boost::json::value& value) {
  std::string out;
  show(value, "", out);
  return out;
}

std::string text_member(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value ? cell_of(*value) : "";
}

std::int64_t number_member(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value && value->is_int64() ? value->as_int64() : 0;
}

}  // namespace adbrook::app
