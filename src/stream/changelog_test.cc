#include "stream/changelog.h"

#include <gtest/gtest.h>

namespace adbrook::stream {
namespace changelog_test {

CommitRecord sample() {
  return {.number = 7,
          .fingerprint = 0x1234567890ABCDEFull,
          .watermark = {1'400'000'000'000},
          .digest = 99,
          .steps = {Step::of_records(1, {100}, {350}), Step::of_advance(0, {-5}),
                    Step::of_records(2, {0}, {1})}};
}

TEST(Changelog, a_commit_record_survives_encoding) {
  Buffer bytes;
  encode(sample(), bytes);
  const auto decoded = decode_commit_record(bytes);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(*decoded, sample());
}

TEST(Changelog, a_part_of_a_commit_survives_encoding_and_a_cut_one_is_refused) {
  CommitRecord part = sample();
  part.written_count = 12'345;
  Buffer bytes;
  encode(part, bytes);
  EXPECT_EQ(decode_commit_record(bytes).value(), part);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode_commit_record(ByteView(bytes).first(size)).has_value()) << size;
  store_le<std::uint64_t>(bytes.data() + 33, 0);
  EXPECT_EQ(decode_commit_record(bytes).error().kind, ErrorKind::corrupt);
}

TEST(Changelog, a_cut_or_lengthened_record_is_refused) {
  Buffer bytes;
  encode(sample(), bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode_commit_record(ByteView(bytes).first(size)).has_value()) << size;
  bytes.push_back(std::byte{0});
  EXPECT_EQ(decode_commit_record(bytes).error().kind, ErrorKind::corrupt);
}

TEST(Changelog, a_newer_version_is_unsupported_not_corrupt) {
  Buffer bytes;
  encode(sample(), bytes);
  bytes[0] = std::byte{3};
  EXPECT_EQ(decode_commit_record(bytes).error().kind, ErrorKind::unsupported);
}

TEST(Changelog, a_count_that_cannot_be_is_refused_before_it_is_used) {
  Buffer bytes;
  encode(sample(), bytes);
  store_le<std::uint32_t>(bytes.data() + 33, 0xFFFFFFFFu);
  EXPECT_EQ(decode_commit_record(bytes).error().kind, ErrorKind::corrupt);
}

}  // namespace changelog_test
}  // namespace adbrook::stream
