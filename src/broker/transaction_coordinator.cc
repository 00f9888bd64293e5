#include "broker/transaction_coordinator.h"

#include <algorithm>

#include "broker/state_record.h"
#include "record/transaction_marker.h"

namespace adbrook::broker {

Result<void> TransactionCoordinator::restore(const std::string& id, std::optional<ByteView> value) {
  if (!value) {
    restored_.erase(id);
    return {};
  }
  auto transaction = decode_transaction(*value);
  if (!transaction) return pass(std::move(transaction.error()), "transactional id '" + id + "'");
  restored_[id] = std::move(*transaction);
  return {};
}

void TransactionCoordinator::begin() {
  const std::lock_guard lock(mutex_);
  const Nanos now = places_.clock.monotonic();
  for (auto& [id, kept] : restored_) {
    auto entry = std::make_shared<Entry>(Transaction(id, std::move(kept), now));
    arm_locked(entry);
    if (!entry->transaction.snapshot().offsets.empty()) with_offsets_.insert(entry);
    transactions_[id] = std::move(entry);
  }
  restored_.clear();
}

TransactionCoordinator::EntryPtr TransactionCoordinator::find_locked(const std::string& id) const {
  const auto found = transactions_.find(id);
  return found == transactions_.end() ? nullptr : found->second;
}

void TransactionCoordinator::settle_locked(const EntryPtr& entry, Steps& answers) {
  if (auto write = entry->transaction.take_write()) write_locked(entry, std::move(*write));
  for (io::Step& answer : entry->transaction.take_answers()) answers.push_back(std::move(answer));
  if (entry->transaction.snapshot().offsets.empty())
    with_offsets_.erase(entry);
  else
    with_offsets_.insert(entry);
  arm_locked(entry);
}

// Topics that are gone by now need no markers and keep no offsets.
void TransactionCoordinator::add_end(log::Append& what, const Transaction::Write::End& end) const {
  const bool commits = end.ending == Transaction::Ending::commit;
  const record::TransactionMarker marker{
      .producer_id = end.producer.id,
      .producer_epoch = end.producer.epoch,
      .end = commits ? record::TransactionEnd::commit : record::TransactionEnd::abort};
  for (const TopicPartition& place : end.partitions)
    if (const auto partition = places_.log.partition(place.topic, place.partition))
      what.batches.push_back({*partition,
                              record::build_transaction_marker(marker, places_.clock.now()),
                              log::BatchOrigin::coordinator});
  if (!commits) return;
  for (const auto& [group, offsets] : end.offsets)
    for (const auto& [place, pending] : offsets)
      if (const auto partition = places_.log.partition(place.topic, place.partition))
        what.offsets.push_back(
            {group, *partition, Offset{pending.offset}, pending.leader_epoch, pending.metadata});
}

log::BatchToAppend TransactionCoordinator::record_of(const EntryPtr& entry,
                                                     const Transaction::Write& write) const {
  return places_.topic.batch({{encode_key(StateKind::transaction, entry->transaction.id()),
                               encode_transaction(write.snapshot)}});
}

void TransactionCoordinator::write_locked(const EntryPtr& entry, Transaction::Write write) {
  log::Append what;
  if (write.end) add_end(what, *write.end);
  what.batches.push_back(record_of(entry, write));
  places_.log.append(std::move(what), [weak = weak_from_this(), entry,
                                       token = write.token](const log::AppendResult& result) {
    const ErrorCode error = coordinator_code(result);
    // A topic went away between the look and the append: the next attempt does without it.
    const bool try_again = error == ErrorCode::unknown_topic_or_partition;
    if (const auto self = weak.lock())
      self->written(entry, token, try_again ? ErrorCode::coordinator_not_available : error);
  });
}

void TransactionCoordinator::written(const EntryPtr& entry, std::int64_t token, ErrorCode error) {
  Steps answers;
  {
    const std::lock_guard lock(mutex_);
    entry->transaction.written(token, error, places_.clock.now(), places_.clock.monotonic());
    settle_locked(entry, answers);
  }
  run(answers);
}

void TransactionCoordinator::arm_locked(const EntryPtr& entry) {
  const auto next = entry->transaction.next_deadline();
  if (!next || stopped_ || (entry->armed && *entry->armed <= *next)) return;
  entry->armed = next;
  const Nanos left = std::max(*next - places_.clock.monotonic(), Nanos(0));
  places_.executor.post_after(std::chrono::ceil<Millis>(left), [weak = weak_from_this(), entry] {
    if (const auto self = weak.lock()) self->tick(entry);
  });
}

void TransactionCoordinator::tick(const EntryPtr& entry) {
  Steps answers;
  {
    const std::lock_guard lock(mutex_);
    entry->armed.reset();
    if (stopped_) return;
    entry->transaction.tick(places_.clock.monotonic(), places_.clock.now());
    settle_locked(entry, answers);
  }
  run(answers);
}

template <class Step>
void TransactionCoordinator::with_fresh_id(bool needed, IdentityDone done, Step step) {
  if (!needed) return step(*this, std::int64_t{-1}, std::move(done));
  places_.producer_ids.take([weak = weak_from_this(), step = std::move(step),
                             done = std::move(done)](ErrorCode error, std::int64_t id) mutable {
    const auto self = weak.lock();
    if (error != ErrorCode::none || !self)
      return done(self ? error : ErrorCode::coordinator_not_available, {});
    step(*self, id, std::move(done));
  });
}

void TransactionCoordinator::init(const std::string& id, Transaction::InitRequest request,
                                  IdentityDone done) {
  if (id.empty()) return done(ErrorCode::invalid_request, {});
  if (request.timeout <= Millis(0) || request.timeout > options_.transaction_timeout_max)
    return done(ErrorCode::invalid_transaction_timeout, {});
  bool needed = true;
  {
    const std::lock_guard lock(mutex_);
    if (const EntryPtr entry = find_locked(id)) needed = entry->transaction.needs_fresh_id();
  }
  with_fresh_id(
      needed, std::move(done),
      [id, request](TransactionCoordinator& self, std::int64_t fresh_id, IdentityDone answer) {
        self.init_with(id, request, fresh_id, std::move(answer));
      });
}

void TransactionCoordinator::init_with(const std::string& id,
                                       const Transaction::InitRequest& request,
                                       std::int64_t fresh_id, IdentityDone done) {
  Steps answers;
  ErrorCode error = ErrorCode::none;
  {
    const std::lock_guard lock(mutex_);
    EntryPtr entry = find_locked(id);
    if (stopped_ || (!entry && transactions_.size() >= kCountMax)) {
      error = ErrorCode::coordinator_not_available;
    } else {
      if (!entry) {
        entry = std::make_shared<Entry>(Transaction(id, places_.clock.now()));
        transactions_[id] = entry;
      }
      // Another producer may have used up the epochs since the look at needs_fresh_id().
      if (fresh_id < 0 && entry->transaction.needs_fresh_id())
        error = ErrorCode::concurrent_transactions;
      else
        entry->transaction.init(request, fresh_id, places_.clock.now(), std::move(done));
      settle_locked(entry, answers);
    }
  }
  if (error != ErrorCode::none) return done(error, {});
  run(answers);
}

namespace {

void refuse(Transaction::Done& done, ErrorCode error) { done(error); }
void refuse(Transaction::IdentityDone& done, ErrorCode error) { done(error, {}); }

}  // namespace

// `change` takes the callback when it answers by itself, and else gives the code for it.
template <class AnyDone, class Change>
void TransactionCoordinator::with(const std::string& id, AnyDone done, Change change) {
  Steps answers;
  ErrorCode error = ErrorCode::none;
  {
    const std::lock_guard lock(mutex_);
    const EntryPtr entry = find_locked(id);
    if (id.empty())
      error = ErrorCode::invalid_request;
    else if (stopped_)
      error = ErrorCode::coordinator_not_available;
    else if (!entry)
      error = ErrorCode::invalid_producer_id_mapping;
    else
      error = change(entry->transaction, done);
    if (error == ErrorCode::none) settle_locked(entry, answers);
  }
  if (error != ErrorCode::none) return refuse(done, error);
  run(answers);
}

void TransactionCoordinator::add_partitions(const std::string& id, ProducerIdentity who,
                                            const std::vector<TopicPartition>& partitions,
                                            Done done) {
  with(id, std::move(done), [&](Transaction& transaction, Done& answer) {
    transaction.add_partitions(who, partitions, places_.clock.now(), places_.clock.monotonic(),
                               std::move(answer));
    return ErrorCode::none;
  });
}

void TransactionCoordinator::add_group(const std::string& id, ProducerIdentity who,
                                       const std::string& group, Done done) {
  with(id, std::move(done), [&](Transaction& transaction, Done& answer) {
    transaction.add_group(who, group, places_.clock.now(), places_.clock.monotonic(),
                          std::move(answer));
    return ErrorCode::none;
  });
}

void TransactionCoordinator::add_offsets(const std::string& id, ProducerIdentity who,
                                         const std::string& group,
                                         const Transaction::Offsets& offsets,
                                         Transaction::Unannounced unannounced, Done done) {
  with(id, std::move(done), [&](Transaction& transaction, Done& answer) {
    transaction.add_offsets(who, group, offsets, unannounced, places_.clock.now(),
                            places_.clock.monotonic(), std::move(answer));
    return ErrorCode::none;
  });
}

void TransactionCoordinator::end(const std::string& id, const Transaction::EndRequest& request,
                                 IdentityDone done) {
  bool needed = false;
  if (request.raises_epoch) {
    const std::lock_guard lock(mutex_);
    const EntryPtr entry = find_locked(id);
    needed = entry && entry->transaction.needs_fresh_id();
  }
  with_fresh_id(
      needed, std::move(done),
      [id, request](TransactionCoordinator& self, std::int64_t fresh_id, IdentityDone answer) {
        self.end_with(id, request, fresh_id, std::move(answer));
      });
}

void TransactionCoordinator::end_with(const std::string& id, const Transaction::EndRequest& request,
                                      std::int64_t fresh_id, IdentityDone done) {
  with(id, std::move(done), [&](Transaction& transaction, IdentityDone& answer) {
    // Another producer may have used up the epochs since the look at needs_fresh_id().
    if (request.raises_epoch && fresh_id < 0 && transaction.needs_fresh_id())
      return ErrorCode::concurrent_transactions;
    transaction.end(request, fresh_id, places_.clock.now(), std::move(answer));
    return ErrorCode::none;
  });
}

ErrorCode TransactionCoordinator::append(const std::string& id, const Batch& batch,
                                         log::Append what, log::AppendDone done) {
  const std::lock_guard lock(mutex_);
  const EntryPtr entry = find_locked(id);
  if (!entry) return ErrorCode::invalid_producer_id_mapping;
  const bool joins = batch.unannounced == Transaction::Unannounced::joins;
  const ErrorCode error =
      joins ? entry->transaction.join_write(batch.who, batch.place, batch.sequence,
                                            places_.clock.now(), places_.clock.monotonic())
            : entry->transaction.check_write(batch.who, batch.place);
  if (error != ErrorCode::none) return error;
  if (const auto write = entry->transaction.take_write()) {
    what.batches.push_back(record_of(entry, *write));
    done = [weak = weak_from_this(), entry, token = write->token,
            done = std::move(done)](log::AppendResult result) mutable {
      if (const auto self = weak.lock()) self->written(entry, token, coordinator_code(result));
      done(std::move(result));
    };
    arm_locked(entry);
  }
  places_.log.append(std::move(what), std::move(done));
  return ErrorCode::none;
}

ErrorCode TransactionCoordinator::verify(const std::string& id, ProducerIdentity who,
                                         const TopicPartition& place) const {
  const std::lock_guard lock(mutex_);
  const EntryPtr entry = find_locked(id);
  return entry ? entry->transaction.check_write(who, place)
               : ErrorCode::invalid_producer_id_mapping;
}

bool TransactionCoordinator::has_pending_offset(const std::string& group,
                                                const TopicPartition& partition) const {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(with_offsets_, [&](const EntryPtr& entry) {
    return entry->transaction.has_pending_offset(group, partition);
  });
}

std::optional<TransactionSnapshot> TransactionCoordinator::describe(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const EntryPtr entry = find_locked(id);
  if (!entry) return std::nullopt;
  return entry->transaction.snapshot();
}

std::vector<TransactionCoordinator::Listed> TransactionCoordinator::list() const {
  std::vector<Listed> listed;
  const std::lock_guard lock(mutex_);
  for (const auto& [id, entry] : transactions_)
    listed.push_back({id, entry->transaction.snapshot()});
  return listed;
}

void TransactionCoordinator::expire() {
  const std::lock_guard lock(mutex_);
  const Timestamp used_until = places_.clock.now() - options_.transactional_id_expiration;
  log::Append what;
  std::vector<StateRecord> gone;
  std::erase_if(transactions_, [&](const auto& known) {
    const Transaction& transaction = known.second->transaction;
    if (!transaction.idle() || transaction.snapshot().last_used > used_until) return false;
    gone.push_back({encode_key(StateKind::transaction, known.first), std::nullopt});
    return true;
  });
  if (gone.empty()) return;
  what.batches.push_back(places_.topic.batch(gone));
  places_.log.append(std::move(what), [](const log::AppendResult&) {
    // If it was not kept, a restart knows these ids again and forgets them later.
  });
}

void TransactionCoordinator::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
}

}  // namespace adbrook::broker
