#include "stream/watermark.h"

#include <algorithm>

namespace adbrook::stream {

// One wrong clock may name any time; two events with different ids that agree are believed.
void InputTime::observe_newer(Uuid id, Timestamp time) {
  if (!confirmed_ || time <= *confirmed_ + options_.skew_cap) {
    confirmed_ = time;
    return;
  }
  if (!candidate_ || candidate_->id == id) {
    candidate_ = {id, time};
    return;
  }
  confirmed_ = std::min(candidate_->time, time);
  candidate_.reset();
}

// Kept apart from the confirmed time: an advance says nothing about the events to come.
void InputTime::advance(Timestamp watermark) {
  advanced_ = advanced_ ? std::max(*advanced_, watermark) : watermark;
}

std::optional<Timestamp> InputTime::watermark() const {
  if (!confirmed_) return advanced_;
  const Timestamp own = *confirmed_ - options_.disorder;
  return advanced_ ? std::max(own, *advanced_) : own;
}

// An input that begins late must not make accepted what was refused before.
Timestamp task_watermark(std::span<const std::optional<Timestamp>> inputs, Timestamp previous) {
  std::optional<Timestamp> least;
  for (const auto& input : inputs)
    if (input) least = least ? std::min(*least, *input) : *input;
  return least ? std::max(*least, previous) : previous;
}

namespace {

// A flag byte, then the time and, for the candidate, the id.
void save_time(Buffer& to, const std::optional<Timestamp>& time) {
  append_le<std::uint8_t>(to, time.has_value());
  append_le<std::int64_t>(to, time ? time->ms : 0);
}

std::optional<Timestamp> load_time(const std::byte* from) {
  if (from[0] == std::byte{0}) return std::nullopt;
  return Timestamp{load_le<std::int64_t>(from + 1)};
}

constexpr std::size_t kTimeSize = 9;
constexpr std::size_t kSavedSize = 3 * kTimeSize + 16;

}  // namespace

void InputTime::save(Buffer& to) const {
  save_time(to, confirmed_);
  save_time(to, advanced_);
  save_time(to, candidate_ ? std::optional(candidate_->time) : std::nullopt);
  append_le<std::uint64_t>(to, candidate_ ? candidate_->id.high : 0);
  append_le<std::uint64_t>(to, candidate_ ? candidate_->id.low : 0);
}

Result<void> InputTime::load(ByteView& from) {
  if (from.size() < kSavedSize)
    return fail(ErrorKind::corrupt, "saved input time is cut off; use an older checkpoint");
  confirmed_ = load_time(from.data());
  advanced_ = load_time(from.data() + kTimeSize);
  candidate_.reset();
  if (const auto time = load_time(from.data() + 2 * kTimeSize))
    candidate_ = {{load_le<std::uint64_t>(from.data() + 3 * kTimeSize),
                   load_le<std::uint64_t>(from.data() + 3 * kTimeSize + 8)},
                  *time};
  from = from.subspan(kSavedSize);
  return {};
}

}  // namespace adbrook::stream
