#include "stream/memory_bus.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "record/batch.h"

namespace adbrook::stream {

void MemoryBus::create_topic(std::string name, std::int32_t partition_count) {
  const std::lock_guard lock(mutex_);
  auto& logs = topics_[std::move(name)];
  while (logs.size() < static_cast<std::size_t>(partition_count)) logs.emplace_back();
}

Result<MemoryBus::Log*> MemoryBus::find(const bus::Partition& partition) {
  const auto topic = topics_.find(partition.topic);
  if (topic == topics_.end() || partition.number < 0 ||
      static_cast<std::size_t>(partition.number) >= topic->second.size())
    return fail(ErrorKind::not_found, "topic " + partition.topic + " partition " +
                                          std::to_string(partition.number) +
                                          " does not exist; create it");
  return &topic->second[static_cast<std::size_t>(partition.number)];
}

// Readers hear of it in steps of their own, as from a log that writes on another thread.
Offset MemoryBus::append_locked(Log& log, Buffer batch) {
  const auto header = record::read_header(batch);
  ADBROOK_ASSERT(header.has_value(), "only whole batches are appended");
  const Offset base = log.end;
  record::patch_base(batch, base, 0);
  log.end = base + header->last_offset_delta + 1;
  log.batches.push_back({base, log.end, clock_.now(), std::move(batch)});
  for (Waiter& waiter : log.waiters)
    if (waiter.offset < log.end) executor_->post(std::move(waiter.step));
  std::erase_if(log.waiters, [&](const Waiter& waiter) { return waiter.offset < log.end; });
  return base;
}

Offset MemoryBus::append(const bus::Partition& partition, Buffer batch) {
  const std::lock_guard lock(mutex_);
  const auto log = find(partition);
  ADBROOK_ASSERT(log.has_value(), "the topic exists");
  return append_locked(**log, std::move(batch));
}

Result<std::int32_t> MemoryBus::partition_count(std::string_view topic) {
  const std::lock_guard lock(mutex_);
  const auto found = topics_.find(topic);
  if (found == topics_.end())
    return fail(ErrorKind::not_found, "topic " + std::string(topic) + " does not exist; create it");
  return static_cast<std::int32_t>(found->second.size());
}

Result<bus::Fetched> MemoryBus::fetch(const bus::Partition& partition, Offset from,
                                      std::size_t size_max) {
  const std::lock_guard lock(mutex_);
  const auto found = find(partition);
  if (!found) return std::unexpected(found.error());
  const Log& log = **found;
  if (from < log.start || from > log.end)
    return fail(ErrorKind::out_of_range,
                partition.topic + ": offset " + std::to_string(from.value) + " is not kept");
  bus::Fetched fetched{.next = from};
  auto batch = std::ranges::upper_bound(log.batches, from, {}, &Batch::end);
  for (; batch != log.batches.end(); ++batch) {
    if (!fetched.batches.empty() && fetched.bytes.size() + batch->bytes.size() > size_max) break;
    fetched.batches.push_back({fetched.bytes.size(), batch->bytes.size(), batch->append_time});
    adbrook::append(fetched.bytes, batch->bytes);
    fetched.next = batch->end;
  }
  return fetched;
}

Result<bus::Ends> MemoryBus::ends(const bus::Partition& partition) {
  const std::lock_guard lock(mutex_);
  const auto log = find(partition);
  if (!log) return std::unexpected(log.error());
  return bus::Ends{(*log)->start, (*log)->end};
}

Result<Offset> MemoryBus::committed(std::string_view group, const bus::Partition& partition) {
  const std::lock_guard lock(mutex_);
  const auto found = committed_.find({std::string(group), partition});
  return found == committed_.end() ? Offset{-1} : found->second;
}

// Takes two steps, so that a crash can come between being asked and being durable.
void MemoryBus::commit(bus::Commit what, bus::CommitDone done) {
  const std::lock_guard lock(mutex_);
  if (!failures_.empty()) {
    const ErrorKind kind = failures_.front();
    failures_.erase(failures_.begin());
    executor_->post([kind, done = std::move(done)]() mutable {
      done(fail(kind, "commit refused because the test wants it"));
    });
    return;
  }
  std::size_t size = 0;
  for (const bus::Commit::Output& output : what.outputs) size += output.batch.size();
  if (size > kCommitSizeMax) {
    executor_->post([size, done = std::move(done)]() mutable {
      done(fail(ErrorKind::invalid,
                "a commit of " + std::to_string(size) + " bytes is more than a log takes at once"));
    });
    return;
  }
  executor_->post([this, what = std::move(what), done = std::move(done)]() mutable {
    apply(std::move(what), std::move(done));
  });
}

// Visible now; who waits hears of it in a later step, or never when the process dies before.
void MemoryBus::apply(bus::Commit what, bus::CommitDone done) {
  const std::lock_guard lock(mutex_);
  for (bus::Commit::Output& output : what.outputs) {
    const auto log = find(output.partition);
    ADBROOK_ASSERT(log.has_value(), "a commit writes to topics that exist");
    append_locked(**log, std::move(output.batch));
  }
  for (bus::Commit::Position& position : what.positions)
    committed_[{what.group, std::move(position.partition)}] = position.offset;
  ++commit_count_;
  executor_->post([done = std::move(done)]() mutable { done({}); });
}

void MemoryBus::when_readable(const bus::Partition& partition, Offset offset, io::Step step) {
  const std::lock_guard lock(mutex_);
  const auto log = find(partition);
  ADBROOK_ASSERT(log.has_value(), "only topics that exist are read");
  if (offset < (*log)->end)
    executor_->post(std::move(step));
  else
    (*log)->waiters.push_back({offset, std::move(step)});
}

void MemoryBus::hold(std::string_view holder, const bus::Partition& partition, Offset offset) {
  const std::lock_guard lock(mutex_);
  if (const auto log = find(partition)) (*log)->holds.insert_or_assign(std::string(holder), offset);
}

void MemoryBus::fail_next_commits(std::vector<ErrorKind> errors) {
  const std::lock_guard lock(mutex_);
  failures_ = std::move(errors);
}

void MemoryBus::forget_readers() {
  const std::lock_guard lock(mutex_);
  for (auto& [name, logs] : topics_)
    for (Log& log : logs) {
      log.waiters.clear();
      log.holds.clear();
    }
}

// As retention does: whole batches, and never what somebody holds.
void MemoryBus::trim(const bus::Partition& partition, Offset start) {
  const std::lock_guard lock(mutex_);
  const auto found = find(partition);
  if (!found) return;
  Log& log = **found;
  for (const auto& [holder, offset] : log.holds) start = std::min(start, offset);
  std::erase_if(log.batches, [&](const Batch& batch) { return batch.end <= start; });
  log.start = log.batches.empty() ? std::min(start, log.end) : log.batches.front().base;
}

namespace {

std::vector<std::pair<std::string, std::string>> texts_of_headers(const record::RecordView& view) {
  std::vector<std::pair<std::string, std::string>> texts;
  const auto headers = record::read_headers(view);
  ADBROOK_ASSERT(headers.has_value(), "what was appended can be read");
  for (const record::Header& header : *headers)
    texts.emplace_back(header.key, as_text(header.value.value_or(ByteView{})));
  return texts;
}

}  // namespace

std::vector<MemoryRecord> MemoryBus::records(const bus::Partition& partition) {
  const std::lock_guard lock(mutex_);
  std::vector<MemoryRecord> all;
  const auto log = find(partition);
  if (!log) return all;
  for (const Batch& batch : (*log)->batches) {
    auto reader = record::BatchReader::open(batch.bytes, 64_MiB);
    ADBROOK_ASSERT(reader.has_value(), "what was appended can be read");
    record::RecordView view;
    while (reader->next(view).value()) {
      const auto key = view.key ? std::optional(std::string(as_text(*view.key))) : std::nullopt;
      all.push_back({view.offset, view.timestamp, batch.append_time, key,
                     std::string(as_text(view.value.value_or(ByteView{}))), !view.value,
                     texts_of_headers(view)});
    }
  }
  return all;
}

std::uint64_t MemoryBus::commit_count() {
  const std::lock_guard lock(mutex_);
  return commit_count_;
}

}  // namespace adbrook::stream
