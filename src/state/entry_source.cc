#include "state/entry_source.h"

#include <algorithm>

namespace adbrook::state {

int compare_places(const RunEntry& a, const RunEntry& b) {
  const int order = as_text(a.key).compare(as_text(b.key));
  if (order != 0) return order < 0 ? -1 : 1;
  if (a.moment == b.moment) return 0;
  return a.moment < b.moment ? -1 : 1;
}

MergedEntries::MergedEntries(std::vector<std::unique_ptr<EntrySource>> sources, bool with_gone)
    : sources_(std::move(sources)), with_gone_(with_gone) {
  for (std::size_t source = 0; source < sources_.size(); ++source) used_.push_back(source);
}

bool MergedEntries::later(const Head& a, const Head& b) {
  const int order = compare_places(a.entry, b.entry);
  return order != 0 ? order > 0 : a.source > b.source;
}

void MergedEntries::advance(std::size_t source) {
  Head head{{}, source};
  if (sources_[source]->next(head.entry)) {
    heap_.push_back(head);
    std::ranges::push_heap(heap_, later);
  } else if (result_ && !sources_[source]->result()) {
    result_ = sources_[source]->result();
  }
}

// Sources go on only here, so that the entry given out last was good until now.
bool MergedEntries::next_of_any(RunEntry& entry) {
  for (const std::size_t source : used_) advance(source);
  used_.clear();
  if (!result_ || heap_.empty()) return false;
  entry = heap_.front().entry;
  do {
    std::ranges::pop_heap(heap_, later);
    used_.push_back(heap_.back().source);
    heap_.pop_back();
  } while (!heap_.empty() && compare_places(heap_.front().entry, entry) == 0);
  return true;
}

bool MergedEntries::next(RunEntry& entry) {
  while (next_of_any(entry))
    if (with_gone_ || !entry.gone) return true;
  return false;
}

}  // namespace adbrook::state
