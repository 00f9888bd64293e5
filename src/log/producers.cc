#include "log/producers.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

namespace adbrook::log {
namespace {

constexpr std::int32_t kSequenceMost = std::numeric_limits<std::int32_t>::max();

std::unexpected<AppendRefusal> refused(AppendRule rule, const ProducerStamp& stamp,
                                       const std::string& why) {
  return std::unexpected(AppendRefusal(
      {ErrorKind::invalid, "producer " + std::to_string(stamp.id) + ": " + why}, rule));
}

std::string expected_sequence(std::int32_t expected, std::int32_t given) {
  return "its batch begins with sequence " + std::to_string(given) + " and should with " +
         std::to_string(expected) + "; batches before it are missing, send them first";
}

}  // namespace

std::int32_t sequence_after(std::int32_t sequence, std::int32_t count) {
  return sequence > kSequenceMost - count ? count - (kSequenceMost - sequence) - 1
                                          : sequence + count;
}

Producers::Verdict Producers::check(const ProducerStamp& stamp, Timestamp now,
                                    Millis expiration) const {
  const auto found = states_.find(stamp.id);
  // Of a producer that is not known any sequence is taken: what was known may have expired.
  if (found == states_.end()) return std::nullopt;
  const ProducerState& state = found->second;
  const bool open = state.transaction_start >= Offset{0};
  if (!open && state.last_used + expiration < now) return std::nullopt;
  if (stamp.epoch < state.epoch)
    return refused(AppendRule::invalid_producer_epoch, stamp,
                   "its epoch " + std::to_string(stamp.epoch) + " is behind " +
                       std::to_string(state.epoch) + "; another instance took over, stop this one");
  if (stamp.marker) return std::nullopt;
  if (stamp.epoch == state.epoch) {
    for (const ProducerBatch& batch : state.batches)
      if (batch.first_sequence == stamp.first_sequence &&
          batch.last_sequence == stamp.last_sequence) {
        const std::int64_t count =
            std::int64_t{stamp.last_sequence} - stamp.first_sequence +
            (stamp.last_sequence < stamp.first_sequence ? std::int64_t{kSequenceMost} + 1 : 0);
        return AppendedBatch{
            .base = batch.base, .last = batch.base + count, .append_time = batch.append_time};
      }
  }
  if (open && (!stamp.transactional || stamp.epoch != state.epoch))
    return refused(AppendRule::transaction_state, stamp,
                   "its transaction is open here and the batch is not of it; end it first");
  // After a new epoch the first batch is number 0, also when only a marker told of the epoch.
  const bool begins = stamp.epoch > state.epoch || state.batches.empty();
  const std::int32_t expected = begins ? 0 : sequence_after(state.batches.back().last_sequence, 1);
  if (stamp.first_sequence != expected)
    return refused(AppendRule::out_of_order_sequence, stamp,
                   expected_sequence(expected, stamp.first_sequence));
  return std::nullopt;
}

std::optional<AbortedTransaction> Producers::apply(const ProducerStamp& stamp, Offset base,
                                                   Timestamp append_time) {
  ProducerState& state = states_[stamp.id];
  if (state.epoch != stamp.epoch) state.batches.clear();
  state.id = stamp.id;
  state.epoch = stamp.epoch;
  state.last_used = append_time;
  if (stamp.marker) {
    state.coordinator_epoch = stamp.marker->coordinator_epoch;
    const Offset first = std::exchange(state.transaction_start, Offset{-1});
    if (first < Offset{0}) return std::nullopt;
    open_.erase(first);
    if (stamp.marker->end == record::TransactionEnd::commit) return std::nullopt;
    return AbortedTransaction{.producer_id = stamp.id, .first = first, .last = base};
  }
  // A producer that came back after it had expired begins anywhere.
  if (!state.batches.empty() &&
      stamp.first_sequence != sequence_after(state.batches.back().last_sequence, 1))
    state.batches.clear();
  if (state.batches.size() == kBatchCountMax) state.batches.erase(state.batches.begin());
  state.batches.push_back({.first_sequence = stamp.first_sequence,
                           .last_sequence = stamp.last_sequence,
                           .base = base,
                           .append_time = append_time});
  if (stamp.transactional && state.transaction_start < Offset{0}) {
    state.transaction_start = base;
    open_.insert(base);
  }
  return std::nullopt;
}

std::optional<Offset> Producers::first_open() const {
  if (open_.empty()) return std::nullopt;
  return *open_.begin();
}

void Producers::expire(Timestamp before) {
  std::erase_if(states_, [&](const auto& entry) {
    return entry.second.last_used < before && entry.second.transaction_start < Offset{0};
  });
}

void Producers::restore(std::vector<ProducerState> states) {
  for (ProducerState& state : states) {
    if (state.transaction_start >= Offset{0}) open_.insert(state.transaction_start);
    states_[state.id] = std::move(state);
  }
}

std::vector<ProducerState> Producers::describe() const {
  std::vector<ProducerState> all;
  all.reserve(states_.size());
  for (const auto& [id, state] : states_) all.push_back(state);
  std::ranges::sort(all, {}, &ProducerState::id);
  return all;
}

}  // namespace adbrook::log
