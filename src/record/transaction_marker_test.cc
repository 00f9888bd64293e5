#include "record/transaction_marker.h"

#include <gtest/gtest.h>

namespace adbrook::record {
namespace {

constexpr TransactionMarker kMarker{
    .producer_id = 77, .producer_epoch = 3, .end = TransactionEnd::commit, .coordinator_epoch = 9};

TEST(TransactionMarker, what_is_built_is_read_back) {
  const Buffer batch = build_transaction_marker(kMarker, Timestamp{1000});
  const auto header = check_batch(batch);
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(header->attributes, 0x30);
  EXPECT_EQ(header->base_sequence, -1);
  EXPECT_EQ(header->record_count, 1);
  const auto marker = read_transaction_marker(batch);
  ASSERT_TRUE(marker);
  EXPECT_EQ(marker->producer_id, 77);
  EXPECT_EQ(marker->producer_epoch, 3);
  EXPECT_EQ(marker->end, TransactionEnd::commit);
  EXPECT_EQ(marker->coordinator_epoch, 9);
}

TEST(TransactionMarker, key_and_value_have_the_bytes_that_clients_read) {
  const Buffer batch = build_transaction_marker(kMarker, Timestamp{1000});
  auto reader = BatchReader::open(batch, 1_MiB);
  RecordView record;
  ASSERT_TRUE(reader && reader->next(record).value());
  EXPECT_EQ(as_text(*record.key), std::string_view("\0\0\0\1", 4));
  EXPECT_EQ(as_text(*record.value), std::string_view("\0\0\0\0\0\11", 6));
}

TEST(TransactionMarker, other_batches_are_none) {
  BatchBuilder builder;
  builder.add(Timestamp{1}, std::nullopt, std::nullopt);
  Buffer plain = builder.finish();
  EXPECT_EQ(read_transaction_marker(plain).error().kind, ErrorKind::invalid);
  stamp_producer(plain, {.attributes = 0x30, .producer_id = 1, .producer_epoch = 0});
  EXPECT_EQ(read_transaction_marker(plain).error().kind, ErrorKind::invalid);
  EXPECT_FALSE(read_transaction_marker({}));
}

}  // namespace
}  // namespace adbrook::record
