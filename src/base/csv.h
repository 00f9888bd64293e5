// One cell of a CSV row (RFC 4180), safe to open in a spreadsheet.
#pragma once

#include <string>
#include <string_view>

namespace adbrook {

// Quotes where needed. Text that a spreadsheet would run as a formula (starting with = + - @, tab
// or carriage return) gets a leading apostrophe; plain numbers do not.
std::string csv_cell(std::string_view text);

}  // namespace adbrook
