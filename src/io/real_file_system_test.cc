#include "io/real_file_system.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "io/kernel_file.h"
#include "io/process.h"
#include "io/simulated_file_system.h"

namespace adbrook::io {
namespace {

class RealFileSystemTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "adbrook-io-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  std::string at(const std::string& name) const { return root_ + "/" + name; }
  std::string content(const std::string& name) {
    const auto bytes = read_whole_file(disk_, at(name), 1 << 20);
    return bytes ? std::string(as_text(*bytes)) : bytes.error().message;
  }

  RealFileSystem disk_;
  std::string root_;
};

TEST_F(RealFileSystemTest, pieces_are_written_one_behind_the_other) {
  auto file = disk_.open(at("a"), OpenMode::write).value();
  std::string whole;
  std::vector<std::string> kept;
  for (int i = 0; i < 1'000; ++i) {
    kept.push_back(std::string(static_cast<std::size_t>(i % 7), static_cast<char>('a' + i % 26)));
    whole += kept.back();
  }
  std::vector<ByteView> pieces;
  for (const std::string& piece : kept) pieces.push_back(as_bytes(piece));
  ASSERT_TRUE(file->write_at(0, as_bytes("front")));
  ASSERT_TRUE(write_pieces_at(*file, 5, pieces));
  ASSERT_TRUE(write_pieces_at(*file, 0, {}));
  EXPECT_EQ(content("a"), "front" + whole);
}

TEST_F(RealFileSystemTest, written_bytes_are_read_back_at_their_position) {
  auto file = disk_.open(at("a"), OpenMode::write).value();
  ASSERT_TRUE(file->write_at(5, as_bytes("world")));
  ASSERT_TRUE(file->write_at(0, as_bytes("hello")));
  ASSERT_TRUE(file->sync());
  std::array<std::byte, 8> into;
  EXPECT_EQ(file->read_at(2, into).value(), 8u);
  EXPECT_EQ(as_text(into), "lloworld");
  EXPECT_EQ(file->read_at(7, into).value(), 3u);
  EXPECT_EQ(file->read_at(10, into).value(), 0u);
  EXPECT_EQ(file->size().value(), 10u);
  ASSERT_TRUE(file->truncate(5));
  EXPECT_EQ(content("a"), "hello");
}

TEST_F(RealFileSystemTest, allocation_keeps_the_size) {
  auto file = disk_.open(at("a"), OpenMode::create_new).value();
  ASSERT_TRUE(file->allocate(1 << 20));
  EXPECT_EQ(file->size().value(), 0u);
  ASSERT_TRUE(file->write_at(0, as_bytes("x")));
  EXPECT_EQ(file->size().value(), 1u);
}

TEST_F(RealFileSystemTest, impossible_allocation_is_disk_full_and_changes_nothing) {
  auto file = disk_.open(at("a"), OpenMode::write).value();
  const std::uint64_t free_before = disk_.free_bytes(root_).value();
  const auto refused = file->allocate(free_before + (std::uint64_t{1} << 30));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::disk_full) << refused.error().message;
  EXPECT_EQ(file->size().value(), 0u);
  struct stat facts{};
  ASSERT_EQ(::stat(at("a").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_blocks, 0) << "it keeps what it got before the space ran out";
}

TEST_F(RealFileSystemTest, full_disk_is_told_as_such) {
  auto file = disk_.open("/dev/full", OpenMode::write);
  if (!file) GTEST_SKIP() << "no /dev/full here";
  const auto refused = (*file)->write_at(0, as_bytes("x"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::disk_full);
  EXPECT_EQ(refused.error().message,
            "cannot write '/dev/full': No space left on device; free some space on this disk, work "
            "goes on by itself then");
}

TEST_F(RealFileSystemTest, open_modes_tell_what_is_missing_or_in_the_way) {
  EXPECT_EQ(disk_.open(at("a"), OpenMode::read).error().kind, ErrorKind::not_found);
  EXPECT_EQ(disk_.open(at("d/a"), OpenMode::write).error().kind, ErrorKind::not_found);
  ASSERT_TRUE(disk_.open(at("a"), OpenMode::create_new));
  EXPECT_EQ(disk_.open(at("a"), OpenMode::create_new).error().kind, ErrorKind::already_exists);
  auto reader = disk_.open(at("a"), OpenMode::read).value();
  EXPECT_EQ(reader->write_at(0, as_bytes("x")).error().kind, ErrorKind::invalid);
}

TEST_F(RealFileSystemTest, directories_are_made_with_parents_listed_sorted_and_removed_empty) {
  ASSERT_TRUE(disk_.make_directories(at("d/e/f")));
  ASSERT_TRUE(disk_.make_directories(at("d/e/f/")));
  ASSERT_TRUE(disk_.open(at("d/e/b"), OpenMode::write));
  ASSERT_TRUE(disk_.open(at("d/e/a"), OpenMode::write));
  EXPECT_EQ(disk_.list(at("d/e")).value(), (std::vector<std::string>{"a", "b", "f"}));
  EXPECT_EQ(disk_.remove_directory(at("d/e")).error().kind, ErrorKind::invalid);
  EXPECT_EQ(disk_.make_directories(at("d/e/a/x")).error().kind, ErrorKind::invalid);
  ASSERT_TRUE(disk_.remove_directory(at("d/e/f")));
  EXPECT_FALSE(disk_.exists(at("d/e/f")).value());
  EXPECT_FALSE(disk_.exists(at("d/e/a/x")).value());
  EXPECT_EQ(disk_.list(at("none")).error().kind, ErrorKind::not_found);
  EXPECT_TRUE(disk_.sync_directory(at("d")));
}

TEST_F(RealFileSystemTest, rename_replaces_its_target) {
  ASSERT_TRUE(disk_.open(at("a"), OpenMode::write).value()->write_at(0, as_bytes("new")));
  ASSERT_TRUE(disk_.open(at("b"), OpenMode::write).value()->write_at(0, as_bytes("older")));
  ASSERT_TRUE(disk_.rename(at("a"), at("b")));
  EXPECT_EQ(content("b"), "new");
  EXPECT_FALSE(disk_.exists(at("a")).value());
  EXPECT_EQ(disk_.remove(at("a")).error().kind, ErrorKind::not_found);
}

TEST_F(RealFileSystemTest, second_lock_is_busy_and_names_the_holder) {
  auto lock = disk_.lock(at("lock")).value();
  const auto second = disk_.lock(at("lock"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::busy);
  EXPECT_NE(second.error().message.find(describe_process(process_id())), std::string::npos)
      << second.error().message;
  lock.reset();
  EXPECT_TRUE(disk_.lock(at("lock")));
}

TEST_F(RealFileSystemTest, atomic_write_replaces_the_content_and_leaves_nothing_else) {
  ASSERT_TRUE(disk_.open(at("a.tmp"), OpenMode::write).value()->write_at(0, Buffer(500)));
  ASSERT_TRUE(write_file_atomically(disk_, at("a"), as_bytes("one")));
  ASSERT_TRUE(write_file_atomically(disk_, at("a"), as_bytes("two")));
  EXPECT_EQ(content("a"), "two");
  EXPECT_EQ(disk_.list(root_).value(), std::vector<std::string>{"a"});
}

TEST_F(RealFileSystemTest, too_large_a_file_is_refused_before_it_is_read) {
  ASSERT_TRUE(write_file_atomically(disk_, at("a"), as_bytes("12345")));
  EXPECT_TRUE(read_whole_file(disk_, at("a"), 5));
  EXPECT_EQ(read_whole_file(disk_, at("a"), 4).error().kind, ErrorKind::invalid);
  EXPECT_EQ(read_whole_file(disk_, at("b"), 4).error().kind, ErrorKind::not_found);
}

// The simulation is only worth something where it answers as the kernel does.
TEST_F(RealFileSystemTest, simulated_disk_answers_with_the_same_kinds) {
  SimulatedFileSystem simulated(1);
  ASSERT_TRUE(simulated.make_directories(root_));
  const auto kinds = [&](FileSystem& disk) {
    std::vector<std::string> seen;
    const auto note = [&](const auto& result) {
      seen.emplace_back(result ? "fine" : to_string(result.error().kind));
    };
    note(disk.make_directories(at("d/e")));
    note(disk.open(at("d/a"), OpenMode::create_new));
    note(disk.open(at("d/a"), OpenMode::create_new));
    note(disk.open(at("x"), OpenMode::read));
    note(disk.open(at("x/y"), OpenMode::write));
    note(disk.remove(at("x")));
    note(disk.rename(at("x"), at("y")));
    note(disk.rename(at("d/a"), at("x/y")));
    note(disk.remove_directory(at("d")));
    note(disk.remove_directory(at("x")));
    note(disk.rename(at("d"), at("d/e/f")));
    note(disk.list(at("x")));
    note(disk.list(at("d/a")));
    note(disk.sync_directory(at("x")));
    note(disk.rename(at("d/a"), at("d/a")));
    note(disk.remove(at("d/a")));
    note(disk.free_bytes(at("x")));
    return seen;
  };
  EXPECT_EQ(kinds(simulated), kinds(disk_));
}

}  // namespace
}  // namespace adbrook::io
