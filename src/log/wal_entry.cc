#include "log/wal_entry.h"

#include <string>

#include "base/assert.h"
#include "base/hash.h"
#include "log/byte_reader.h"

namespace adbrook::log {
namespace {

constexpr std::uint32_t kKindAppend = 1;
constexpr std::size_t kCrcAt = 4;
constexpr std::size_t kSequenceAt = 8;
constexpr std::size_t kSyncedAt = 16;
// Sizes of the parts without their bytes, so that a count can be held against what is left.
constexpr std::size_t kPayloadHeadSize = 12;
constexpr std::size_t kBatchHeadSize = 28;
constexpr std::size_t kOffsetHeadSize = 18;

// The file number makes what a recycled file held before invalid without writing over it.
// Over the file number, the size and everything behind the checksum.
std::uint32_t entry_crc(ByteView entry, std::uint64_t file_number) {
  std::byte front[12];
  store_le(front, file_number);
  store_le(front + 8, load_le<std::uint32_t>(entry.data()));
  return crc32c(entry.subspan(kSequenceAt), crc32c(front));
}

void append_key(Buffer& to, PartitionKey key) {
  append_le(to, key.topic);
  append_le(to, key.number);
}

PartitionKey read_key(ByteReader& reader) {
  const auto topic = reader.number<std::uint32_t>();
  return {topic, reader.number<std::int32_t>()};
}

std::unexpected<Error> bad_payload(const char* why) {
  return fail(ErrorKind::corrupt, std::string("write-ahead entry: ") + why +
                                      "; use the version of Adbrook that wrote it, or a backup");
}

}  // namespace

std::size_t wal_entry_size(const WalAppend& what) {
  std::size_t size = kWalEntryHeaderSize + kPayloadHeadSize;
  for (const WalBatch& batch : what.batches) size += kBatchHeadSize + batch.bytes.size();
  for (const WalOffset& offset : what.offsets) size += kOffsetHeadSize + offset.group.size();
  return size;
}

void encode_wal_entry(Buffer& to, const WalEntryPlace& place, const WalAppend& what) {
  const std::size_t begin = to.size();
  const std::size_t size = wal_entry_size(what);
  append_le(to, static_cast<std::uint32_t>(size - kWalEntryHeaderSize));
  append_le(to, std::uint32_t{0});  // the checksum, below
  append_le(to, place.sequence);
  append_le(to, place.synced);
  append_le(to, kKindAppend);
  append_le(to, static_cast<std::uint32_t>(what.batches.size()));
  append_le(to, static_cast<std::uint32_t>(what.offsets.size()));
  for (const WalBatch& batch : what.batches) {
    append_key(to, batch.partition);
    append_le(to, batch.base.value);
    append_le(to, batch.append_time.ms);
    append_le(to, static_cast<std::uint32_t>(batch.bytes.size()));
    append(to, batch.bytes);
  }
  for (const WalOffset& offset : what.offsets) {
    append_key(to, offset.partition);
    append_le(to, offset.offset.value);
    append_text(to, offset.group);
  }
  ADBROOK_ASSERT(to.size() - begin == size, "an entry has the size it was given room for");
  const ByteView entry = ByteView(to).subspan(begin);
  store_le(to.data() + begin + kCrcAt, entry_crc(entry, place.file_number));
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
  if (load_le<std::uint32_t>(entry.data() + kCrcAt) != entry_crc(entry, file_number))
    return bad_payload("its checksum does not hold");
  return WalEntry{.sequence = load_le<std::uint64_t>(entry.data() + kSequenceAt),
                  .synced = load_le<std::uint64_t>(entry.data() + kSyncedAt),
                  .payload = entry.subspan(kWalEntryHeaderSize)};
}

Result<WalAppend> parse_wal_append(ByteView payload) {
  ByteReader reader(payload);
  if (reader.number<std::uint32_t>() != kKindAppend) return bad_payload("its kind is not known");
  WalAppend what;
  const auto batch_count = reader.number<std::uint32_t>();
  const auto offset_count = reader.number<std::uint32_t>();
  if (batch_count > reader.left() / kBatchHeadSize ||
      offset_count > reader.left() / kOffsetHeadSize)
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
  for (std::uint32_t i = 0; i < offset_count; ++i) {
    WalOffset& offset = what.offsets.emplace_back();
    offset.partition = read_key(reader);
    offset.offset.value = reader.number<std::int64_t>();
    offset.group = reader.text();
  }
  if (!reader.ok() || reader.left() != 0) return bad_payload("its parts do not fill it");
  return what;
}

}  // namespace adbrook::log
