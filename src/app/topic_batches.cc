#include "app/topic_batches.h"

#include <utility>

#include "base/hash.h"

namespace adbrook::app {

Result<TopicPartitions> TopicPartitions::find(const log::Log& log, std::string_view topic) {
  for (const log::TopicDescription& description : log.topics()) {
    if (description.name != topic) continue;
    TopicPartitions found;
    for (std::int32_t number = 0; number < description.partition_count; ++number) {
      const auto id = log.partition(topic, number);
      if (!id) return pass(id.error());
      found.ids_.push_back(*id);
    }
    return found;
  }
  return fail(ErrorKind::not_found, "topic '" + std::string(topic) +
                                        "' does not exist in this data directory; create it first");
}

void TopicBatches::add(Uuid id, Timestamp timestamp, ByteView value) {
  const auto text = id.text();
  const ByteView key = std::as_bytes(std::span(text));
  const auto partition = static_cast<std::size_t>(kafka_partition(key, partitions_.count()));
  record::BatchBuilder& builder = builders_[partition];
  if (!builder.empty() && builder.size() + value.size() > kBatchSizeMax) close(partition);
  builder.add(timestamp, key, value);
  ++count_;
}

void TopicBatches::close(std::size_t partition) {
  closed_.push_back({partitions_[partition], builders_[partition].finish()});
}

std::vector<log::BatchToAppend> TopicBatches::take() {
  for (std::size_t i = 0; i < builders_.size(); ++i)
    if (!builders_[i].empty()) close(i);
  count_ = 0;
  return std::exchange(closed_, {});
}

}  // namespace adbrook::app
