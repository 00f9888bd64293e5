#include "log/aborted_index.h"

#include <algorithm>

namespace adbrook::log {

void AbortedIndex::measure_from(std::size_t index) {
  for (; index < rows_.size(); ++index) {
    const Offset before = index == 0 ? Offset{-1} : rows_[index - 1].last_most;
    rows_[index].last_most = std::max(before, rows_[index].transaction.last);
  }
}

// Nearly at the end: only what was open at the same time can stand behind it.
void AbortedIndex::add(const AbortedTransaction& transaction) {
  const auto place = std::ranges::upper_bound(rows_, transaction.first, {},
                                              [](const Row& row) { return row.transaction.first; });
  const auto index = static_cast<std::size_t>(place - rows_.begin());
  rows_.insert(place, {.transaction = transaction, .last_most = {}});
  measure_from(index);
}

void AbortedIndex::drop_below(Offset start) {
  if (rows_.empty() || rows_.front().transaction.first >= start) return;
  const std::size_t count =
      std::erase_if(rows_, [&](const Row& row) { return row.transaction.last < start; });
  if (count > 0) measure_from(0);
}

void AbortedIndex::remove_ended_at(const std::vector<Offset>& ends) {
  const std::size_t count = std::erase_if(rows_, [&](const Row& row) {
    return std::ranges::binary_search(ends, row.transaction.last);
  });
  if (count > 0) measure_from(0);
}

std::vector<AbortedTransaction> AbortedIndex::look(Offset from, Offset& end) const {
  std::vector<AbortedTransaction> found;
  const auto begin =
      std::ranges::partition_point(rows_, [&](const Row& row) { return row.last_most < from; });
  for (auto row = begin; row != rows_.end() && row->transaction.first < end; ++row) {
    if (row->transaction.last < from) continue;
    if (found.size() >= kLookCountMax && row->transaction.first > from) {
      end = row->transaction.first;
      break;
    }
    found.push_back(row->transaction);
  }
  return found;
}

std::vector<AbortedTransaction> AbortedIndex::describe() const {
  std::vector<AbortedTransaction> all;
  all.reserve(rows_.size());
  for (const Row& row : rows_) all.push_back(row.transaction);
  return all;
}

}  // namespace adbrook::log
