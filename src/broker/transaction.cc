#include "broker/transaction.h"

#include <algorithm>

#include "base/assert.h"

namespace adbrook::broker {

using State = TransactionState;

std::string_view to_string(TransactionState state) {
  switch (state) {
    case State::empty: return "Empty";
    case State::ongoing: return "Ongoing";
    case State::prepare_commit: return "PrepareCommit";
    case State::prepare_abort: return "PrepareAbort";
    case State::complete_commit: return "CompleteCommit";
    case State::complete_abort: return "CompleteAbort";
  }
  return "Empty";
}

Transaction::Transaction(std::string id, TransactionSnapshot kept, Nanos now)
    : id_(std::move(id)), kept_(std::move(kept)) {
  // Down time does not count: its producer gets the whole timeout again.
  if (kept_.state == State::ongoing) deadline_ = now + kept_.timeout;
}

void Transaction::answer(Done done, ErrorCode error) {
  answers_.emplace_back([done = std::move(done), error]() mutable { done(error); });
}

void Transaction::answer(InitDone done, ErrorCode error, ProducerIdentity identity) {
  answers_.emplace_back(
      [done = std::move(done), error, identity]() mutable { done(error, identity); });
}

void Transaction::want_write(Timestamp now, Waiting waiting) {
  kept_.last_used = now;
  write_wanted_ = true;
  waiting_.push_back(std::move(waiting));
}

// Who bumps an epoch by itself names what it has: the current one, or the one before when the
// answer to its last request was lost.
ErrorCode Transaction::check_expected(ProducerIdentity expected) const {
  if (expected.id < 0 || kept_.producer.id < 0) return ErrorCode::none;
  if (expected == kept_.producer || expected == kept_.previous) return ErrorCode::none;
  return ErrorCode::producer_fenced;
}

void Transaction::init(const InitRequest& request, std::int64_t fresh_id, Timestamp now,
                       InitDone done) {
  if (ends()) return answer(std::move(done), ErrorCode::concurrent_transactions);
  if (const ErrorCode error = check_expected(request.expected); error != ErrorCode::none)
    return answer(std::move(done), error);
  if (kept_.state != State::ongoing) return next_epoch(request, fresh_id, now, std::move(done));
  waiting_init_ = WaitingInit{request, fresh_id, std::move(done)};
  waiting_init_->request.expected = {};  // checked; the abort changes the epoch
  fence_and_abort(now);
}

void Transaction::next_epoch(const InitRequest& request, std::int64_t fresh_id, Timestamp now,
                             InitDone done) {
  const ProducerIdentity before = kept_.producer;
  const bool repeated = request.expected.id >= 0 && before.id >= 0 && request.expected != before;
  if (repeated) {
    answer(std::move(done), ErrorCode::none, before);
    return;
  }
  if (needs_fresh_id()) {
    ADBROOK_ASSERT(fresh_id >= 0, "the coordinator looked at needs_fresh_id() first");
    kept_.producer = {fresh_id, 0};
  } else {
    ++kept_.producer.epoch;
  }
  kept_.previous = request.expected.id >= 0 ? before : ProducerIdentity{};
  kept_.timeout = request.timeout;
  kept_.state = State::empty;
  kept_.partitions.clear();
  kept_.offsets.clear();
  want_write(now, {.init = std::move(done), .identity = kept_.producer});
}

ErrorCode Transaction::check_identity(ProducerIdentity who) const {
  if (kept_.producer.id < 0 || who.id != kept_.producer.id)
    return ErrorCode::invalid_producer_id_mapping;
  return who.epoch == kept_.producer.epoch ? ErrorCode::none : ErrorCode::producer_fenced;
}

void Transaction::begin(Timestamp now, Nanos at) {
  if (kept_.state == State::ongoing) return;
  kept_.state = State::ongoing;
  kept_.started = now;
  deadline_ = at + kept_.timeout;
}

void Transaction::add_partitions(ProducerIdentity who,
                                 const std::vector<TopicPartition>& partitions, Timestamp now,
                                 Nanos at, Done done) {
  ErrorCode error = check_identity(who);
  if (error == ErrorCode::none && ends()) error = ErrorCode::concurrent_transactions;
  if (error == ErrorCode::none && kept_.partitions.size() + partitions.size() > kPartitionsMax)
    error = ErrorCode::policy_violation;
  if (error != ErrorCode::none) return answer(std::move(done), error);
  const auto known = [&](const TopicPartition& p) { return kept_.partitions.contains(p); };
  const bool repeated =
      kept_.state == State::ongoing && durable() && std::ranges::all_of(partitions, known);
  if (repeated) return answer(std::move(done), ErrorCode::none);
  begin(now, at);
  kept_.partitions.insert(partitions.begin(), partitions.end());
  want_write(now, {.done = std::move(done)});
}

void Transaction::add_group(ProducerIdentity who, const std::string& group, Timestamp now, Nanos at,
                            Done done) {
  ErrorCode error = check_identity(who);
  if (error == ErrorCode::none && ends()) error = ErrorCode::concurrent_transactions;
  if (error != ErrorCode::none) return answer(std::move(done), error);
  begin(now, at);
  kept_.offsets.try_emplace(group);
  want_write(now, {.done = std::move(done)});
}

void Transaction::add_offsets(ProducerIdentity who, const std::string& group,
                              const std::vector<std::pair<TopicPartition, PendingOffset>>& offsets,
                              Timestamp now, Done done) {
  ErrorCode error = check_identity(who);
  if (error == ErrorCode::none && ends()) error = ErrorCode::concurrent_transactions;
  const auto announced = kept_.offsets.find(group);
  if (error == ErrorCode::none &&
      (kept_.state != State::ongoing || announced == kept_.offsets.end()))
    error = ErrorCode::invalid_txn_state;
  if (error == ErrorCode::none && announced->second.size() + offsets.size() > kOffsetsMax)
    error = ErrorCode::policy_violation;
  if (error != ErrorCode::none) return answer(std::move(done), error);
  for (const auto& [partition, offset] : offsets) announced->second[partition] = offset;
  want_write(now, {.done = std::move(done)});
}

void Transaction::end(ProducerIdentity who, Ending ending, Timestamp now, Done done) {
  const auto refuse = [&](ErrorCode error) { answer(std::move(done), error); };
  if (const ErrorCode error = check_identity(who); error != ErrorCode::none) return refuse(error);
  const bool commits = ending == Ending::commit;
  switch (kept_.state) {
    case State::ongoing: break;
    case State::empty: return refuse(ErrorCode::invalid_txn_state);
    case State::complete_commit:
      return refuse(commits ? ErrorCode::none : ErrorCode::invalid_txn_state);
    case State::complete_abort:
      return refuse(commits ? ErrorCode::invalid_txn_state : ErrorCode::none);
    case State::prepare_commit:
      return refuse(commits ? ErrorCode::concurrent_transactions : ErrorCode::invalid_txn_state);
    case State::prepare_abort:
      return refuse(commits ? ErrorCode::invalid_txn_state : ErrorCode::concurrent_transactions);
  }
  kept_.state = commits ? State::prepare_commit : State::prepare_abort;
  deadline_.reset();
  ending_wanted_ = ending;
  want_write(now, {.done = std::move(done)});
}

// The markers carry the new epoch, so the logs of all partitions refuse the old producer as well.
void Transaction::fence_and_abort(Timestamp now) {
  if (kept_.producer.epoch < INT16_MAX) ++kept_.producer.epoch;
  kept_.previous = {};
  kept_.state = State::prepare_abort;
  fencing_ = true;
  deadline_.reset();
  ending_wanted_ = Ending::abort;
  want_write(now, {});
}

ErrorCode Transaction::check_write(ProducerIdentity who, const TopicPartition& partition) const {
  if (kept_.producer.id < 0 || who.id != kept_.producer.id)
    return ErrorCode::invalid_producer_id_mapping;
  if (who.epoch != kept_.producer.epoch) return ErrorCode::invalid_producer_epoch;
  const bool open = kept_.state == State::ongoing && kept_.partitions.contains(partition);
  return open ? ErrorCode::none : ErrorCode::invalid_txn_state;
}

bool Transaction::has_pending_offset(const std::string& group,
                                     const TopicPartition& partition) const {
  const auto found = kept_.offsets.find(group);
  return found != kept_.offsets.end() && found->second.contains(partition);
}

void Transaction::tick(Nanos at, Timestamp now) {
  if (deadline_ && *deadline_ <= at) fence_and_abort(now);
}

std::optional<Transaction::Write> Transaction::take_write() {
  if (!std::exchange(write_wanted_, false)) return std::nullopt;
  Write write{.token = next_token_++, .snapshot = kept_};
  const auto ending = std::exchange(ending_wanted_, std::nullopt);
  if (ending) {
    write.end = Write::End{*ending, kept_.producer, kept_.partitions, kept_.offsets};
    write.snapshot.state =
        *ending == Ending::commit ? State::complete_commit : State::complete_abort;
    write.snapshot.partitions.clear();
    write.snapshot.offsets.clear();
  }
  in_flight_.push_back({write.token, ending, std::exchange(waiting_, {})});
  return write;
}

void Transaction::written(std::int64_t token, ErrorCode error, Timestamp now, Nanos at) {
  ADBROOK_ASSERT(!in_flight_.empty() && in_flight_.front().token == token,
                 "writes are answered in their order");
  InFlight write = std::move(in_flight_.front());
  in_flight_.erase(in_flight_.begin());
  change_lost_ = error != ErrorCode::none;
  if (write.ending && error == ErrorCode::none) finish(*write.ending, now);
  if (write.ending && error != ErrorCode::none) reopen(at);
  for (Waiting& waiting : write.waiting) {
    if (waiting.done) answer(std::move(waiting.done), error);
    if (waiting.init) answer(std::move(waiting.init), error, waiting.identity);
  }
  if (!write.ending || !waiting_init_) return;
  WaitingInit next = std::move(*std::exchange(waiting_init_, std::nullopt));
  if (error != ErrorCode::none) return answer(std::move(next.done), error);
  // The abort may have taken the last epoch; then its producer asks again, with a fresh id.
  if (needs_fresh_id() && next.fresh_id < 0)
    return answer(std::move(next.done), ErrorCode::concurrent_transactions);
  next_epoch(next.request, next.fresh_id, now, std::move(next.done));
}

void Transaction::finish(Ending ending, Timestamp now) {
  kept_.state = ending == Ending::commit ? State::complete_commit : State::complete_abort;
  kept_.partitions.clear();
  kept_.offsets.clear();
  kept_.last_used = now;
  fencing_ = false;
}

// Nothing of the end was kept: the transaction is open as before. A producer that was fenced stays
// fenced, and the abort is tried again soon.
void Transaction::reopen(Nanos at) {
  constexpr Millis kTryAgain{1'000};
  kept_.state = State::ongoing;
  deadline_ = at + (fencing_ ? kTryAgain : kept_.timeout);
}

bool Transaction::idle() const {
  return kept_.state != State::ongoing && !ends() && !write_wanted_ && in_flight_.empty();
}

}  // namespace adbrook::broker
