// The ids that a dedupe knows, for readers: asked one by one.
#pragma once

#include <string_view>

#include "stream/topology.h"

namespace adbrook::stream {

// Lets readers ask the store of this dedupe, which the topology has. A row is the id, the event
// time at which it was first seen, and whether a filter excluded it; there is no list of all.
void show_seen(Topology& topology, std::string_view store);

}  // namespace adbrook::stream
