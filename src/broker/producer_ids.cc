#include "broker/producer_ids.h"

#include "broker/state_record.h"

namespace adbrook::broker {

void ProducerIds::take(Done done) {
  std::int64_t id = -1;
  {
    const std::lock_guard lock(mutex_);
    if (next_ < end_) {
      id = next_++;
    } else if (waiting_.size() < kWaitingMax) {
      waiting_.push_back(std::move(done));
      return take_block_locked();
    }
  }
  done(id < 0 ? ErrorCode::coordinator_not_available : ErrorCode::none, id);
}

void ProducerIds::take_block_locked() {
  if (std::exchange(taking_, true)) return;
  const std::int64_t end = end_ + kBlockSize;
  log::Append what;
  what.batches.push_back(
      topic_.batch({{encode_key(StateKind::producer_ids, ""), encode_producer_ids(end)}}));
  log_.append(std::move(what), [weak = weak_from_this(), end](const log::AppendResult& result) {
    if (const auto self = weak.lock()) self->taken(end, coordinator_code(result));
  });
}

void ProducerIds::taken(std::int64_t end, ErrorCode error) {
  std::vector<std::pair<Done, std::int64_t>> served;
  {
    const std::lock_guard lock(mutex_);
    taking_ = false;
    if (error == ErrorCode::none) {
      next_ = end - kBlockSize;
      end_ = end;
    }
    std::vector<Done> left;
    for (Done& done : waiting_) {
      if (error == ErrorCode::none && next_ == end_)
        left.push_back(std::move(done));
      else
        served.emplace_back(std::move(done), error == ErrorCode::none ? next_++ : -1);
    }
    waiting_ = std::move(left);
    if (!waiting_.empty()) take_block_locked();
  }
  for (auto& [done, id] : served) done(error, id);
}

}  // namespace adbrook::broker
