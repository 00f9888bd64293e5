#include "io/process.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <vector>

namespace adbrook::io {
namespace {

TEST(Process, memory_that_is_touched_is_resident) {
  const std::int64_t before = resident_bytes();
  EXPECT_GT(before, 1 << 20);
  constexpr std::int64_t kSize = 64 << 20;
  const std::vector<char> memory(kSize, 'x');
  EXPECT_GE(resident_bytes() - before, kSize * 9 / 10) << memory.back();
  EXPECT_GE(resident_bytes_max(), resident_bytes() * 9 / 10);
}

TEST(Process, work_uses_processor_time) {
  const Nanos before = cpu_time();
  volatile std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < 20'000'000; ++i) sum = sum + i;
  EXPECT_GT(cpu_time(), before);
}

TEST(Process, describes_itself_by_number_and_name) {
  EXPECT_EQ(process_id(), ::getpid());
  EXPECT_EQ(describe_process(process_id()), "process " + std::to_string(::getpid()) + " (io_test)");
  EXPECT_EQ(describe_process(0), "process 0");
}

TEST(Process, open_files_are_counted) {
  const std::int64_t before = open_file_count();
  EXPECT_GE(before, 3);
  const int fd = ::dup(STDIN_FILENO);
  EXPECT_EQ(open_file_count(), before + 1);
  ::close(fd);
  EXPECT_GT(open_file_count_max(), before);
}

TEST(Process, pipe_is_no_terminal) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const int saved = ::dup(STDIN_FILENO);
  ::dup2(ends[0], STDIN_FILENO);
  EXPECT_FALSE(is_terminal(StandardStream::in));
  EXPECT_FALSE(terminal_width(StandardStream::in).has_value());
  ::dup2(saved, STDIN_FILENO);
  for (const int fd : {saved, ends[0], ends[1]}) ::close(fd);
}

TEST(Process, the_machine_has_a_processor_and_memory) {
  EXPECT_GE(processor_count(), 1);
  EXPECT_GT(memory_bytes(), 64 << 20);
  EXPECT_GE(memory_bytes(), available_memory_bytes());
}

TEST(Process, the_environment_is_read_as_pairs) {
  bool found = false;
  for (const auto& [name, value] : environment())
    found = found || (name == "PATH" && !value.empty());
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace adbrook::io
