// Entries of a partition or bucket in order, from memory or from disk, and several of those as one.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "state/moment.h"

namespace adbrook::state {

// A key-value store has one entry per key, of moment 0.
struct RunEntry {
  ByteView key;
  Moment moment;
  bool gone = false;  // erased here, whatever older places say
  ByteView value;
};

// -1, 0 or 1: by bytes of the key, then by moment.
int compare_places(const RunEntry& a, const RunEntry& b);

// Owned by one thread. What an entry points to is good until the next call of next().
class EntrySource {
 public:
  virtual ~EntrySource() = default;
  // The next entry in order; false at the end and after an error, which result() tells.
  virtual bool next(RunEntry& entry) = 0;
  const Result<void>& result() const { return result_; }

 protected:
  Result<void> result_;
};

// Several sources as one: of entries of the same place only that of the first source counts.
class MergedEntries final : public EntrySource {
 public:
  // Sources of newer entries come first. Gone entries are left out unless `with_gone`.
  MergedEntries(std::vector<std::unique_ptr<EntrySource>> sources, bool with_gone);

  bool next(RunEntry& entry) override;

 private:
  struct Head {
    RunEntry entry;
    std::size_t source;
  };
  // For a heap whose top is the least.
  static bool later(const Head& a, const Head& b);
  void advance(std::size_t source);
  bool next_of_any(RunEntry& entry);

  std::vector<std::unique_ptr<EntrySource>> sources_;
  bool with_gone_;
  std::vector<Head> heap_;
  std::vector<std::size_t> used_;  // sources whose head was given out or passed over
};

}  // namespace adbrook::state
