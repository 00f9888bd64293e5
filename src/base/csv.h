// One cell of a CSV row (RFC 4180), safe to open in a spreadsheet.
#pragma once

#include <string>
#include <string_view>

namespace adbrook {

// Quotes where needed. Text that a spreadsheet would run as a formula (its first character that is
// no space is one of = + - @ |, or it begins with a tab or the end of a line) gets an apostrophe in
// front; plain numbers do not.
std::string csv_cell(std::string_view text);

}  // namespace adbrook
