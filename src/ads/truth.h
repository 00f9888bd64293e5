// What a run must have counted: events by topic, outcome and reason, and every cell of every view.
// The generator fills one by construction, the audit fills another from the engine and compares.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ads/views.h"
#include "base/time.h"

namespace adbrook::ads {

// Key of one cell. Parts are numbers of Truth's texts, 0 for an absent one. The width is that of
// the bucket: the view's own, or a larger one after the cell was folded into the next tier.
struct TruthKey {
  std::int64_t bucket_ms = 0;
  std::uint32_t width_ms = 0;
  std::uint32_t view = 0;  // index in kViews
  std::array<std::uint32_t, kViewKeySizeMax> parts{};

  friend bool operator==(const TruthKey&, const TruthKey&) = default;
};

using MeasureValues = std::array<std::uint64_t, kMeasureCount>;

struct TruthCell {
  TruthKey key;
  MeasureValues values{};
};

// Cells by key, in the order they were first touched. Owned by one thread; grows by 128 bytes and
// two slots a cell, and its user bounds it by the events it counts.
class TruthCells {
 public:
  TruthCells();

  // The cell of this key, made when absent. Valid until the next call.
  MeasureValues& at(const TruthKey& key);
  const TruthCell* find(const TruthKey& key) const;
  const std::deque<TruthCell>& all() const { return cells_; }

 private:
  std::size_t slot_of(const TruthKey& key) const;
  void grow();

  std::deque<TruthCell> cells_;
  std::vector<std::uint32_t> slots_;  // index + 1, 0 = free
};

struct OutcomeKey {
  std::string topic;
  std::string outcome;
  std::string reason;  // empty when the outcome has none

  friend auto operator<=>(const OutcomeKey&, const OutcomeKey&) = default;
};

class Truth {
 public:
  Truth();

  // The number of a text; the empty text is 0.
  std::uint32_t number_of(std::string_view text);
  // 0 also for a text nobody gave a number: ask only for texts that are not empty.
  std::uint32_t find_number(std::string_view text) const;
  const std::string& text_of(std::uint32_t number) const { return texts_[number]; }
  // Numbers given out, that of the absent text included.
  std::size_t text_count() const { return texts_.size(); }

  TruthCells& cells() { return cells_; }
  const TruthCells& cells() const { return cells_; }

  std::map<OutcomeKey, std::uint64_t>& outcomes() { return outcomes_; }
  const std::map<OutcomeKey, std::uint64_t>& outcomes() const { return outcomes_; }

  // Events sent again because their acknowledgement was lost, by topic.
  std::map<std::string, std::uint64_t>& sent_again() { return sent_again_; }
  const std::map<std::string, std::uint64_t>& sent_again() const { return sent_again_; }

 private:
  std::deque<std::string> texts_;  // addresses stay: numbers_ views them
  std::unordered_map<std::string_view, std::uint32_t> numbers_;
  TruthCells cells_;
  std::map<OutcomeKey, std::uint64_t> outcomes_;
  std::map<std::string, std::uint64_t> sent_again_;
};

struct TruthComparison {
  std::uint64_t cell_count = 0;  // cells that were expected
  std::uint64_t outcome_count = 0;
  std::uint64_t difference_count = 0;
  std::vector<std::string> differences;  // the first kShownMax, one sentence each

  static constexpr std::size_t kShownMax = 40;
  bool equal() const { return difference_count == 0; }
};

// Compares by outcome (reasons added up; an orphan still pending is an orphan) and by cell.
// `duplicate` and `rejected` may exceed the expected count by what was sent again. Where `actual`
// has folded a bucket into a wider one, the expected cells are folded likewise.
TruthComparison compare(const Truth& expected, const Truth& actual);

}  // namespace adbrook::ads
