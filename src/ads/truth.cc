#include "ads/truth.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/text.h"

namespace adbrook::ads {
namespace {

constexpr std::array<std::int64_t, 2> kTierWidths = {86'400'000, 3'600'000};

void combine(MeasureValues& to, const MeasureValues& from) {
  for (std::size_t i = 0; i < kMeasureCount; ++i)
    to[i] = kMeasures[i].combine == Combine::sum ? to[i] + from[i] : to[i] ^ from[i];
}

bool is_empty(const MeasureValues& values) {
  return std::ranges::all_of(values, [](std::uint64_t value) { return value == 0; });
}

class Comparer {
 public:
  Comparer(const Truth& expected, const Truth& actual) : expected_(expected), actual_(actual) {}

  TruthComparison run() {
    compare_outcomes();
    compare_cells();
    return std::move(out_);
  }

 private:
  void differ(std::string sentence) {
    ++out_.difference_count;
    if (out_.differences.size() < TruthComparison::kShownMax)
      out_.differences.push_back(std::move(sentence));
  }

  // Reasons are added up, and a pending click has no other end than orphan before it is judged.
  static std::map<std::pair<std::string, std::string>, std::uint64_t> by_outcome(const Truth& of) {
    std::map<std::pair<std::string, std::string>, std::uint64_t> out;
    for (const auto& [key, count] : of.outcomes())
      out[{key.topic, key.outcome == "pending" ? "orphan" : key.outcome}] += count;
    return out;
  }

  void compare_outcomes() {
    const auto expected = by_outcome(expected_), actual = by_outcome(actual_);
    auto keys = expected;
    keys.insert(actual.begin(), actual.end());
    for (const auto& [key, unused] : keys) {
      const auto count_in = [&](const auto& counts) {
        const auto found = counts.find(key);
        return found == counts.end() ? 0 : found->second;
      };
      const auto& [topic, outcome] = key;
      const std::uint64_t wanted = count_in(expected), got = count_in(actual);
      ++out_.outcome_count;
      const auto again = expected_.sent_again().find(topic);
      const bool may_exceed = outcome == "duplicate" || outcome == "rejected";
      const std::uint64_t spare =
          may_exceed && again != expected_.sent_again().end() ? again->second : 0;
      if (got < wanted || got > wanted + spare)
        differ(topic + " " + outcome + ": expected " + std::to_string(wanted) +
               (spare ? " to " + std::to_string(wanted + spare) : "") + ", is " +
               std::to_string(got));
    }
  }

  // Where the engine keeps the cells of this time in a wider bucket, that bucket.
  TruthKey folded(TruthKey key) const {
    for (const std::int64_t width : kTierWidths) {
      if (width <= key.width_ms) break;
      const std::int64_t bucket = bucket_start({key.bucket_ms}, Millis(width)).ms;
      if (!wider_.contains({key.view, width, bucket})) continue;
      key.bucket_ms = bucket;
      key.width_ms = static_cast<std::uint32_t>(width);
      return key;
    }
    return key;
  }

  // Brings the expected cells into the numbers and the buckets of the actual ones. A text that the
  // engine never saw gets a number of its own behind all of the engine's.
  void translate_expected() {
    std::unordered_map<std::uint32_t, std::uint32_t> numbers{{0, 0}};
    for (const TruthCell& cell : expected_.cells().all()) {
      if (is_empty(cell.values)) continue;
      ++out_.cell_count;
      TruthKey key = folded(cell.key);
      for (std::uint32_t& part : key.parts) {
        auto [found, is_new] = numbers.try_emplace(part, 0);
        if (is_new) {
          const std::uint32_t number = actual_.find_number(expected_.text_of(part));
          found->second = number != 0 ? number : kForeign + part;
        }
        part = found->second;
      }
      combine(wanted_.at(key), cell.values);
    }
  }

  const std::string& text_of(std::uint32_t part) const {
    return part >= kForeign ? expected_.text_of(part - kForeign) : actual_.text_of(part);
  }

  std::string name_of(const TruthKey& key) const {
    const ViewDeclaration& view = kViews[key.view];
    std::string out(view.name);
    out += " " + format_time({key.bucket_ms});
    for (std::size_t i = 0; i < view.part_count; ++i)
      out += " " + std::string(to_string(view.parts[i])) + "=" + printable(text_of(key.parts[i]));
    return out;
  }

  void compare_values(const TruthKey& key, const MeasureValues& wanted, const MeasureValues& got) {
    if (wanted == got) return;
    std::string sentence = name_of(key) + ":";
    for (std::size_t i = 0; i < kMeasureCount; ++i)
      if (wanted[i] != got[i])
        sentence += " " + std::string(kMeasures[i].name) + " expected " +
                    std::to_string(wanted[i]) + ", is " + std::to_string(got[i]) + ";";
    sentence.pop_back();
    differ(std::move(sentence));
  }

  void compare_cells() {
    for (const TruthCell& cell : actual_.cells().all())
      if (cell.key.width_ms > kViews[cell.key.view].bucket.count())
        wider_.insert({cell.key.view, cell.key.width_ms, cell.key.bucket_ms});
    translate_expected();
    const MeasureValues none{};
    for (const TruthCell& cell : wanted_.all()) {
      const TruthCell* got = actual_.cells().find(cell.key);
      compare_values(cell.key, cell.values, got ? got->values : none);
    }
    for (const TruthCell& cell : actual_.cells().all())
      if (wanted_.find(cell.key) == nullptr) compare_values(cell.key, none, cell.values);
  }

  static constexpr std::uint32_t kForeign = 1u << 31;

  const Truth& expected_;
  const Truth& actual_;
  TruthComparison out_;
  TruthCells wanted_;
  std::set<std::tuple<std::uint32_t, std::int64_t, std::int64_t>> wider_;
};

}  // namespace

TruthCells::TruthCells() : slots_(1024) {}

std::size_t TruthCells::slot_of(const TruthKey& key) const {
  const std::size_t mask = slots_.size() - 1;
  const auto bytes = std::as_bytes(std::span(&key, 1));
  // The key has no padding: 8 + 4 + 4 + 20 bytes, and 4 that the alignment adds are left out.
  constexpr std::size_t kKeySize = 36;
  std::size_t slot = xxh3(bytes.first(kKeySize)) & mask;
  while (slots_[slot] != 0 && !(cells_[slots_[slot] - 1].key == key)) slot = (slot + 1) & mask;
  return slot;
}

MeasureValues& TruthCells::at(const TruthKey& key) {
  std::size_t slot = slot_of(key);
  if (slots_[slot] == 0) {
    if ((cells_.size() + 1) * 2 > slots_.size()) {
      grow();
      slot = slot_of(key);
    }
    cells_.push_back({key, {}});
    slots_[slot] = static_cast<std::uint32_t>(cells_.size());
  }
  return cells_[slots_[slot] - 1].values;
}

const TruthCell* TruthCells::find(const TruthKey& key) const {
  const std::uint32_t number = slots_[slot_of(key)];
  return number == 0 ? nullptr : &cells_[number - 1];
}

void TruthCells::grow() {
  slots_.assign(slots_.size() * 2, 0);
  for (std::size_t i = 0; i < cells_.size(); ++i)
    slots_[slot_of(cells_[i].key)] = static_cast<std::uint32_t>(i + 1);
}

Truth::Truth() { texts_.emplace_back(); }

std::uint32_t Truth::number_of(std::string_view text) {
  if (text.empty()) return 0;
  if (const std::uint32_t number = find_number(text)) return number;
  const std::string& kept = texts_.emplace_back(text);
  const auto number = static_cast<std::uint32_t>(texts_.size() - 1);
  numbers_.emplace(kept, number);
  return number;
}

std::uint32_t Truth::find_number(std::string_view text) const {
  const auto found = numbers_.find(text);
  return found == numbers_.end() ? 0 : found->second;
}

TruthComparison compare(const Truth& expected, const Truth& actual) {
  return Comparer(expected, actual).run();
}

}  // namespace adbrook::ads
