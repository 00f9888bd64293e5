#include "stream/outcomes.h"

#include <algorithm>
#include <numeric>

#include "base/hash.h"

namespace adbrook::stream {

std::string_view to_string(Outcome outcome) {
  static constexpr std::array<std::string_view, kOutcomeCount> kNames = {
      "counted", "joined",    "unlinked", "expired", "orphan",
      "late",    "duplicate", "filtered", "rejected"};
  return kNames[static_cast<std::size_t>(outcome)];
}

std::uint16_t OutcomeCounts::add_input() {
  taken_.push_back(0);
  forwarded_.push_back(0);
  pending_.resize(pending_.size() + partition_count_);
  ended_.resize(ended_.size() + partition_count_ * kOutcomeCount);
  return static_cast<std::uint16_t>(taken_.size() - 1);
}

// A linear search: there are a few dozen, and events without trouble have none.
ReasonId OutcomeCounts::reason(std::string_view text) {
  const auto found = std::ranges::find(reasons_, text);
  if (found != reasons_.end()) return {static_cast<std::uint16_t>(found - reasons_.begin())};
  if (reasons_.size() + 1 >= kReasonCountMax && text != "other") return reason("other");
  reasons_.emplace_back(text);
  return {static_cast<std::uint16_t>(reasons_.size() - 1)};
}

std::uint64_t OutcomeCounts::pending_total() const {
  return std::reduce(pending_.begin(), pending_.end(), std::uint64_t{0});
}

std::uint64_t OutcomeCounts::ended_through(std::size_t input) const {
  const auto per_input = static_cast<std::ptrdiff_t>(partition_count_ * kOutcomeCount);
  const auto first = ended_.begin() + static_cast<std::ptrdiff_t>(input) * per_input;
  return std::reduce(first, first + per_input, std::uint64_t{0});
}

// Per input, because each side of the sum is counted by another operator.
Result<void> OutcomeCounts::check(const std::vector<std::string>& input_names) const {
  for (std::size_t input = 0; input < taken_.size(); ++input) {
    const auto first = pending_.begin() + static_cast<std::ptrdiff_t>(input * partition_count_);
    const std::uint64_t waiting =
        std::reduce(first, first + static_cast<std::ptrdiff_t>(partition_count_), std::uint64_t{0});
    const std::uint64_t ended = ended_through(input);
    if (taken_[input] == ended + forwarded_[input] + waiting) continue;
    return fail(ErrorKind::corrupt,
                "outcome counts of input " + input_names[input] + " do not add up: taken " +
                    std::to_string(taken_[input]) + ", but outcomes " + std::to_string(ended) +
                    " + forwarded " + std::to_string(forwarded_[input]) + " + pending " +
                    std::to_string(waiting) + "; the task commits no more, report this");
  }
  return {};
}

// Over the saved form, so that whatever is saved is compared after a replay.
std::uint64_t OutcomeCounts::digest() const {
  Buffer bytes;
  save(bytes);
  return xxh3(bytes);
}

void OutcomeCounts::save(Buffer& to) const {
  append_le<std::uint32_t>(to, static_cast<std::uint32_t>(taken_.size()));
  append_le<std::uint32_t>(to, static_cast<std::uint32_t>(partition_count_));
  for (const auto* counts : {&taken_, &forwarded_, &pending_, &ended_})
    for (const std::uint64_t count : *counts) append_le(to, count);
  append_le<std::uint32_t>(to, static_cast<std::uint32_t>(reasons_.size()));
  for (const std::string& reason : reasons_) {
    append_le<std::uint32_t>(to, static_cast<std::uint32_t>(reason.size()));
    append(to, as_bytes(reason));
  }
  append_le<std::uint32_t>(to, static_cast<std::uint32_t>(by_reason_.size()));
  for (const auto& [key, count] : by_reason_) {
    append_le<std::uint64_t>(to, key.slot);
    append_le<std::uint8_t>(to, static_cast<std::uint8_t>(key.outcome));
    append_le<std::uint16_t>(to, key.reason.value);
    append_le<std::uint64_t>(to, count);
  }
}

namespace {

// Takes values off the front of bytes that may be too short.
class Taker {
 public:
  explicit Taker(ByteView bytes) : rest_(bytes) {}
  template <class T>
  T take() {
    if (rest_.size() < sizeof(T)) {
      ok_ = false;
      return T{};
    }
    const T value = load_le<T>(rest_.data());
    rest_ = rest_.subspan(sizeof(T));
    return value;
  }
  std::string take_text(std::size_t size) {
    if (rest_.size() < size) {
      ok_ = false;
      return {};
    }
    std::string text(as_text(rest_.first(size)));
    rest_ = rest_.subspan(size);
    return text;
  }
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && rest_.empty(); }

 private:
  ByteView rest_;
  bool ok_ = true;
};

}  // namespace

// Drawn in docs/formats/task-changelog.md. Every count is checked before it sizes anything.
Result<void> OutcomeCounts::load(ByteView from) {
  const auto damaged = [] {
    return fail(ErrorKind::corrupt, "saved outcome counts do not fit; use an older checkpoint");
  };
  Taker taker(from);
  if (taker.take<std::uint32_t>() != taken_.size()) return damaged();
  if (taker.take<std::uint32_t>() != partition_count_) return damaged();
  for (auto* counts : {&taken_, &forwarded_, &pending_, &ended_})
    for (std::uint64_t& count : *counts) count = taker.take<std::uint64_t>();
  const auto reason_count = taker.take<std::uint32_t>();
  if (!taker.ok() || reason_count == 0 || reason_count > kReasonCountMax) return damaged();
  // By their texts: operators hold numbers of their own, and other ones came first perhaps.
  std::vector<ReasonId> known;
  for (std::uint32_t i = 0; i < reason_count && taker.ok(); ++i)
    known.push_back(reason(taker.take_text(taker.take<std::uint32_t>())));
  if (!taker.ok()) return damaged();
  by_reason_.clear();
  const auto named_count = taker.take<std::uint32_t>();
  for (std::uint32_t i = 0; i < named_count && taker.ok(); ++i) {
    const auto slot = taker.take<std::uint64_t>();
    const auto outcome = taker.take<std::uint8_t>();
    const auto number = taker.take<std::uint16_t>();
    const auto count = taker.take<std::uint64_t>();
    if (slot >= pending_.size() || outcome >= kOutcomeCount || number >= reason_count)
      return damaged();
    by_reason_[{slot, static_cast<Outcome>(outcome), known[number]}] += count;
  }
  return taker.at_end() ? Result<void>{} : damaged();
}

}  // namespace adbrook::stream
