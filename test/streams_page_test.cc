// Holds docs/streams.md to what it says: every line of code stands in the examples, which are built
// with everything else, and every session prints what the page shows.
#include <gtest/gtest.h>

#include <sstream>

#include "test/printed_steps.h"

namespace adbrook::test {
namespace {

std::string page() { return read_file(std::string(ADBROOK_SOURCE_DIR) + "/docs/streams.md"); }

// The texts of the ```cpp blocks.
std::vector<std::string> code_blocks(const std::string& text) {
  std::vector<std::string> blocks;
  std::istringstream lines(text);
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      inside = line == "```cpp";
      if (inside) blocks.emplace_back();
    } else if (inside) {
      blocks.back() += line + "\n";
    }
  }
  return blocks;
}

std::string examples() {
  std::string all;
  const std::filesystem::path folder = std::filesystem::path(ADBROOK_SOURCE_DIR) / "examples";
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    all += read_file(entry.path()) + "\n";
  return all;
}

TEST(StreamsPage, its_code_stands_in_the_examples_line_for_line) {
  const auto blocks = code_blocks(page());
  ASSERT_GE(blocks.size(), 10u);
  const std::string built = examples();
  for (const std::string& block : blocks)
    EXPECT_NE(built.find(block), std::string::npos) << "in no file of examples/:\n" << block;
}

TEST(StreamsPage, its_sessions_print_what_it_shows) {
  const Scratch scratch;
  for (const char* port : {"8082", "9094"})
    if (run(scratch, {"bash", "-c", std::string("exec 3<>/dev/tcp/127.0.0.1/") + port}).code == 0)
      GTEST_SKIP() << "port " << port << ", which the page uses, is in use on this machine";
  const auto steps = printed_steps(page());
  ASSERT_GE(steps.size(), 10u);
  expect_as_printed(scratch, steps);
}

}  // namespace
}  // namespace adbrook::test
