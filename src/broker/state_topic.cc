#include "broker/state_topic.h"

#include "record/batch.h"

namespace adbrook::broker {
namespace {

constexpr std::size_t kReadSize = 1 << 20;
constexpr Bytes kStateBatchMax = 64_MiB;
// The part that is not compacted, and read whole at the start.
constexpr Bytes kStateSegmentSize = 8_MiB;

log::TopicConfig state_config() {
  return {.segment_bytes = kStateSegmentSize, .given = {{"cleanup.policy", "compact"}}};
}

Result<void> visit_batch(ByteView batch, const StateTopic::Each& each) {
  auto reader = record::BatchReader::open(batch, kStateBatchMax);
  if (!reader) return pass(std::move(reader.error()));
  record::RecordView record;
  for (;;) {
    const auto more = reader->next(record);
    if (!more) return pass(more.error());
    if (!*more) return {};
    if (!record.key) continue;
    if (auto seen = each(*record.key, record.value); !seen) return seen;
  }
}

}  // namespace

Result<StateTopic> StateTopic::open(log::Log& log, io::Clock& clock, std::string_view name) {
  if (auto made = log.create_topic(name, 1, state_config()); !made)
    return pass(std::move(made.error()));
  auto description = log.topic(name);
  if (!description) return pass(std::move(description.error()));
  // One that an earlier version made.
  if (!description->config.given.contains("cleanup.policy")) {
    if (auto done = log.alter_config(name, state_config()); !done)
      return pass(std::move(done.error()));
    description->config = state_config();
  }
  const auto partition = log.partition(name, 0);
  if (!partition) return pass(partition.error());
  return StateTopic(log, clock, std::move(*description), *partition);
}

Result<void> StateTopic::read_all(const Each& each) const {
  const log::Ends ends = log_.ends(partition_);
  for (Offset from = ends.start; from < ends.visible;) {
    const auto read = log_.read(partition_, from, kReadSize);
    if (!read) return pass(read.error(), description_.name);
    if (read->batches.empty()) return {};
    for (const auto& place : read->batches) {
      const ByteView batch = ByteView(read->bytes).subspan(place.index_begin, place.size);
      const auto header = record::read_header(batch);
      if (!header) return pass(header.error(), description_.name);
      if (auto seen = visit_batch(batch, each); !seen)
        return pass(std::move(seen.error()), description_.name);
      from = header->last_offset() + 1;
    }
  }
  return {};
}

log::BatchToAppend StateTopic::batch(const std::vector<StateRecord>& records) const {
  record::BatchBuilder builder;
  for (const StateRecord& record : records) {
    std::optional<ByteView> value;
    if (record.value) value = *record.value;
    builder.add(clock_.now(), ByteView(record.key), value);
  }
  return {partition_, builder.finish()};
}

}  // namespace adbrook::broker
