// The entries of a table in memory, in order: what is spilled, merged with runs and scanned.
#pragma once

#include <cstdint>
#include <vector>

#include "state/entry_source.h"
#include "state/key_table.h"
#include "state/time_table.h"

namespace adbrook::state {

// Gone entries included. Owned by one thread; the table does not change meanwhile.
class KeyTableEntries final : public EntrySource {
 public:
  explicit KeyTableEntries(const KeyTable& table);
  bool next(RunEntry& entry) override;

 private:
  const KeyTable& table_;
  std::vector<std::uint32_t> records_;
  std::size_t at_ = 0;
};

// Gone entries included. Owned by one thread; the table does not change meanwhile.
class TimeTableEntries final : public EntrySource {
 public:
  explicit TimeTableEntries(const TimeTable& table);
  // Those of one key, which the table has, from `first` on.
  TimeTableEntries(const TimeTable& table, std::uint32_t key, Moment first);
  bool next(RunEntry& entry) override;

 private:
  void take_chain(std::uint32_t key, Moment first);

  const TimeTable& table_;
  std::vector<std::uint32_t> keys_;
  std::size_t next_key_ = 0;
  std::uint32_t key_ = TimeTable::kNone;
  std::vector<std::uint32_t> chain_;  // of key_, the oldest last
};

}  // namespace adbrook::state
