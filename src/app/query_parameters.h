// Query strings of the questions: a name that a route does not know is an error that says which one
// was meant, so that a mistyped filter never gives a wrong report.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "http/message.h"
#include "http/query.h"

namespace adbrook::app {

// invalid: broken, or a name that is not in `known`.
Result<http::Query> read_query(const http::Request& request,
                               std::span<const std::string_view> known);

// The parameter `wait`, at most ten minutes; `otherwise` when it is absent.
Result<Millis> wait_of(const http::Query& query, Millis otherwise);

// A whole number in [0, most]; `otherwise` when it is absent.
Result<std::int64_t> count_of(const http::Query& query, std::string_view name,
                              std::int64_t otherwise, std::int64_t most);

}  // namespace adbrook::app
