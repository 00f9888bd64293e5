// An event as JSON with the published field names, as the collector would take it again; and what
// it is reported under. For those who show single events to people.
#pragma once

#include <string>

#include "ads/event.h"
#include "ads/output_value.h"
#include "ads/views.h"

namespace adbrook::ads {

// One object with every field that is there; `extra` is an object of texts inside it.
std::string event_json(const Impression& event);
std::string event_json(const Click& event);

ReportedUnder under_of(const Impression& event);
ReportedUnder under_of(const Click& event);

// As a report prints it; empty when absent. The currency is no part of it and stays empty.
std::string dimension_text(const ReportedUnder& under, Dimension dimension);

}  // namespace adbrook::ads
