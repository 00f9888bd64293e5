// Whether a task may go on with a state that another topology wrote: decided at its start, from
// what both say of their parts.
#pragma once

#include <string>
#include <string_view>

#include "stream/topology.h"

namespace adbrook::stream {

// Whether the line of a part with state ends with what feeds it: " < " and the inputs and parts
// with state whose rows come to it. What lies between may change, so nothing is said of it.
enum class Feeds : unsigned char { untold, told };

// The parts of a topology as a checkpoint remembers them: a line that says that feeds are told,
// then one for each part, which begins with "i " for an input, "s " for a part with state, "- " for
// one without.
std::string remembered_parts(const Topology& topology, Feeds feeds = Feeds::told);
// Of a remembered text. Those of earlier versions do not tell them.
Feeds feeds_in(std::string_view stored);

enum class Evolution : unsigned char {
  compatible,  // inputs and stores are the same: the state goes on with the new parts
  rebuild,     // a store or a part with state differs: its old state says nothing to the new one
  refuse,      // inputs differ: neither positions nor steps mean the same
};

struct TopologyChange {
  Evolution evolution;
  std::string what;  // the lines that differ, for people
};

// Both as remembered_parts() gives them, with feeds in both or in none. The order of inputs counts,
// that of other parts does not.
TopologyChange compare_topologies(std::string_view stored, std::string_view current);

}  // namespace adbrook::stream
