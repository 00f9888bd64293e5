// JSON answers of the engine as people read them: objects as lines, lists of objects as tables.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "app/table.h"

namespace adbrook::app {

// Indented lines "name  value"; a list of flat objects becomes a table. Depth is limited by the
// parser that made the value. Ends with a newline.
std::string show_json(const boost::json::value& value);

// One row per object, with the columns in order of their first appearance. A cell that is a list or
// an object is printed as JSON.
Table table_of(const boost::json::array& rows);

// The value as a table's cell: text without quotes, null as nothing.
std::string cell_of(const boost::json::value& value);

// A member as a cell; empty when there is none of that name.
std::string text_member(const boost::json::object& object, std::string_view name);
// A whole number; 0 when there is none of that name.
std::int64_t number_member(const boost::json::object& object, std::string_view name);

}  // namespace adbrook::app
