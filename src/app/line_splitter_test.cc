#include "app/line_splitter.h"

#include <gtest/gtest.h>

#include <vector>

namespace adbrook::app {
namespace {

std::vector<std::string> split(const std::string& bytes, const std::string& delimiter,
                               std::size_t piece) {
  LineSplitter splitter(delimiter);
  std::vector<std::string> records;
  for (std::size_t i = 0; i < bytes.size(); i += piece) {
    splitter.add(std::string_view(bytes).substr(i, piece));
    while (const auto record = splitter.next()) records.emplace_back(*record);
  }
  if (!splitter.rest().empty()) records.emplace_back(splitter.rest());
  return records;
}

TEST(LineSplitter, records_are_the_same_however_the_bytes_are_cut) {
  const std::string bytes = "one\ntwo\n\nfour\nrest";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece)
    EXPECT_EQ(split(bytes, "\n", piece),
              (std::vector<std::string>{"one", "two", "", "four", "rest"}))
        << piece;
}

TEST(LineSplitter, a_delimiter_of_several_bytes_may_arrive_in_pieces) {
  const std::string bytes = "a-b--c-----d--";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece)
    EXPECT_EQ(split(bytes, "--", piece), (std::vector<std::string>{"a-b", "c", "", "-d"})) << piece;
}

TEST(LineSplitter, a_record_without_an_end_is_noticed) {
  LineSplitter splitter("\n");
  const std::string piece(std::size_t{1} << 20, 'x');
  for (int i = 0; i < 64; ++i) splitter.add(piece);
  EXPECT_FALSE(splitter.next());
  EXPECT_FALSE(splitter.is_too_long());
  splitter.add("x");
  EXPECT_TRUE(splitter.is_too_long());
}

TEST(SplitKey, the_first_delimiter_counts) {
  using Pair = std::pair<std::optional<std::string_view>, std::string_view>;
  EXPECT_EQ(split_key("k:v:w", ":"), (Pair{"k", "v:w"}));
  EXPECT_EQ(split_key(":v", ":"), (Pair{"", "v"}));
  EXPECT_EQ(split_key("no key", ":"), (Pair{std::nullopt, "no key"}));
  EXPECT_EQ(split_key("a:b", ""), (Pair{std::nullopt, "a:b"}));
}

}  // namespace
}  // namespace adbrook::app
