// Runs the first five minutes of README.md exactly as printed there, and holds what is shown
// against what comes out. "…" in the README stands for anything, also for several lines.
#include <gtest/gtest.h>

#include "test/printed_steps.h"

namespace adbrook::test {
namespace {

// Between the two marks of the section.
std::string first_five_minutes(const std::string& readme) {
  const auto begin = readme.find("<!-- first five minutes -->");
  const auto end = readme.find("<!-- end of first five minutes -->");
  return begin == readme.npos || end == readme.npos ? "" : readme.substr(begin, end - begin);
}

TEST(Readme, dots_stand_for_anything) {
  EXPECT_TRUE(matches("a … c\n", "a b c\n"));
  EXPECT_TRUE(matches("…x\n", "1\n2\nx\n"));
  EXPECT_FALSE(matches("a … c\n", "a b d\n"));
  EXPECT_FALSE(matches("a\n", "a\nb\n"));
}

TEST(Readme, the_first_five_minutes_work_exactly_as_printed) {
  const Scratch scratch;
  if (run(scratch, {"bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080"}).code == 0)
    GTEST_SKIP() << "port 8080, which the README uses, is in use on this machine";
  const auto steps =
      printed_steps(first_five_minutes(read_file(std::string(ADBROOK_SOURCE_DIR) + "/README.md")));
  ASSERT_GE(steps.size(), 5u);
  expect_as_printed(scratch, steps);
}

}  // namespace
}  // namespace adbrook::test
