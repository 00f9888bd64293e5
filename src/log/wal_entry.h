// One entry of the write-ahead log: the unit of atomicity, encoded and decoded.
// Format: docs/formats/wal.md. Pure functions over bytes.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "log/gathered_bytes.h"

namespace adbrook::log {

// Files are read and written in whole blocks: a block that was synced is never written again before
// its file is recycled, so that a torn write cannot hurt what was acknowledged.
inline constexpr std::size_t kWalBlockSize = 4096;
inline constexpr std::size_t kWalEntryHeaderSize = 24;

// What a partition is called on the disk: a topic that is made anew gets another id.
struct PartitionKey {
  std::uint32_t topic = 0;
  std::int32_t number = 0;
  friend constexpr auto operator<=>(PartitionKey, PartitionKey) = default;
};

struct WalBatch {
  PartitionKey partition;
  Offset base;
  Timestamp append_time;
  ByteView bytes;
};

struct WalOffset {
  PartitionKey partition;
  Offset offset;
  std::int32_t leader_epoch = -1;
  Timestamp commit_time;
  std::string_view group;
  std::string_view metadata;
};

struct WalDeletion {
  PartitionKey partition;
  std::string_view group;
};

// Views into the append that is written or the file that is read.
struct WalAppend {
  std::vector<WalBatch> batches;
  std::vector<WalOffset> offsets;
  std::vector<WalDeletion> deletions;
};

struct WalEntry {
  std::uint64_t sequence = 0;
  std::uint64_t synced = 0;  // everything up to this sequence was on the disk before this was made
  ByteView payload;
};

inline constexpr std::size_t kWalTextSizeMax = 32'767;  // a group's name, a commit's metadata

std::size_t wal_entry_size(const WalAppend& what);

struct WalEntryPlace {
  std::uint64_t file_number;
  std::uint64_t sequence;
  std::uint64_t synced;
};
// The batches must stay until `to` is written.
void encode_wal_entry(GatheredBytes& to, const WalEntryPlace& place, const WalAppend& what);

// The whole size an entry claims by its first bytes, or 0: padding, or fewer than a header.
std::size_t claimed_wal_entry_size(ByteView bytes);

// corrupt: not a whole entry of this file. `bytes` may go on behind it.
Result<WalEntry> read_wal_entry(ByteView bytes, std::uint64_t file_number);

// corrupt: the checksum held, yet the payload is of a kind or shape that no version wrote.
Result<WalAppend> parse_wal_append(ByteView payload);

}  // namespace adbrook::log
