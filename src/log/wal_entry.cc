#include "log/wal_entry.h"

#include <string>

#include "base/assert.h"
#include "base/hash.h"
#include "log/byte_reader.h"

namespace adbrook::log {
namespace {

// Kind 1 was written before commits had more than an offset; it is still read.
constexpr std::uint32_t kKindPlainAppend = 1;
constexpr std::uint32_t kKindAppend = 2;
constexpr std::size_t kEntryCrcAt = 4;
constexpr std::size_t kSequenceAt = 8;
constexpr std::size_t kSyncedAt = 16;
// Sizes of the parts without their bytes, so that a count can be held against what is left.
constexpr std::size_t kPayloadHeadSize = 16;
constexpr std::size_t kBatchHeadSize = 28;
constexpr std::size_t kOffsetHeadSize = 32;
constexpr std::size_t kPlainOffsetHeadSize = 18;
constexpr std::size_t kDeletionHeadSize = 10;

// The file number makes what a recycled file held before invalid without writing over it.
// Of the file number and the size; everything behind the checksum follows.
std::uint32_t entry_crc_begin(std::uint32_t payload_size, std::uint64_t file_number) {
  std::byte front[12];
  store_le(front, file_number);
  store_le(front + 8, payload_size);
  return crc32c(front);
}

void append_key(Buffer& to, PartitionKey key) {
  append_le(to, key.topic);
  append_le(to, key.number);
}

PartitionKey read_key(ByteReader& reader) {
  const auto topic = reader.number<std::uint32_t>();
  return {topic, reader.number<std::int32_t>()};
}

WalOffset read_offset(ByteReader& reader) {
  WalOffset offset{.partition = read_key(reader)};
  offset.offset.value = reader.number<std::int64_t>();
  offset.leader_epoch = reader.number<std::int32_t>();
  offset.commit_time.ms = reader.number<std::int64_t>();
  offset.group = reader.text();
  offset.metadata = reader.text();
  return offset;
}

WalOffset read_plain_offset(ByteReader& reader) {
  WalOffset offset{.partition = read_key(reader)};
  offset.offset.value = reader.number<std::int64_t>();
  offset.group = reader.text();
  return offset;
}

std::unexpected<Error> bad_payload(const char* why) {
  return fail(ErrorKind::corrupt, std::string("write-ahead entry: ") + why +
                                      "; use the version of Adbrook that wrote it, or a backup");
}

}  // namespace

std::size_t wal_entry_size(const WalAppend& what) {
  std::size_t size = kWalEntryHeaderSize + kPayloadHeadSize;
  for (const WalBatch& batch : what.batches) size += kBatchHeadSize + batch.bytes.size();
  for (const WalOffset& offset : what.offsets)
    size += kOffsetHeadSize + offset.group.size() + offset.metadata.size();
  for (const WalDeletion& deletion : what.deletions)
    size += kDeletionHeadSize + deletion.group.size();
  return size;
}

void encode_wal_entry(GatheredBytes& gathered, const WalEntryPlace& place, const WalAppend& what) {
  const GatheredBytes::Mark begin = gathered.end();
  const std::size_t size_before = gathered.size();
  const std::size_t size = wal_entry_size(what);
  const auto payload_size = static_cast<std::uint32_t>(size - kWalEntryHeaderSize);
  Buffer& to = gathered.own();
  append_le(to, payload_size);
  append_le(to, std::uint32_t{0});  // the checksum, below
  append_le(to, place.sequence);
  append_le(to, place.synced);
  append_le(to, kKindAppend);
  append_le(to, static_cast<std::uint32_t>(what.batches.size()));
  append_le(to, static_cast<std::uint32_t>(what.offsets.size()));
  append_le(to, static_cast<std::uint32_t>(what.deletions.size()));
  for (const WalBatch& batch : what.batches) {
    append_key(to, batch.partition);
    append_le(to, batch.base.value);
    append_le(to, batch.append_time.ms);
    append_le(to, static_cast<std::uint32_t>(batch.bytes.size()));
    gathered.add(batch.bytes);
  }
  for (const WalOffset& offset : what.offsets) {
    append_key(to, offset.partition);
    append_le(to, offset.offset.value);
    append_le(to, offset.leader_epoch);
    append_le(to, offset.commit_time.ms);
    append_text(to, offset.group);
    append_text(to, offset.metadata);
  }
  for (const WalDeletion& deletion : what.deletions) {
    append_key(to, deletion.partition);
    append_text(to, deletion.group);
  }
  ADBROOK_ASSERT(gathered.size() - size_before == size,
                 "an entry has the size it was given room for");
  const auto crc =
      gathered.checksum_from(begin, kSequenceAt, entry_crc_begin(payload_size, place.file_number));
  store_le(to.data() + begin.own + kEntryCrcAt, crc);
}

std::size_t claimed_wal_entry_size(ByteView bytes) {
  if (bytes.size() < kWalEntryHeaderSize) return 0;
  const auto payload_size = load_le<std::uint32_t>(bytes.data());
  return payload_size == 0 ? 0 : kWalEntryHeaderSize + payload_size;
}

Result<WalEntry> read_wal_entry(ByteView bytes, std::uint64_t file_number) {
  const std::size_t size = claimed_wal_entry_size(bytes);
  if (size == 0 || size > bytes.size()) return bad_payload("it is cut off");
  const ByteView entry = bytes.first(size);
  const auto crc = crc32c(entry.subspan(kSequenceAt),
                          entry_crc_begin(load_le<std::uint32_t>(entry.data()), file_number));
  if (load_le<std::uint32_t>(entry.data() + kEntryCrcAt) != crc)
    return bad_payload("its checksum does not hold");
  return WalEntry{.sequence = load_le<std::uint64_t>(entry.data() + kSequenceAt),
                  .synced = load_le<std::uint64_t>(entry.data() + kSyncedAt),
                  .payload = entry.subspan(kWalEntryHeaderSize)};
}

Result<WalAppend> parse_wal_append(ByteView payload) {
  ByteReader reader(payload);
  const auto kind = reader.number<std::uint32_t>();
  if (kind != kKindAppend && kind != kKindPlainAppend) return bad_payload("its kind is not known");
  const bool plain = kind == kKindPlainAppend;
  WalAppend what;
  const auto batch_count = reader.number<std::uint32_t>();
  const auto offset_count = reader.number<std::uint32_t>();
  const auto deletion_count = plain ? 0 : reader.number<std::uint32_t>();
  if (batch_count > reader.left() / kBatchHeadSize ||
      offset_count > reader.left() / (plain ? kPlainOffsetHeadSize : kOffsetHeadSize) ||
      deletion_count > reader.left() / kDeletionHeadSize)
    return bad_payload("it counts more than it can hold");
  what.batches.reserve(batch_count);
  for (std::uint32_t i = 0; i < batch_count; ++i) {
    WalBatch& batch = what.batches.emplace_back();
    batch.partition = read_key(reader);
    batch.base.value = reader.number<std::int64_t>();
    batch.append_time.ms = reader.number<std::int64_t>();
    batch.bytes = reader.bytes(reader.number<std::uint32_t>());
  }
  what.offsets.reserve(offset_count);
  for (std::uint32_t i = 0; i < offset_count; ++i)
    what.offsets.push_back(plain ? read_plain_offset(reader) : read_offset(reader));
  what.deletions.reserve(deletion_count);
  for (std::uint32_t i = 0; i < deletion_count; ++i) {
    WalDeletion& deletion = what.deletions.emplace_back();
    deletion.partition = read_key(reader);
    deletion.group = reader.text();
  }
  if (!reader.ok() || reader.left() != 0) return bad_payload("its parts do not fill it");
  return what;
}

}  // namespace adbrook::log
