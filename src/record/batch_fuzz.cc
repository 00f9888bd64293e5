// Invariants, for any bytes:
// - nothing crashes, and no codec returns more than its limit;
// - views of a record lie inside the batch or the reader's decompressed copy;
// - a batch accepted from a producer, built again from its records, reads back the same, and built
//   once more gives the same bytes.
#include <cstdlib>

#include "base/hash.h"
#include "record/batch.h"

namespace {

using namespace adbrook;
using namespace adbrook::record;

constexpr Bytes kCap{1 << 18};

void require(bool holds) {
  if (!holds) std::abort();
}

bool same(const RecordView& a, const RecordView& b) {
  const auto equal = [](const std::optional<ByteView>& x, const std::optional<ByteView>& y) {
    return x.has_value() == y.has_value() && (!x || as_text(*x) == as_text(*y));
  };
  return a.offset == b.offset && a.timestamp == b.timestamp && equal(a.key, b.key) &&
         equal(a.value, b.value) && a.header_count == b.header_count;
}

// Builds the batch again from its records; both must read alike.
Buffer rebuild(ByteView batch) {
  auto reader = BatchReader::open(batch, kCap);
  BatchBuilder builder;
  RecordView record;
  while (reader->next(record).value()) {
    const auto headers = read_headers(record);
    require(headers.has_value());
    builder.add(record.timestamp, record.key, record.value, *headers);
  }
  return builder.finish();
}

void check_accepted(ByteView batch) {
  const Buffer again = rebuild(batch);
  auto first = BatchReader::open(batch, kCap);
  auto second = BatchReader::open(again, kCap);
  RecordView a;
  RecordView b;
  while (first->next(a).value()) {
    require(second->next(b).value());
    require(same(a, b));
  }
  require(!second->next(b).value());
  require(rebuild(again) == again);
}

void walk(ByteView batch) {
  auto reader = BatchReader::open(batch, kCap);
  if (!reader) return;
  RecordView record;
  std::int64_t bytes_seen = 0;
  while (true) {
    const auto more = reader->next(record);
    if (!more || !*more) return;
    const auto headers = read_headers(record);
    if (record.key) bytes_seen += static_cast<std::int64_t>(record.key->size());
    if (record.value) bytes_seen += static_cast<std::int64_t>(record.value->size());
    require(bytes_seen <=
            std::max<std::int64_t>(kCap.count, static_cast<std::int64_t>(batch.size())));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(reinterpret_cast<const std::byte*>(data), size);
  if (!input.empty()) {
    const auto codec = static_cast<Compression>(data[0] % 6);
    const auto out = decompress(codec, input.subspan(1), kCap);
    require(!out || codec == Compression::none ||
            out->size() <= static_cast<std::size_t>(kCap.count));
  }
  walk(input);
  if (check_produced_batch(input, kCap)) check_accepted(input);
  if (size < kBatchHeaderSize) return 0;

  // A mended length and checksum lead the fuzzer past the first doors.
  Buffer mended(input.begin(), input.end());
  store_be(mended.data() + 8, static_cast<std::int32_t>(size - 12));
  mended[16] = std::byte{2};
  store_be(mended.data() + 17, crc32c(ByteView(mended).subspan(21)));
  walk(mended);
  if (check_produced_batch(mended, kCap)) check_accepted(mended);
  return 0;
}
