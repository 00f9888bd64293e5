#include "app/offset_spec.h"

#include <gtest/gtest.h>

namespace adbrook::app {
namespace {

constexpr Timestamp kNow{1'767'400'000'000};
constexpr bus::Ends kEnds{Offset{100}, Offset{150}};

Offset resolved(std::string_view text, std::optional<Offset> at_time = std::nullopt,
                bus::Ends ends = kEnds) {
  const auto spec = parse_offset_spec(text, kNow, "-o");
  EXPECT_TRUE(spec) << text;
  return spec ? resolve(*spec, ends, at_time) : Offset{-1};
}

TEST(OffsetSpec, words_numbers_and_distances_from_the_end_are_understood) {
  EXPECT_EQ(resolved("beginning"), Offset{100});
  EXPECT_EQ(resolved("earliest"), Offset{100});
  EXPECT_EQ(resolved("end"), Offset{150});
  EXPECT_EQ(resolved("latest"), Offset{150});
  EXPECT_EQ(resolved("120"), Offset{120});
  EXPECT_EQ(resolved("-10"), Offset{140});
  EXPECT_EQ(resolved("-0"), Offset{150});
}

TEST(OffsetSpec, what_lies_outside_of_what_is_kept_becomes_the_nearest_end) {
  EXPECT_EQ(resolved("5"), Offset{100});
  EXPECT_EQ(resolved("5000"), Offset{150});
  EXPECT_EQ(resolved("-1000"), Offset{100});
  EXPECT_EQ(resolved("-9223372036854775807"), Offset{100});
  EXPECT_EQ(resolved("-3", std::nullopt, {Offset{0}, Offset{0}}), Offset{0});
}

TEST(OffsetSpec, a_time_is_the_first_record_at_or_after_it_else_the_end) {
  EXPECT_EQ(resolved("@2026-01-03T00:00:00Z", Offset{133}), Offset{133});
  EXPECT_EQ(resolved("@2026-01-03T00:00:00Z"), Offset{150});
  const auto ago = parse_offset_spec("@-1h", kNow, "-o");
  ASSERT_TRUE(ago);
  EXPECT_EQ(ago->time.ms, kNow.ms - 3'600'000);
  EXPECT_EQ(parse_offset_spec("@1767400000000", kNow, "-o")->time, kNow);
}

TEST(OffsetSpec, anything_else_is_refused_with_the_flag_and_the_nearest_word) {
  for (const auto* text : {"", "begining", "12x", "@", "@yesterday", "--5", "99999999999999999999"})
    EXPECT_FALSE(parse_offset_spec(text, kNow, "-o")) << text;
  const auto refused = parse_offset_spec("begining", kNow, "--to");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::invalid);
  EXPECT_NE(refused.error().message.find("--to 'begining'"), std::string::npos);
  EXPECT_NE(refused.error().message.find("did you mean 'beginning'"), std::string::npos);
}

}  // namespace
}  // namespace adbrook::app
