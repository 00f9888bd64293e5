#include "record/transaction_marker.h"

#include <array>
#include <string>

namespace adbrook::record {
namespace {

constexpr std::int16_t kKeyVersion = 0;
constexpr std::int16_t kValueVersion = 0;
constexpr std::size_t kKeySize = 4;
constexpr std::size_t kValueSize = 6;
constexpr std::int16_t kTransactional = 16;
constexpr std::int16_t kControl = 32;
// A control record has a key and a value of a few bytes.
constexpr Bytes kDecompressedMax = 4_KiB;

std::unexpected<Error> no_marker(const char* why) {
  return fail(ErrorKind::invalid,
              std::string("control batch: ") + why + "; only ends of transactions are known");
}

}  // namespace

Buffer build_transaction_marker(const TransactionMarker& marker, Timestamp time) {
  std::array<std::byte, kKeySize> key;
  store_be(key.data(), kKeyVersion);
  store_be(key.data() + 2, static_cast<std::int16_t>(marker.end));
  std::array<std::byte, kValueSize> value;
  store_be(value.data(), kValueVersion);
  store_be(value.data() + 2, marker.coordinator_epoch);
  BatchBuilder builder;
  builder.add(time, ByteView(key), ByteView(value));
  Buffer batch = builder.finish();
  stamp_producer(batch, {.attributes = kTransactional | kControl,
                         .producer_id = marker.producer_id,
                         .producer_epoch = marker.producer_epoch});
  return batch;
}

Result<TransactionMarker> read_transaction_marker(ByteView batch) {
  auto reader = BatchReader::open(batch, kDecompressedMax);
  if (!reader) return no_marker("it does not parse");
  const BatchHeader& header = reader->header();
  if (!header.control() || !header.transactional() || header.record_count != 1)
    return no_marker("it is no end of a transaction");
  RecordView record;
  const auto more = reader->next(record);
  if (!more || !*more || !record.key || !record.value) return no_marker("it does not parse");
  if (record.key->size() != kKeySize || record.value->size() < kValueSize)
    return no_marker("its key or value has another size");
  const auto end = load_be<std::int16_t>(record.key->data() + 2);
  if (load_be<std::int16_t>(record.key->data()) != kKeyVersion || end < 0 || end > 1)
    return no_marker("it is of an unknown kind");
  return TransactionMarker{.producer_id = header.producer_id,
                           .producer_epoch = header.producer_epoch,
                           .end = static_cast<TransactionEnd>(end),
                           .coordinator_epoch = load_be<std::int32_t>(record.value->data() + 2)};
}

}  // namespace adbrook::record
