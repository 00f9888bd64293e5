#include "log/append_check.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <utility>

#include "record/batch.h"

namespace adbrook::log {
namespace {

using Refused = std::unexpected<AppendRefusal>;

// What a batch that is written in another codec may become in between.
constexpr Bytes kDecompressedMax = 128_MiB;

Refused refused(AppendRule rule, std::string why) {
  return Refused(AppendRefusal({ErrorKind::invalid, std::move(why)}, rule));
}

Refused unknown_partition(const char* what) {
  return Refused(AppendRefusal(
      {ErrorKind::not_found, std::string(what) + ": there is no such partition; ask for it anew"},
      AppendRule::unknown_partition));
}

std::expected<void, AppendRefusal> check_producer(const record::BatchHeader& header,
                                                  BatchOrigin origin) {
  const auto wrong = [](const char* why) {
    return refused(AppendRule::invalid_record, std::string("record batch: ") + why);
  };
  if (header.control() && origin != BatchOrigin::coordinator)
    return wrong("control batches come from the coordinator only; clear the bit");
  if (header.producer_id < 0) {
    if (header.control() || header.transactional())
      return wrong("it is of a transaction and names no producer; give it the producer's id");
    return {};
  }
  if (header.producer_epoch < 0 || (header.base_sequence < 0 && !header.control()))
    return wrong("it has a producer id but no sequence or epoch; number it");
  return {};
}

// Only what the header says: whoever lets a client's batch in has read its records.
std::expected<void, AppendRefusal> check_times(const record::BatchHeader& header,
                                               const TopicConfig& config, Timestamp now) {
  const auto wrong = [](const std::string& why) {
    return refused(AppendRule::invalid_timestamp, "record batch: " + why);
  };
  if (header.log_append_time()) return wrong("its times claim to be the log's; clear the bit");
  if (config.timestamp_type == TimestampType::log_append_time) return {};
  // Times from outside may be anything, so they are only compared and never counted with.
  const Timestamp first = std::min(header.base_timestamp, header.max_timestamp);
  const Millis after = std::min(config.timestamp_after_max, Timestamp::highest() - now);
  if (config.timestamp_before_max >= Millis(0) && first < now - config.timestamp_before_max)
    return wrong("its time " + std::to_string(first.ms) +
                 " is further back than message.timestamp.before.max.ms allows, " +
                 format_duration(config.timestamp_before_max));
  if (after >= Millis(0) && header.max_timestamp > now + after)
    return wrong("its time " + std::to_string(header.max_timestamp.ms) +
                 " is further ahead than message.timestamp.after.max.ms allows, " +
                 format_duration(config.timestamp_after_max));
  return {};
}

std::expected<record::BatchHeader, AppendRefusal> check_bytes(ByteView bytes, bool is_checked) {
  const auto header = is_checked ? record::read_header(bytes) : record::check_batch(bytes);
  if (!header)
    return refused(header.error().kind == ErrorKind::corrupt ? AppendRule::corrupt_batch
                                                             : AppendRule::invalid_record,
                   header.error().message);
  if (header->size() != bytes.size())
    return refused(AppendRule::invalid_record,
                   "record batch: bytes follow it; send one batch at a time");
  if (header->record_count < 1 || header->last_offset_delta != header->record_count - 1)
    return refused(
        AppendRule::invalid_record,
        "record batch: its last offset delta is not its record count - 1; build it anew");
  return *header;
}

// A client's batch may become another one here, in the codec of its topic.
std::expected<BatchFacts, AppendRefusal> check_batch(BatchToAppend& batch,
                                                     const TopicConfig& config, Timestamp now) {
  const auto header = check_bytes(batch.bytes, batch.is_checked);
  if (!header) return Refused(header.error());
  if (batch.origin == BatchOrigin::client) {
    if (auto fine = check_times(*header, config, now); !fine)
      return Refused(std::move(fine.error()));
    if (config.compression && *config.compression != header->compression()) {
      auto again = record::recompress(batch.bytes, *config.compression, kDecompressedMax);
      if (!again) return refused(AppendRule::invalid_record, again.error().message);
      batch.bytes = std::move(*again);
    }
  }
  // A setting of a topic binds who writes to it from outside; the engine itself must not be stopped
  // by it.
  if (batch.origin == BatchOrigin::client &&
      static_cast<std::int64_t>(batch.bytes.size()) > config.message_bytes_max.count)
    return refused(AppendRule::too_large, "record batch: " + std::to_string(batch.bytes.size()) +
                                              " bytes are more than max.message.bytes, " +
                                              std::to_string(config.message_bytes_max.count) +
                                              "; send smaller batches");
  if (auto fine = check_producer(*header, batch.origin); !fine)
    return Refused(std::move(fine.error()));
  auto facts = batch_facts(batch.bytes, *header);
  if (!facts) return refused(AppendRule::invalid_record, facts.error().message);
  return *facts;
}

// Otherwise one of the two would be judged without the other.
std::expected<void, AppendRefusal> check_one_each(const QueuedAppend& append, const Append& what) {
  std::set<std::pair<PartitionId, std::int64_t>> seen;
  for (std::size_t i = 0; i < append.facts.size(); ++i) {
    const std::int64_t producer = append.facts[i].producer.id;
    if (producer >= 0 && !seen.emplace(what.batches[i].partition, producer).second)
      return refused(AppendRule::invalid_record,
                     "append: two batches of producer " + std::to_string(producer) +
                         " for one partition; append them one after the other");
  }
  return {};
}

Refused text_too_long(const char* what) {
  return refused(AppendRule::none, std::string(what) + " has more than " +
                                       std::to_string(kWalTextSizeMax) +
                                       " bytes; use a shorter one");
}

std::expected<void, AppendRefusal> check_offsets(const Append& what, const LogState& state,
                                                 WalAppend& entry) {
  for (const OffsetCommit& offset : what.offsets) {
    if (state.partition(offset.partition) == nullptr) return unknown_partition("offset commit");
    if (offset.group.size() > kWalTextSizeMax) return text_too_long("offset commit: the group");
    if (offset.metadata.size() > kWalTextSizeMax)
      return text_too_long("offset commit: its metadata");
    entry.offsets.push_back({.group = offset.group, .metadata = offset.metadata});
  }
  for (const OffsetDeletion& deletion : what.deletions) {
    if (deletion.group.size() > kWalTextSizeMax) return text_too_long("offset deletion: the group");
    entry.deletions.push_back({.group = deletion.group});
  }
  return {};
}

}  // namespace

std::expected<QueuedAppend, AppendRefusal> check_append(Append what, const LogState& state,
                                                        std::size_t entry_size_max, Timestamp now) {
  QueuedAppend append;
  WalAppend entry;
  std::int64_t offset_count = 0;
  for (BatchToAppend& batch : what.batches) {
    const auto to = state.destination(batch.partition);
    if (!to) return unknown_partition("append");
    auto facts = check_batch(batch, *to->config, now);
    if (!facts) {
      facts.error().message = to->partition->directory() + ": " + facts.error().message;
      return Refused(std::move(facts.error()));
    }
    offset_count += facts->offset_count;
    append.facts.push_back(*facts);
    entry.batches.push_back({.bytes = batch.bytes});
  }
  if (auto done = check_one_each(append, what); !done) return Refused(std::move(done.error()));
  if (auto done = check_offsets(what, state, entry); !done) return Refused(std::move(done.error()));
  append.entry_size = wal_entry_size(entry);
  if (append.entry_size > entry_size_max)
    return refused(AppendRule::too_large,
                   "append: " + std::to_string(append.entry_size) + " bytes are more than the " +
                       std::to_string(entry_size_max) +
                       " that wal.file.bytes and append.queue.bytes allow; append less at once");
  if (offset_count > std::numeric_limits<std::int32_t>::max())
    return refused(AppendRule::too_large,
                   "append: it counts more than 2147483647 records; append less at once");
  append.what = std::move(what);
  return append;
}

}  // namespace adbrook::log
