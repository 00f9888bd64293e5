// The write-ahead entry decoder on any bytes. Never crashes; never reads behind what it was given;
// what it accepts encodes to the same bytes, unless it is of the older kind. The first byte says
// whether the checksum is made right first, so that the payload's parser is reached.
#include <algorithm>
#include <cstdlib>

#include "base/hash.h"
#include "log/wal_entry.h"

namespace {

using namespace adbrook;
using namespace adbrook::log;

constexpr std::uint64_t kFile = 7;

void make_whole(Buffer& entry) {
  store_le(entry.data(), static_cast<std::uint32_t>(entry.size() - kWalEntryHeaderSize));
  std::byte front[12];
  store_le(front, kFile);
  store_le(front + 8, load_le<std::uint32_t>(entry.data()));
  store_le(entry.data() + 4, crc32c(ByteView(entry).subspan(8), crc32c(front)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const auto given = std::as_bytes(std::span(bytes, size));
  Buffer entry(given.begin() + 1, given.end());
  if (given[0] != std::byte{0} && entry.size() > kWalEntryHeaderSize) make_whole(entry);
  const auto read = read_wal_entry(entry, kFile);
  if (!read) return 0;
  const std::size_t claimed = claimed_wal_entry_size(entry);
  if (claimed > entry.size() || read->payload.size() + kWalEntryHeaderSize != claimed) std::abort();
  const auto what = parse_wal_append(read->payload);
  if (!what) return 0;
  if (load_le<std::uint32_t>(read->payload.data()) == 1) return 0;
  GatheredBytes again;
  encode_wal_entry(
      again, {.file_number = kFile, .sequence = read->sequence, .synced = read->synced}, *what);
  Buffer joined;
  for (const ByteView piece : again.pieces()) append(joined, piece);
  if (!std::ranges::equal(joined, ByteView(entry).first(claimed))) std::abort();
  return 0;
}
