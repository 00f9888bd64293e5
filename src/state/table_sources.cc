#include "state/table_sources.h"

#include <algorithm>

namespace adbrook::state {
namespace {

// The first bytes as a number: most comparisons need no look at the key.
std::uint64_t prefix_of(ByteView key) {
  std::byte bytes[8] = {};
  std::copy_n(key.begin(), std::min<std::size_t>(key.size(), 8), bytes);
  return load_be<std::uint64_t>(bytes);
}

template <class ForEach, class KeyOf>
std::vector<std::uint32_t> sorted_by_key(std::size_t count, ForEach for_each, KeyOf key_of) {
  struct One {
    std::uint64_t prefix;
    std::uint32_t handle;
  };
  std::vector<One> all;
  all.reserve(count);
  for_each([&](std::uint32_t handle) { all.push_back({prefix_of(key_of(handle)), handle}); });
  std::ranges::sort(all, [&](const One& a, const One& b) {
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    return as_text(key_of(a.handle)) < as_text(key_of(b.handle));
  });
  std::vector<std::uint32_t> handles;
  handles.reserve(all.size());
  for (const One& one : all) handles.push_back(one.handle);
  return handles;
}

}  // namespace

KeyTableEntries::KeyTableEntries(const KeyTable& table)
    : table_(table),
      records_(sorted_by_key(
          table.record_count(), [&](auto f) { table.for_each(f); },
          [&](std::uint32_t record) { return table.key(record); })) {}

bool KeyTableEntries::next(RunEntry& entry) {
  if (at_ == records_.size()) return false;
  const std::uint32_t record = records_[at_++];
  const bool gone = table_.gone(record);
  entry = {.key = table_.key(record),
           .gone = gone,
           .value = gone ? ByteView{} : ByteView(table_.value(record))};
  return true;
}

TimeTableEntries::TimeTableEntries(const TimeTable& table)
    : table_(table),
      keys_(sorted_by_key(
          table.key_count(), [&](auto f) { table.for_each_key(f); },
          [&](std::uint32_t key) { return table.key_bytes(key); })) {}

TimeTableEntries::TimeTableEntries(const TimeTable& table, std::uint32_t key, Moment first)
    : table_(table) {
  take_chain(key, first);
}

void TimeTableEntries::take_chain(std::uint32_t key, Moment first) {
  key_ = key;
  chain_.clear();
  for (std::uint32_t at = table_.newest(key); at != TimeTable::kNone; at = table_.older(at)) {
    if (table_.moment(at) < first) break;
    chain_.push_back(at);
  }
}

bool TimeTableEntries::next(RunEntry& entry) {
  while (chain_.empty()) {
    if (next_key_ == keys_.size()) return false;
    take_chain(keys_[next_key_++], {});
  }
  const std::uint32_t at = chain_.back();
  chain_.pop_back();
  const bool gone = table_.gone(at);
  entry = {.key = table_.key_bytes(key_),
           .moment = table_.moment(at),
           .gone = gone,
           .value = gone ? ByteView{} : ByteView(table_.value(at))};
  return true;
}

}  // namespace adbrook::state
