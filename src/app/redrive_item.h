// What `dead-letters redrive` sends for one dead letter: what it was, or with fields set anew. Made
// from what the engine tells of the letter (letter_json.h), in the form of redrive_body.h.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace adbrook::app {

// A field and what it is set to: JSON, or else text; an empty value takes the field away.
struct FieldChange {
  std::string name;
  std::string value;
};

// invalid: no FIELD=VALUE.
Result<std::vector<FieldChange>> parse_changes(const std::vector<std::string>& pairs);

struct RedriveRules {
  std::string as;  // impressions or clicks; empty: as it came
  std::vector<FieldChange> changes;
};

// One line of the body. invalid: changes are wanted in what is no JSON object.
Result<std::string> redrive_line(const boost::json::object& letter, const RedriveRules& rules);
// The same with other bytes in the letter's place.
std::string redrive_line(const boost::json::object& letter, const RedriveRules& rules,
                         ByteView bytes);

}  // namespace adbrook::app
