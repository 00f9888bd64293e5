// Reads the answer of GET /v1/cells: a head line and one JSON object per cell, for `audit`.
#pragma once

#include <string_view>

#include "ads/truth.h"
#include "base/result.h"

namespace adbrook::app {

// Adds the cells to `truth` as cells of this view. io_failed: a line that is none, or an engine
// that keeps other measures.
Result<void> add_cell_lines(std::string_view body, std::size_t view_index, ads::Truth& truth);

}  // namespace adbrook::app
