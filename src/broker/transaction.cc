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

void Transaction::answer(IdentityDone done, ErrorCode error, ProducerIdentity identity) {
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
                       IdentityDone done) {
  if (ends()) return answer(std::move(done), ErrorCode::concurrent_transactions);
  if (const ErrorCode error = check_expected(request.expected); error != ErrorCode::none)
    return answer(std::move(done), error);
  if (kept_.state != State::ongoing) return next_epoch(request, fresh_id, now, std::move(done));
  waiting_init_ = WaitingInit{request, fresh_id, std::move(done)};
  waiting_init_->request.expected = {};  // checked; the abort changes the epoch
  fence_and_abort(Fenced::by_heir, now);
}

void Transaction::next_epoch(const InitRequest& request, std::int64_t fresh_id, Timestamp now,
                             IdentityDone done) {
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
  want_write(now, {.identity_done = std::move(done), .identity = kept_.producer});
}

ErrorCode Transaction::check_identity(ProducerIdentity who) const {
  if (kept_.producer.id < 0 || who.id != kept_.producer.id)
    return ErrorCode::invalid_producer_id_mapping;
  return who.epoch == kept_.producer.epoch ? ErrorCode::none : ErrorCode::producer_fenced;
}

void Transaction::begin(Timestamp now, Nanos at) {
  if (kept_.state == State::ongoing) return;
  kept_.state = State::ongoing;
  kept_.previous = {};
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
                              const Offsets& offsets, Unannounced unannounced, Timestamp now,
                              Nanos at, Done done) {
  ErrorCode error = check_identity(who);
  if (error == ErrorCode::none && ends()) error = ErrorCode::concurrent_transactions;
  const auto announced = kept_.offsets.find(group);
  const bool known = kept_.state == State::ongoing && announced != kept_.offsets.end();
  if (error == ErrorCode::none && !known && unannounced == Unannounced::refused)
    error = ErrorCode::invalid_txn_state;
  const std::size_t count = known ? announced->second.size() : 0;
  if (error == ErrorCode::none && count + offsets.size() > kOffsetsMax)
    error = ErrorCode::policy_violation;
  if (error != ErrorCode::none) return answer(std::move(done), error);
  begin(now, at);
  auto& pending = kept_.offsets[group];
  for (const auto& [partition, offset] : offsets) pending[partition] = offset;
  want_write(now, {.done = std::move(done)});
}

// Asked again after its answer was lost. A commit of what was aborted meanwhile is told that its
// producer is fenced: for the client that is what happened.
ErrorCode Transaction::judge_repeated_end(Ending ending) const {
  const bool commits = ending == Ending::commit;
  switch (kept_.state) {
    case State::complete_commit: return commits ? ErrorCode::none : ErrorCode::invalid_txn_state;
    case State::complete_abort:
      // The epoch that only fences is not for use.
      return commits || kept_.producer.epoch > kProducerEpochMax ? ErrorCode::producer_fenced
                                                                 : ErrorCode::none;
    default: break;
  }
  // The abort that fenced it is still on its way to the disk.
  return fencing_ && !commits ? ErrorCode::concurrent_transactions : ErrorCode::producer_fenced;
}

std::optional<ErrorCode> Transaction::judge_end(const EndRequest& request) const {
  if (request.raises_epoch && request.who.id >= 0 && request.who == kept_.previous)
    return judge_repeated_end(request.ending);
  if (const ErrorCode error = check_identity(request.who); error != ErrorCode::none) return error;
  const bool commits = request.ending == Ending::commit;
  switch (kept_.state) {
    case State::ongoing: return std::nullopt;
    case State::prepare_commit:
      return commits ? ErrorCode::concurrent_transactions : ErrorCode::invalid_txn_state;
    case State::prepare_abort:
      return commits ? ErrorCode::invalid_txn_state : ErrorCode::concurrent_transactions;
    default: break;
  }
  // Nothing is open. Under version 2 the epoch is of a transaction that holds nothing yet; to give
  // it up raises the epoch, so that what is on its way to it is refused.
  if (request.raises_epoch && !commits) return std::nullopt;
  if (request.raises_epoch || kept_.state == State::empty) return ErrorCode::invalid_txn_state;
  const bool same = commits == (kept_.state == State::complete_commit);
  return same ? ErrorCode::none : ErrorCode::invalid_txn_state;
}

Transaction::EndPlan Transaction::plan_end(const EndRequest& request, std::int64_t fresh_id) const {
  EndPlan plan{.ending = request.ending,
               .before = kept_.state,
               .marker = kept_.producer,
               .next = kept_.producer,
               .previous = kept_.previous};
  if (!request.raises_epoch) return plan;
  plan.previous = kept_.producer;
  if (needs_fresh_id()) {
    ADBROOK_ASSERT(fresh_id >= 0, "the coordinator looked at needs_fresh_id() first");
    // The last epoch of all only fences: it is in the markers and is given to nobody.
    plan.marker.epoch = INT16_MAX;
    plan.next = {fresh_id, 0};
  } else {
    ++plan.marker.epoch;
    plan.next = plan.marker;
  }
  return plan;
}

void Transaction::end(const EndRequest& request, std::int64_t fresh_id, Timestamp now,
                      IdentityDone done) {
  if (const auto verdict = judge_end(request)) {
    const bool known = *verdict == ErrorCode::none;
    return answer(std::move(done), *verdict, known ? kept_.producer : ProducerIdentity{});
  }
  end_wanted_ = plan_end(request, fresh_id);
  kept_.state = request.ending == Ending::commit ? State::prepare_commit : State::prepare_abort;
  deadline_.reset();
  want_write(now, {.identity_done = std::move(done), .identity = end_wanted_->next});
}

// The markers carry the new epoch, so the logs of all partitions refuse the old producer as well.
// Whom only time has fenced may learn by asking to abort that it is done, and go on.
void Transaction::fence_and_abort(Fenced fenced, Timestamp now) {
  // One that could not be aborted before is fenced already.
  if (!fencing_) kept_.previous = kept_.producer;
  if (fenced == Fenced::by_heir) kept_.previous = {};
  if (!fencing_ && kept_.producer.epoch < INT16_MAX) ++kept_.producer.epoch;
  end_wanted_ = EndPlan{.ending = Ending::abort,
                        .before = State::ongoing,
                        .marker = kept_.producer,
                        .next = kept_.producer,
                        .previous = kept_.previous};
  kept_.state = State::prepare_abort;
  fencing_ = true;
  deadline_.reset();
  want_write(now, {});
}

ErrorCode Transaction::check_write(ProducerIdentity who, const TopicPartition& partition) const {
  if (kept_.producer.id < 0 || who.id != kept_.producer.id)
    return ErrorCode::invalid_producer_id_mapping;
  if (who.epoch != kept_.producer.epoch) return ErrorCode::invalid_producer_epoch;
  const bool open = kept_.state == State::ongoing && kept_.partitions.contains(partition);
  return open ? ErrorCode::none : ErrorCode::invalid_txn_state;
}

ErrorCode Transaction::join_write(ProducerIdentity who, const TopicPartition& partition,
                                  std::int32_t sequence, Timestamp now, Nanos at) {
  if (kept_.producer.id < 0 || who.id != kept_.producer.id)
    return ErrorCode::invalid_producer_id_mapping;
  if (who.epoch != kept_.producer.epoch) return ErrorCode::invalid_producer_epoch;
  if (ends()) return ErrorCode::concurrent_transactions;
  const bool known = kept_.state == State::ongoing && kept_.partitions.contains(partition);
  if (known && durable()) return ErrorCode::none;
  if (!known && sequence != 0) return ErrorCode::out_of_order_sequence_number;
  if (!known && kept_.partitions.size() >= kPartitionsMax) return ErrorCode::policy_violation;
  begin(now, at);
  kept_.partitions.insert(partition);
  want_write(now, {});
  return ErrorCode::none;
}

bool Transaction::has_pending_offset(const std::string& group,
                                     const TopicPartition& partition) const {
  const auto found = kept_.offsets.find(group);
  return found != kept_.offsets.end() && found->second.contains(partition);
}

void Transaction::tick(Nanos at, Timestamp now) {
  if (deadline_ && *deadline_ <= at) fence_and_abort(Fenced::by_time, now);
}

std::optional<Transaction::Write> Transaction::take_write() {
  if (!std::exchange(write_wanted_, false)) return std::nullopt;
  Write write{.token = next_token_++, .snapshot = kept_};
  const auto plan = std::exchange(end_wanted_, std::nullopt);
  if (plan) {
    write.end = Write::End{plan->ending, plan->marker, kept_.partitions, kept_.offsets};
    take_end(write.snapshot, *plan);
  }
  in_flight_.push_back({write.token, plan, std::exchange(waiting_, {})});
  return write;
}

void Transaction::take_end(TransactionSnapshot& snapshot, const EndPlan& plan) {
  snapshot.producer = plan.next;
  snapshot.previous = plan.previous;
  snapshot.state = plan.ending == Ending::commit ? State::complete_commit : State::complete_abort;
  snapshot.partitions.clear();
  snapshot.offsets.clear();
}

void Transaction::written(std::int64_t token, ErrorCode error, Timestamp now, Nanos at) {
  // The log answers in order; nothing here depends on it.
  const auto answered = std::ranges::find(in_flight_, token, &InFlight::token);
  if (answered == in_flight_.end()) return;
  InFlight write = std::move(*answered);
  in_flight_.erase(answered);
  std::int64_t& last = error == ErrorCode::none ? kept_until_ : lost_;
  last = std::max(last, token);
  if (write.plan && error == ErrorCode::none) finish(*write.plan, now);
  if (write.plan && error != ErrorCode::none) reopen(*write.plan, at);
  for (Waiting& waiting : write.waiting) {
    if (waiting.done) answer(std::move(waiting.done), error);
    if (!waiting.identity_done) continue;
    const bool done = error == ErrorCode::none;
    answer(std::move(waiting.identity_done), error, done ? waiting.identity : ProducerIdentity{});
  }
  if (!write.plan || !waiting_init_) return;
  WaitingInit next = std::move(*std::exchange(waiting_init_, std::nullopt));
  if (error != ErrorCode::none) return answer(std::move(next.done), error);
  // The abort may have taken the last epoch; then its producer asks again, with a fresh id.
  if (needs_fresh_id() && next.fresh_id < 0)
    return answer(std::move(next.done), ErrorCode::concurrent_transactions);
  next_epoch(next.request, next.fresh_id, now, std::move(next.done));
}

void Transaction::finish(const EndPlan& plan, Timestamp now) {
  take_end(kept_, plan);
  kept_.last_used = now;
  fencing_ = false;
}

// Nothing of the end was kept: the transaction is as before. A producer that was fenced stays
// fenced, and the abort is tried again soon.
void Transaction::reopen(const EndPlan& plan, Nanos at) {
  constexpr Millis kTryAgain{1'000};
  kept_.state = plan.before;
  if (plan.before == State::ongoing) deadline_ = at + (fencing_ ? kTryAgain : kept_.timeout);
}

bool Transaction::idle() const {
  return kept_.state != State::ongoing && !ends() && !write_wanted_ && in_flight_.empty();
}

}  // namespace adbrook::broker
