#include "ads/event_search.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "stream/input.h"

namespace adbrook::ads {

std::int32_t partition_of(Uuid id, std::int32_t partition_count) {
  const auto text = id.text();
  return kafka_partition(as_bytes({text.data(), text.size()}), partition_count);
}

// One scan under way; owned by the step that is posted next.
struct EventSearch::Running {
  Scan what;
  std::move_only_function<void(Result<void>)> done;
  std::size_t part_index = 0;
  bool in_part = false;  // `at` and `end` are of the current part
  Offset at;
  Offset end;
};

Result<std::shared_ptr<void>> EventSearch::begin() {
  if (search_count_.fetch_add(1) >= kSearchCountMax) {
    search_count_.fetch_sub(1);
    return fail(ErrorKind::overloaded, "search: " + std::to_string(kSearchCountMax) +
                                           " others are under way, which is as many as run at "
                                           "once; ask again in a moment");
  }
  return std::shared_ptr<void>(static_cast<void*>(this),
                               [this](void*) { search_count_.fetch_sub(1); });
}

void EventSearch::scan(Scan what, std::move_only_function<void(Result<void>)> done) {
  auto running = std::make_shared<Running>(Running{std::move(what), std::move(done)});
  executor_.post([this, running = std::move(running)]() mutable { step(std::move(running)); });
}

void EventSearch::step(std::shared_ptr<Running> running) {
  const auto more = read_some(*running);
  if (!more) return running->done(std::unexpected(more.error()));
  if (!*more) return running->done({});
  executor_.post([this, running = std::move(running)]() mutable { step(std::move(running)); });
}

// At most one fetch; whether there is more to do.
Result<bool> EventSearch::read_some(Running& running) {
  if (running.part_index == running.what.parts.size()) return false;
  const Scan::Part& part = running.what.parts[running.part_index];
  if (!running.in_part) {
    const auto ends = bus_.ends(part.partition);
    if (!ends) return std::unexpected(ends.error());
    running.at = std::max(part.from, ends->start);
    running.end = ends->end;
    running.in_part = true;
  }
  if (running.at >= running.end) {
    running.in_part = false;
    ++running.part_index;
    return true;
  }
  const Offset asked = running.at;
  const auto fetched = bus_.fetch(part.partition, asked, kStepSize);
  if (!fetched) {
    // Retention may have removed what was about to be read.
    const auto ends = bus_.ends(part.partition);
    if (fetched.error().kind != ErrorKind::out_of_range || !ends || ends->start <= running.at)
      return std::unexpected(fetched.error());
    running.at = ends->start;
    return true;
  }
  for (const auto& batch : fetched->batches) {
    const auto go_on =
        read_batch(running, ByteView(fetched->bytes).subspan(batch.index_begin, batch.size),
                   batch.append_time);
    if (!go_on || !*go_on) return go_on;
  }
  // Nothing at all: the end, which only a deletion of the topic can have moved here.
  running.at = fetched->next > asked ? fetched->next : running.end;
  return true;
}

// False when the reader of the scan has enough.
Result<bool> EventSearch::read_batch(Running& running, ByteView bytes, Timestamp append_time) {
  const bus::Partition& partition = running.what.parts[running.part_index].partition;
  const auto header = record::read_header(bytes);
  if (!header) return pass(header.error(), partition.topic);
  const Offset from = running.at;
  running.at = header->last_offset() + 1;
  if (header->control()) return true;
  if (running.what.wants && !running.what.wants(*header, append_time)) return true;
  auto reader = record::BatchReader::open(bytes, stream::kDecompressedSizeMax);
  if (!reader) return pass(reader.error(), partition.topic);
  record::RecordView record;
  for (;;) {
    const auto more = reader->next(record);
    if (!more) return pass(more.error(), partition.topic);
    if (!*more) return true;
    if (record.offset < from) continue;
    if (running.what.each({partition, append_time, record}) == ScanVerdict::stop) return false;
  }
}

Result<std::vector<Scan::Part>> EventSearch::parts_of(std::string_view topic) {
  const auto count = bus_.partition_count(topic);
  if (!count) return std::unexpected(count.error());
  std::vector<Scan::Part> parts;
  for (std::int32_t number = 0; number < *count; ++number)
    parts.push_back({{std::string(topic), number}});
  return parts;
}

Result<Positions> EventSearch::positions(const std::vector<std::string_view>& topics) {
  Positions positions;
  for (const std::string_view topic : topics) {
    const auto parts = parts_of(topic);
    if (!parts) return std::unexpected(parts.error());
    for (const Scan::Part& part : *parts) {
      const auto committed = bus_.committed(group_, part.partition);
      if (!committed) return std::unexpected(committed.error());
      positions[part.partition] = std::max(*committed, Offset{0});
    }
  }
  return positions;
}

std::vector<Scan::Part> EventSearch::waiting_parts(const Positions& processed,
                                                   std::string_view topic) {
  std::vector<Scan::Part> parts;
  for (const auto& [partition, position] : processed)
    if (partition.topic == topic) parts.push_back({partition, position});
  return parts;
}

}  // namespace adbrook::ads
