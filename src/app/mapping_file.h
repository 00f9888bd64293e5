// Mapping files of `import`: which columns of somebody's file become which fields of an event.
// TOML; described with examples in docs/import.md.
#pragma once

#include <string>
#include <string_view>

#include "ads/import.h"
#include "base/result.h"

namespace adbrook::app {

// invalid: names place, line, key and rule.
Result<ads::Mapping> parse_mapping(std::string_view text, std::string_view place);

// Events as the collector takes them, from NDJSON, CSV or Avro with the fields' own names.
ads::Mapping plain_mapping(ads::EventKind kind);

// The mapping that a file's name suggests: "usagov", "obd", "impressions", "clicks" or nothing.
std::string guess_mapping(std::string_view path);

}  // namespace adbrook::app
