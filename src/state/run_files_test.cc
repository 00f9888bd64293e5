#include "state/run_files.h"

#include <gtest/gtest.h>

#include "io/simulated_file_system.h"

namespace adbrook::state {
namespace run_files_test {

constexpr std::size_t kManyFiles = 400;
// Leaves room in the thousand files of a process for the log and for other tasks.
constexpr std::size_t kOpenFilesMax = 64;

TEST(RunFiles, a_process_that_writes_many_runs_holds_few_of_them_open) {
  io::SimulatedFileSystem disk(1);
  ASSERT_TRUE(disk.make_directories("state"));
  RunFiles runs(disk, "state");
  std::vector<std::uint64_t> numbers;
  for (std::size_t i = 0; i < kManyFiles; ++i) {
    const auto number = runs.create();
    ASSERT_TRUE(number) << number.error().message;
    runs.use(*number);
    ASSERT_TRUE(runs.write(*number, 0, as_bytes(std::to_string(*number))));
    numbers.push_back(*number);
    EXPECT_LE(disk.open_file_count(), kOpenFilesMax) << "after " << numbers.size();
  }
  // Each is read back all the same, also in an order in which none is open any more.
  for (const std::uint64_t number : numbers) {
    std::string text(std::to_string(number).size(), ' ');
    ASSERT_TRUE(runs.read(number, 0, std::as_writable_bytes(std::span(text))));
    EXPECT_EQ(text, std::to_string(number));
    EXPECT_LE(disk.open_file_count(), kOpenFilesMax);
  }
  for (const std::uint64_t number : numbers) ASSERT_TRUE(runs.sync(number));
  EXPECT_LE(disk.open_file_count(), kOpenFilesMax);
}

}  // namespace run_files_test
}  // namespace adbrook::state
