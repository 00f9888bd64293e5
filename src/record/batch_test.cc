#include "record/batch.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/hash.h"

namespace adbrook::record {
namespace {

constexpr Bytes kCap = 1_MiB;

Buffer from_hex(std::string_view hex) {
  Buffer bytes;
  std::string digits;
  for (const char c : hex)
    if (c != ' ') digits += c;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes.push_back(static_cast<std::byte>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  return bytes;
}

// Written out field by field from the format's description, not by this code.
Buffer golden() {
  return from_hex(
      "0000000000000000"                     // base offset
      "00000044"                             // bytes that follow
      "ffffffff"                             // leader epoch
      "02"                                   // magic
      "1a9c3a2d"                             // checksum of the rest
      "0000"                                 // attributes
      "00000001"                             // last offset delta
      "00000000000003e8"                     // base timestamp
      "00000000000003e8"                     // max timestamp
      "ffffffffffffffff"                     // producer id
      "ffff"                                 // producer epoch
      "ffffffff"                             // base sequence
      "00000002"                             // record count
      "16 00 00 00 02 6b 02 76 02 02 68 01"  // at +0 ms, k -> v, header h = null
      "0c 00 09 02 01 00 00");               // at -5 ms, no key, empty value
}

void fix_crc(Buffer& batch) { store_be(batch.data() + 17, crc32c(ByteView(batch).subspan(21))); }

std::uint64_t test_seed() {
  const char* given = std::getenv("ADBROOK_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 20130517;
  std::printf("ADBROOK_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

Buffer some_batch(Compression compression, int count) {
  BatchBuilder builder(compression);
  for (int i = 0; i < count; ++i) {
    const std::string key = "key" + std::to_string(i);
    const std::string value(static_cast<std::size_t>(i % 50), 'v');
    builder.add({1000 + i}, as_bytes(key), as_bytes(value));
  }
  return builder.finish();
}

TEST(Batch, golden_bytes_are_written) {
  BatchBuilder builder;
  const Header header{"h", std::nullopt};
  builder.add({1000}, as_bytes("k"), as_bytes("v"), std::span(&header, 1));
  builder.add({995}, std::nullopt, ByteView());
  EXPECT_EQ(builder.size(), golden().size());
  EXPECT_EQ(builder.finish(), golden());
}

TEST(Batch, golden_bytes_are_read) {
  const Buffer batch = golden();
  ASSERT_TRUE(check_produced_batch(batch, kCap));
  auto reader = BatchReader::open(batch, kCap);
  ASSERT_TRUE(reader);
  RecordView record;
  ASSERT_TRUE(reader->next(record).value());
  EXPECT_EQ(record.offset.value, 0);
  EXPECT_EQ(record.timestamp.ms, 1000);
  EXPECT_EQ(as_text(*record.key), "k");
  EXPECT_EQ(as_text(*record.value), "v");
  const auto headers = read_headers(record);
  ASSERT_TRUE(headers);
  ASSERT_EQ(headers->size(), 1u);
  EXPECT_EQ((*headers)[0].key, "h");
  EXPECT_FALSE((*headers)[0].value);
  ASSERT_TRUE(reader->next(record).value());
  EXPECT_EQ(record.offset.value, 1);
  EXPECT_EQ(record.timestamp.ms, 995);
  EXPECT_FALSE(record.key);
  ASSERT_TRUE(record.value);
  EXPECT_TRUE(record.value->empty());
  EXPECT_FALSE(reader->next(record).value());
}

TEST(Batch, in_place_value_gives_the_same_bytes) {
  BatchBuilder copied;
  BatchBuilder in_place;
  const std::string value(300, 'x');
  copied.add({7}, as_bytes("key"), as_bytes(value));
  const auto span = in_place.add_in_place({7}, as_bytes("key"), value.size());
  std::memcpy(span.data(), value.data(), value.size());
  EXPECT_EQ(copied.finish(), in_place.finish());
}

TEST(Batch, builder_is_empty_and_reusable_after_finish) {
  BatchBuilder builder;
  builder.add({1}, std::nullopt, as_bytes("a"));
  const Buffer first = builder.finish();
  EXPECT_TRUE(builder.empty());
  EXPECT_EQ(builder.size(), kBatchHeaderSize);
  builder.add({1}, std::nullopt, as_bytes("a"));
  EXPECT_EQ(builder.finish(), first);
}

TEST(Batch, max_timestamp_is_the_highest_of_all_records) {
  BatchBuilder builder;
  for (const std::int64_t ms : {5, 9, 2}) builder.add({ms}, std::nullopt, std::nullopt);
  const auto header = check_batch(builder.finish());
  ASSERT_TRUE(header);
  EXPECT_EQ(header->base_timestamp.ms, 5);
  EXPECT_EQ(header->max_timestamp.ms, 9);
}

TEST(Batch, every_codec_returns_the_same_records) {
  for (const auto codec : {Compression::none, Compression::gzip, Compression::snappy,
                           Compression::lz4, Compression::zstd}) {
    SCOPED_TRACE(to_string(codec));
    const Buffer batch = some_batch(codec, 1000);
    const auto header = check_produced_batch(batch, kCap);
    ASSERT_TRUE(header) << header.error().message;
    EXPECT_EQ(header->compression(), codec);
    auto reader = BatchReader::open(batch, kCap);
    ASSERT_TRUE(reader);
    RecordView record;
    for (int i = 0; i < 1000; ++i) {
      ASSERT_TRUE(reader->next(record).value());
      EXPECT_EQ(as_text(*record.key), "key" + std::to_string(i));
      EXPECT_EQ(record.value->size(), static_cast<std::size_t>(i % 50));
      EXPECT_EQ(record.timestamp.ms, 1000 + i);
    }
    EXPECT_FALSE(reader->next(record).value());
  }
}

TEST(Batch, moved_reader_keeps_its_decompressed_records) {
  auto opened = BatchReader::open(some_batch(Compression::zstd, 3), kCap);
  ASSERT_TRUE(opened);
  BatchReader reader = std::move(*opened);
  RecordView record;
  ASSERT_TRUE(reader.next(record).value());
  EXPECT_EQ(as_text(*record.key), "key0");
}

TEST(Batch, random_records_come_back) {
  std::mt19937_64 random(test_seed());
  for (int round = 0; round < 50; ++round) {
    BatchBuilder builder;
    std::vector<std::pair<std::int64_t, std::string>> expected;
    for (int i = 0; i < 200; ++i) {
      const auto ms = static_cast<std::int64_t>(random() >> (random() % 64));
      expected.emplace_back(ms, std::string(random() % 300, static_cast<char>(random() % 256)));
      builder.add({ms}, as_bytes(expected.back().second), as_bytes(expected.back().second));
    }
    const Buffer batch = builder.finish();
    auto reader = BatchReader::open(batch, kCap);
    ASSERT_TRUE(reader);
    RecordView record;
    for (const auto& [ms, text] : expected) {
      ASSERT_TRUE(reader->next(record).value());
      EXPECT_EQ(record.timestamp.ms, ms);
      EXPECT_EQ(as_text(*record.key), text);
      EXPECT_EQ(as_text(*record.value), text);
    }
  }
}

TEST(Batch, every_truncation_is_found) {
  const Buffer batch = golden();
  for (std::size_t size = 0; size < batch.size(); ++size) {
    const ByteView part = ByteView(batch).first(size);
    EXPECT_FALSE(check_batch(part)) << size;
    EXPECT_FALSE(BatchReader::open(part, kCap)) << size;
  }
}

TEST(Batch, every_flipped_byte_behind_the_checksum_is_found) {
  const Buffer good = golden();
  for (std::size_t at = 17; at < good.size(); ++at) {
    Buffer bad = good;
    bad[at] ^= std::byte{0x10};
    EXPECT_FALSE(check_batch(bad)) << at;
  }
}

TEST(Batch, base_offset_and_epoch_are_not_under_the_checksum) {
  Buffer batch = golden();
  patch_base(batch, {4711}, 3);
  const auto header = check_batch(batch);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->base_offset.value, 4711);
  EXPECT_EQ(header->leader_epoch, 3);
  EXPECT_EQ(header->last_offset().value, 4712);
  EXPECT_FALSE(check_produced_batch(batch, kCap)) << "a producer sends base offset 0";
}

// Changes one field of the golden batch, mends the checksum and says how it was refused.
template <class T>
std::string refusal(std::size_t at, T value) {
  Buffer batch = golden();
  store_be(batch.data() + at, value);
  fix_crc(batch);
  const auto header = check_produced_batch(batch, kCap);
  if (header) return "accepted";
  return std::string(to_string(header.error().kind));
}

TEST(Batch, produced_batches_with_lies_in_the_header_are_refused) {
  EXPECT_EQ(refusal<std::int64_t>(0, 1), "invalid") << "base offset";
  EXPECT_EQ(refusal<std::int32_t>(8, 48), "invalid") << "length below the header";
  EXPECT_EQ(refusal<std::int32_t>(8, -1), "invalid") << "negative length";
  EXPECT_EQ(refusal<std::int32_t>(8, 0x7fffffff), "corrupt") << "length beyond the bytes";
  EXPECT_EQ(refusal<std::uint8_t>(16, 1), "invalid") << "magic";
  EXPECT_EQ(refusal<std::int16_t>(21, 5), "invalid") << "unknown codec";
  EXPECT_EQ(refusal<std::int16_t>(21, 32), "invalid") << "control bit";
  EXPECT_EQ(refusal<std::int32_t>(23, 0), "invalid") << "fewer offsets than records";
  EXPECT_EQ(refusal<std::int32_t>(23, 2), "invalid") << "more offsets than records";
  EXPECT_EQ(refusal<std::int64_t>(43, 7), "invalid") << "producer id without sequence";
  EXPECT_EQ(refusal<std::int32_t>(57, 1), "invalid") << "fewer records than there are";
  EXPECT_EQ(refusal<std::int32_t>(57, 0), "invalid") << "no records";
  EXPECT_EQ(refusal<std::int32_t>(57, 0x7fffffff), "invalid") << "too many records";
  EXPECT_EQ(refusal<std::uint8_t>(76, 4), "invalid") << "offset delta is not the index";
  EXPECT_EQ(refusal<std::uint8_t>(73, 0x7f), "invalid") << "record size beyond the batch";
  EXPECT_EQ(refusal<std::uint8_t>(65, 0x7f), "invalid") << "key size beyond the record";
  EXPECT_EQ(refusal<std::uint8_t>(69, 4), "invalid") << "more headers than there are";
  EXPECT_EQ(refusal<std::int64_t>(35, 5000), "accepted") << "a later max timestamp is no lie here";
}

TEST(Batch, trailing_bytes_are_refused) {
  Buffer two = golden();
  append(two, golden());
  EXPECT_TRUE(check_batch(two)) << "a log is walked batch by batch";
  EXPECT_FALSE(check_produced_batch(two, kCap)) << "a request holds exactly one";

  Buffer padded = golden();
  padded.push_back(std::byte{0});
  store_be(padded.data() + 8, std::int32_t{0x45});
  fix_crc(padded);
  const auto header = check_produced_batch(padded, kCap);
  ASSERT_FALSE(header);
  EXPECT_NE(header.error().message.find("bytes follow the last record"), std::string::npos);
}

TEST(Batch, log_append_time_replaces_every_timestamp) {
  Buffer batch = golden();
  store_be(batch.data() + 21, std::int16_t{8});
  store_be(batch.data() + 35, std::int64_t{77});
  auto reader = BatchReader::open(batch, kCap);
  ASSERT_TRUE(reader);
  RecordView record;
  while (reader->next(record).value()) EXPECT_EQ(record.timestamp.ms, 77);
}

TEST(Batch, log_append_time_is_the_time_of_every_record) {
  BatchBuilder builder;
  builder.add(Timestamp{5}, std::nullopt, as_bytes("one"));
  builder.add(Timestamp{9}, std::nullopt, as_bytes("two"));
  Buffer batch = builder.finish();
  set_log_append_time(batch, Timestamp{77});
  ASSERT_TRUE(check_batch(batch));
  auto reader = BatchReader::open(batch, 1_MiB);
  RecordView record;
  while (reader->next(record).value()) EXPECT_EQ(record.timestamp, Timestamp{77});
}

TEST(Batch, recompressed_records_are_the_same) {
  for (const Compression from : {Compression::none, Compression::gzip, Compression::zstd}) {
    for (const Compression to : {Compression::none, Compression::snappy, Compression::lz4}) {
      BatchBuilder builder(from);
      const std::string value(5'000, 'v');
      for (int i = 0; i < 3; ++i) builder.add(Timestamp{i}, as_bytes("key"), as_bytes(value));
      Buffer batch = builder.finish();
      stamp_producer(batch,
                     {.attributes = 16, .producer_id = 7, .producer_epoch = 1, .base_sequence = 4});
      const auto again = recompress(batch, to, 1_MiB);
      ASSERT_TRUE(again) << again.error().message;
      const auto header = check_batch(*again);
      ASSERT_TRUE(header);
      EXPECT_EQ(header->size(), again->size());
      EXPECT_EQ(header->compression(), to);
      EXPECT_EQ(header->base_sequence, 4);
      EXPECT_TRUE(header->transactional());
      auto reader = BatchReader::open(*again, 1_MiB);
      RecordView record;
      int count = 0;
      for (; reader->next(record).value(); ++count) EXPECT_EQ(as_text(*record.value), value);
      EXPECT_EQ(count, 3);
    }
  }
}

TEST(Batch, recompressing_keeps_to_the_limit) {
  BatchBuilder builder(Compression::zstd);
  builder.add(Timestamp{1}, std::nullopt, as_bytes(std::string(100'000, 'v')));
  const Buffer batch = builder.finish();
  EXPECT_EQ(recompress(batch, Compression::none, 10_KiB).error().kind, ErrorKind::overloaded);
}

}  // namespace
}  // namespace adbrook::record
