// Whether a task may go on with a state that another topology wrote: decided at its start, from
// what both say of their parts.
#pragma once

#include <string>
#include <string_view>

#include "stream/topology.h"

namespace adbrook::stream {

// The parts of a topology as a checkpoint remembers them: one line each, which begins with "i " for
// an input, "s " for a part with state, "- " for one without.
std::string remembered_parts(const Topology& topology);

enum class Evolution : unsigned char {
  compatible,  // inputs and stores are the same: the state goes on with the new parts
  rebuild,     // a store or a part with state differs: its old state says nothing to the new one
  refuse,      // inputs differ: neither positions nor steps mean the same
};

struct TopologyChange {
  Evolution evolution;
  std::string what;  // the lines that differ, for people
};

// Both as remembered_parts() gives them. The order of inputs counts, that of other parts does not.
TopologyChange compare_topologies(std::string_view stored, std::string_view current);

}  // namespace adbrook::stream
