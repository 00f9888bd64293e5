#include "ads/truth.h"

#include <gtest/gtest.h>

#include "ads/truth_file.h"
#include "io/simulated_file_system.h"

namespace adbrook::ads {
namespace truth_test {

TruthKey key_in(Truth& truth, std::size_t view, std::int64_t bucket_ms,
                std::initializer_list<std::string_view> parts) {
  TruthKey key{.bucket_ms = bucket_ms,
               .width_ms = static_cast<std::uint32_t>(kViews[view].bucket.count()),
               .view = static_cast<std::uint32_t>(view)};
  std::size_t i = 0;
  for (const std::string_view part : parts) key.parts[i++] = truth.number_of(part);
  return key;
}

MeasureValues values_of(std::uint64_t impressions, std::uint64_t clicks) {
  MeasureValues out{};
  out[static_cast<std::size_t>(Measure::impressions)] = impressions;
  out[static_cast<std::size_t>(Measure::joined_clicks)] = clicks;
  out[static_cast<std::size_t>(Measure::click_id_xor)] = clicks * 0xABCD;
  return out;
}

Truth sample() {
  Truth truth;
  truth.cells().at(key_in(truth, 0, 60'000, {"1", "2", "FR", "EUR"})) = values_of(3, 1);
  truth.cells().at(key_in(truth, 0, 120'000, {"1", "2", "FR", "EUR"})) = values_of(5, 2);
  truth.cells().at(key_in(truth, 2, 0, {"1", "FR", "a\tb\\c\nd", ""})) = values_of(8, 3);
  truth.outcomes()[{"impressions", "counted", ""}] = 8;
  truth.outcomes()[{"clicks", "orphan", "unknown"}] = 4;
  truth.outcomes()[{"clicks", "duplicate", ""}] = 10;
  truth.sent_again()["clicks"] = 2;
  return truth;
}

TEST(Truth, equal_counts_compare_equal_whatever_their_order) {
  const Truth expected = sample();
  Truth actual;
  actual.number_of("something else");
  actual.cells().at(key_in(actual, 2, 0, {"1", "FR", "a\tb\\c\nd", ""})) = values_of(8, 3);
  actual.cells().at(key_in(actual, 0, 120'000, {"1", "2", "FR", "EUR"})) = values_of(5, 2);
  actual.cells().at(key_in(actual, 0, 60'000, {"1", "2", "FR", "EUR"})) = values_of(3, 1);
  actual.cells().at(key_in(actual, 0, 60'000, {"9", "2", "FR", "EUR"})) = values_of(0, 0);
  actual.outcomes()[{"impressions", "counted", ""}] = 8;
  actual.outcomes()[{"clicks", "orphan", "unknown"}] = 1;
  actual.outcomes()[{"clicks", "pending", ""}] = 3;
  actual.outcomes()[{"clicks", "duplicate", ""}] = 12;
  const TruthComparison comparison = compare(expected, actual);
  EXPECT_TRUE(comparison.equal()) << comparison.differences[0];
  EXPECT_EQ(comparison.cell_count, 3u);
}

TEST(Truth, differences_name_outcome_and_cell) {
  const Truth expected = sample();
  Truth actual = sample();
  actual.outcomes()[{"clicks", "duplicate", ""}] = 13;  // two were sent again, not three
  actual.outcomes()[{"clicks", "joined", ""}] = 1;
  actual.cells().at(key_in(actual, 0, 60'000, {"1", "2", "FR", "EUR"})) = values_of(3, 2);
  actual.cells().at(key_in(actual, 3, 0, {"1", "Chrome", "", ""})) = values_of(1, 0);
  const TruthComparison comparison = compare(expected, actual);
  ASSERT_EQ(comparison.difference_count, 4u);
  EXPECT_EQ(comparison.differences[0], "clicks duplicate: expected 10 to 12, is 13");
  EXPECT_EQ(comparison.differences[1], "clicks joined: expected 0, is 1");
  EXPECT_EQ(comparison.differences[2],
            "click-through 1970-01-01T00:01:00.000Z campaign_id=1 publisher_id=2 country=FR "
            "currency=EUR: joined_clicks expected 1, is 2; click_id_xor expected 43981, is 87962");
  EXPECT_TRUE(comparison.differences[3].starts_with("devices 1970-01-01T00:00:00.000Z"));
}

TEST(Truth, cells_folded_into_a_wider_bucket_compare_equal) {
  const Truth expected = sample();
  Truth folded;
  TruthKey hour = key_in(folded, 0, 0, {"1", "2", "FR", "EUR"});
  hour.width_ms = 3'600'000;
  folded.cells().at(hour) = values_of(8, 3);
  folded.cells().at(hour)[static_cast<std::size_t>(Measure::click_id_xor)] =
      (1 * 0xABCD) ^ (2 * 0xABCD);
  folded.cells().at(key_in(folded, 2, 0, {"1", "FR", "a\tb\\c\nd", ""})) = values_of(8, 3);
  folded.outcomes() = expected.outcomes();
  const TruthComparison comparison = compare(expected, folded);
  EXPECT_TRUE(comparison.equal()) << comparison.differences[0];
}

class TruthFile : public ::testing::TestWithParam<const char*> {};

TEST_P(TruthFile, reads_back_what_was_written) {
  io::SimulatedFileSystem files(1);
  const Truth given = sample();
  ASSERT_TRUE(write_truth(files, GetParam(), given));
  const auto read = read_truth(files, GetParam());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(compare(given, *read).equal());
  EXPECT_TRUE(compare(*read, given).equal());
  EXPECT_EQ(read->outcomes(), given.outcomes());
  EXPECT_EQ(read->sent_again(), given.sent_again());
}

TEST_P(TruthFile, cut_file_is_refused) {
  io::SimulatedFileSystem files(1);
  ASSERT_TRUE(write_truth(files, GetParam(), sample()));
  auto file = files.open(GetParam(), io::OpenMode::write);
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->truncate(*(*file)->size() - 12));
  EXPECT_FALSE(read_truth(files, GetParam()));
  EXPECT_FALSE(read_truth(files, "absent"));
}

INSTANTIATE_TEST_SUITE_P(Forms, TruthFile, ::testing::Values("truth.txt", "truth.gz"));

TEST(ForeignTruthFile, is_refused_with_its_line) {
  io::SimulatedFileSystem files(1);
  ASSERT_TRUE(io::write_file_atomically(files, "t", as_bytes("hello\n")));
  const auto read = read_truth(files, "t");
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message.find("t:1: 'hello'"), std::string::npos);
}

}  // namespace truth_test
}  // namespace adbrook::ads
