#include "bus/embedded_bus.h"

#include <algorithm>
#include <utility>

#include "record/batch.h"

namespace adbrook::bus {
namespace {

// A fetch that found nothing for readers so often gives way; the next one goes on behind it.
constexpr int kReadsPerFetch = 16;

bool is_aborted(const record::BatchHeader& header,
                const std::vector<log::AbortedTransaction>& aborted) {
  return header.transactional() &&
         std::ranges::any_of(aborted, [&](const log::AbortedTransaction& transaction) {
           return transaction.producer_id == header.producer_id &&
                  transaction.first <= header.base_offset && header.base_offset <= transaction.last;
         });
}

void take_committed(log::ReadBatches read, Fetched& fetched) {
  fetched.batches.reserve(read.batches.size());
  for (const auto& batch : read.batches) {
    // The log has just held the batch against its checksum.
    const auto header = record::read_header(ByteView(read.bytes).subspan(batch.index_begin));
    if (!header || header->control() || is_aborted(*header, read.aborted)) continue;
    fetched.batches.push_back({batch.index_begin, batch.size, batch.append_time});
  }
  fetched.bytes = std::move(read.bytes);
}

}  // namespace

Result<log::PartitionId> EmbeddedBus::find(const Partition& partition) {
  return log_.partition(partition.topic, partition.number);
}

Result<std::int32_t> EmbeddedBus::partition_count(std::string_view topic) {
  for (const log::TopicDescription& known : log_.topics())
    if (known.name == topic) return known.partition_count;
  return fail(ErrorKind::not_found,
              "there is no topic '" + std::string(topic) + "'; make it first");
}

Result<Fetched> EmbeddedBus::fetch(const Partition& partition, Offset from, std::size_t size_max) {
  const auto id = find(partition);
  if (!id) return pass(id.error());
  Fetched fetched{.next = from};
  for (int reads = 0; reads < kReadsPerFetch; ++reads) {
    auto read = log_.read(*id, fetched.next, size_max, log::Isolation::committed);
    if (!read) return pass(std::move(read.error()));
    const bool at_end = read->next == fetched.next;
    fetched.next = read->next;
    take_committed(std::move(*read), fetched);
    if (at_end || !fetched.batches.empty()) break;
  }
  return fetched;
}

Result<Ends> EmbeddedBus::ends(const Partition& partition) {
  const auto id = find(partition);
  if (!id) return pass(id.error());
  const log::Ends ends = log_.ends(*id);
  return Ends{.start = ends.start, .end = ends.stable};
}

Result<Offset> EmbeddedBus::committed(std::string_view group, const Partition& partition) {
  const auto id = find(partition);
  if (!id) return pass(id.error());
  return log_.committed(group, *id);
}

Result<log::Append> EmbeddedBus::to_append(Commit what) {
  log::Append append;
  append.batches.reserve(what.outputs.size());
  for (Commit::Output& output : what.outputs) {
    const auto id = find(output.partition);
    if (!id) return pass(id.error());
    append.batches.push_back({*id, std::move(output.batch)});
  }
  append.offsets.reserve(what.positions.size());
  for (const Commit::Position& position : what.positions) {
    const auto id = find(position.partition);
    if (!id) return pass(id.error());
    append.offsets.push_back({what.group, *id, position.offset});
  }
  return append;
}

void EmbeddedBus::commit(Commit what, CommitDone done) {
  auto append = to_append(std::move(what));
  if (!append) {
    executor_.post([done = std::move(done), error = std::move(append.error())]() mutable {
      done(std::unexpected(std::move(error)));
    });
    return;
  }
  log_.append(std::move(*append),
              [done = std::move(done)](Result<std::vector<log::AppendedBatch>> result) mutable {
                if (!result) return done(pass(std::move(result.error())));
                done({});
              });
}

void EmbeddedBus::when_readable(const Partition& partition, Offset offset, io::Step step) {
  const auto id = find(partition);
  if (!id) return executor_.post(std::move(step));
  log_.when_stable(*id, offset, std::move(step));
}

void EmbeddedBus::hold(std::string_view holder, const Partition& partition, Offset offset) {
  // A topic that is gone holds nothing.
  if (const auto id = find(partition)) log_.hold(holder, *id, offset);
}

}  // namespace adbrook::bus
