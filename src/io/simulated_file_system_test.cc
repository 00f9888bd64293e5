#include "io/simulated_file_system.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "io/test_seed.h"

namespace adbrook::io {
namespace {

constexpr std::size_t kSeedCount = 300;

std::string content_of(FileSystem& disk, const std::string& path) {
  const auto content = read_whole_file(disk, path, 1 << 20);
  return content ? std::string(as_text(*content)) : "<" + content.error().message + ">";
}

void write_synced(FileSystem& disk, const std::string& path, std::string_view text) {
  auto file = disk.open(path, OpenMode::write).value();
  ASSERT_TRUE(file->truncate(0));
  ASSERT_TRUE(file->write_at(0, as_bytes(text)));
  ASSERT_TRUE(file->sync());
}

TEST(SimulatedFileSystem, synced_content_with_a_synced_name_always_survives) {
  for (const std::uint64_t seed : test_seeds(kSeedCount)) {
    SCOPED_TRACE(seed_note(seed));
    SimulatedFileSystem disk(seed);
    write_synced(disk, "a", std::string(3000, 'x'));
    ASSERT_TRUE(disk.sync_directory("."));
    auto file = disk.open("a", OpenMode::write).value();
    ASSERT_TRUE(file->write_at(3000, as_bytes(std::string(3000, 'y'))));
    disk.crash();
    ASSERT_EQ(content_of(disk, "a").substr(0, 3000), std::string(3000, 'x'));
  }
}

TEST(SimulatedFileSystem, unsynced_sectors_survive_vanish_or_tear) {
  const std::string old_text(4096, 'o');
  const std::string new_text(4096, 'n');
  int all = 0, none = 0, whole_sectors = 0, torn = 0;
  for (const std::uint64_t seed : test_seeds(kSeedCount)) {
    SCOPED_TRACE(seed_note(seed));
    SimulatedFileSystem disk(seed);
    write_synced(disk, "a", old_text);
    ASSERT_TRUE(disk.sync_directory("/"));
    ASSERT_TRUE(disk.open("a", OpenMode::write).value()->write_at(0, as_bytes(new_text)));
    EXPECT_EQ(content_of(disk, "a"), new_text);
    disk.crash();
    const std::string left = content_of(disk, "a");
    ASSERT_EQ(left.size(), 4096u);
    ASSERT_EQ(left.find_first_not_of("on"), std::string::npos);
    bool mixed_sector = false;
    for (std::size_t i = 0; i < left.size(); i += 512) {
      mixed_sector |= left.substr(i, 512).find_first_not_of(left[i]) != std::string::npos;
    }
    if (left == new_text) {
      ++all;
    } else if (left == old_text) {
      ++none;
    } else if (mixed_sector) {
      ++torn;
    } else {
      ++whole_sectors;
    }
  }
  if (std::getenv("ADBROOK_SEED") != nullptr) return;
  EXPECT_GT(all, 0);
  EXPECT_GT(none, 0);
  EXPECT_GT(torn, 0);
  EXPECT_GT(whole_sectors, 0);
}

TEST(SimulatedFileSystem, overwritten_sector_keeps_one_of_its_versions) {
  std::set<std::string> seen;
  for (const std::uint64_t seed : test_seeds(kSeedCount)) {
    SCOPED_TRACE(seed_note(seed));
    SimulatedFileSystem disk(seed);
    write_synced(disk, "a", "0");
    ASSERT_TRUE(disk.sync_directory("/"));
    auto file = disk.open("a", OpenMode::write).value();
    for (const char* version : {"1", "2", "3"}) ASSERT_TRUE(file->write_at(0, as_bytes(version)));
    disk.crash();
    seen.insert(content_of(disk, "a"));
  }
  if (std::getenv("ADBROOK_SEED") != nullptr) return;
  EXPECT_EQ(seen, (std::set<std::string>{"0", "1", "2", "3"}));
}

TEST(SimulatedFileSystem, new_name_is_lost_without_a_directory_sync) {
  int lost = 0, kept = 0;
  for (const std::uint64_t seed : test_seeds(kSeedCount)) {
    SimulatedFileSystem disk(seed);
    write_synced(disk, "a", "text");
    disk.crash();
    (disk.exists("a").value() ? kept : lost) += 1;
  }
  if (std::getenv("ADBROOK_SEED") != nullptr) return;
  EXPECT_GT(lost, 0);
  EXPECT_GT(kept, 0);
}

TEST(SimulatedFileSystem, unsynced_rename_happens_whole_or_not_at_all) {
  int moved = 0, undone = 0;
  for (const std::uint64_t seed : test_seeds(kSeedCount)) {
    SCOPED_TRACE(seed_note(seed));
    SimulatedFileSystem disk(seed);
    ASSERT_TRUE(disk.make_directories("d/e"));
    ASSERT_TRUE(disk.sync_directory("d"));
    ASSERT_TRUE(disk.sync_directory("/"));
    write_synced(disk, "d/new", "new");
    write_synced(disk, "d/e/it", "old");
    ASSERT_TRUE(disk.sync_directory("d"));
    ASSERT_TRUE(disk.sync_directory("d/e"));
    ASSERT_TRUE(disk.rename("d/new", "d/e/it"));
    disk.crash();
    const bool source = disk.exists("d/new").value();
    ASSERT_EQ(content_of(disk, "d/e/it"), source ? "old" : "new");
    (source ? undone : moved) += 1;
  }
  if (std::getenv("ADBROOK_SEED") != nullptr) return;
  EXPECT_GT(moved, 0);
  EXPECT_GT(undone, 0);
}

TEST(SimulatedFileSystem, directory_sync_makes_a_rename_durable) {
  for (const std::uint64_t seed : test_seeds(kSeedCount)) {
    SCOPED_TRACE(seed_note(seed));
    SimulatedFileSystem disk(seed);
    write_synced(disk, "a", "text");
    ASSERT_TRUE(disk.rename("a", "b"));
    ASSERT_TRUE(disk.sync_directory("/"));
    disk.crash();
    ASSERT_EQ(disk.list("/").value(), std::vector<std::string>{"b"});
    ASSERT_EQ(content_of(disk, "b"), "text");
  }
}

TEST(SimulatedFileSystem, removed_file_may_come_back_until_the_directory_is_synced) {
  int back = 0;
  for (const std::uint64_t seed : test_seeds(kSeedCount)) {
    SCOPED_TRACE(seed_note(seed));
    SimulatedFileSystem disk(seed);
    write_synced(disk, "a", "text");
    write_synced(disk, "b", "text");
    ASSERT_TRUE(disk.sync_directory("/"));
    ASSERT_TRUE(disk.remove("a"));
    ASSERT_TRUE(disk.sync_directory("/"));
    ASSERT_TRUE(disk.remove("b"));
    disk.crash();
    ASSERT_FALSE(disk.exists("a").value());
    if (!disk.exists("b").value()) continue;
    ++back;
    ASSERT_EQ(content_of(disk, "b"), "text");
  }
  if (std::getenv("ADBROOK_SEED") != nullptr) return;
  EXPECT_GT(back, 0);
}

TEST(SimulatedFileSystem, atomic_write_leaves_the_old_or_the_new_file_at_every_step) {
  SimulatedFileSystem counting(1);
  ASSERT_TRUE(write_file_atomically(counting, "a", as_bytes("old")));
  const std::uint64_t step_count = counting.steps();
  for (const std::uint64_t seed : test_seeds(60)) {
    for (std::uint64_t step = 0; step < step_count; ++step) {
      SCOPED_TRACE(seed_note(seed));
      SimulatedFileSystem disk(seed);
      ASSERT_TRUE(write_file_atomically(disk, "a", as_bytes("old")));
      disk.crash_at_step(disk.steps() + step);
      ASSERT_FALSE(write_file_atomically(disk, "a", as_bytes("new and longer")));
      ASSERT_TRUE(disk.dead());
      disk.crash();
      const std::string left = content_of(disk, "a");
      ASSERT_TRUE(left == "old" || left == "new and longer") << left << " at step " << step;
      ASSERT_TRUE(write_file_atomically(disk, "a", as_bytes("again")));
      disk.crash();
      ASSERT_EQ(content_of(disk, "a"), "again");
    }
  }
}

TEST(SimulatedFileSystem, dead_disk_refuses_everything_until_the_crash) {
  SimulatedFileSystem disk(7);
  write_synced(disk, "a", "text");
  auto file = disk.open("a", OpenMode::write).value();
  auto lock = disk.lock("lock").value();
  disk.crash_at_step(disk.steps());
  EXPECT_EQ(file->write_at(0, as_bytes("x")).error().kind, ErrorKind::io_failed);
  EXPECT_EQ(file->sync().error().kind, ErrorKind::closed);
  EXPECT_EQ(file->size().error().kind, ErrorKind::closed);
  EXPECT_EQ(disk.open("a", OpenMode::read).error().kind, ErrorKind::closed);
  EXPECT_EQ(disk.list("/").error().kind, ErrorKind::closed);
  disk.crash();
  EXPECT_EQ(file->sync().error().kind, ErrorKind::closed);
  auto again = disk.lock("lock");
  ASSERT_TRUE(again);
  lock.reset();  // the dead holder does not free the lock of the living one
  EXPECT_EQ(disk.lock("lock").error().kind, ErrorKind::busy);
}

TEST(SimulatedFileSystem, killed_process_loses_nothing_until_the_power_goes) {
  int lost = 0;
  for (const std::uint64_t seed : test_seeds(kSeedCount)) {
    SCOPED_TRACE(seed_note(seed));
    SimulatedFileSystem disk(seed);
    write_synced(disk, "a", "old");
    ASSERT_TRUE(disk.sync_directory("/"));
    auto file = disk.open("a", OpenMode::write).value();
    ASSERT_TRUE(file->write_at(0, as_bytes("new")));
    disk.kill_process();
    ASSERT_EQ(file->sync().error().kind, ErrorKind::closed);
    ASSERT_EQ(content_of(disk, "a"), "new");
    disk.crash();
    lost += content_of(disk, "a") != "new";
  }
  if (std::getenv("ADBROOK_SEED") != nullptr) return;
  EXPECT_GT(lost, 0);
}

TEST(SimulatedFileSystem, planned_failure_hits_that_call_only) {
  SimulatedFileSystem disk(3);
  auto file = disk.open("a", OpenMode::write).value();
  disk.fail_call(DiskCall::sync, 1);
  disk.fail_call(DiskCall::read, 0);
  EXPECT_TRUE(file->write_at(0, as_bytes("text")));
  EXPECT_TRUE(file->sync());
  EXPECT_EQ(file->sync().error().kind, ErrorKind::io_failed);
  EXPECT_TRUE(file->sync());
  Buffer into(4);
  EXPECT_EQ(file->read_at(0, into).error().kind, ErrorKind::io_failed);
  EXPECT_EQ(file->read_at(0, into).value(), 4u);
}

TEST(SimulatedFileSystem, sync_after_a_failed_sync_does_not_save_what_was_dropped) {
  int lost = 0;
  for (const std::uint64_t seed : test_seeds(kSeedCount)) {
    SCOPED_TRACE(seed_note(seed));
    SimulatedFileSystem disk(seed);
    write_synced(disk, "a", "old");
    ASSERT_TRUE(disk.sync_directory("/"));
    auto file = disk.open("a", OpenMode::write).value();
    ASSERT_TRUE(file->write_at(0, as_bytes("new")));
    disk.fail_call(DiskCall::sync, 0);
    ASSERT_FALSE(file->sync());
    ASSERT_TRUE(file->sync());
    ASSERT_EQ(content_of(disk, "a"), "new");
    disk.crash();
    lost += content_of(disk, "a") == "old";
  }
  if (std::getenv("ADBROOK_SEED") != nullptr) return;
  EXPECT_GT(lost, 0);
}

TEST(SimulatedFileSystem, full_disk_is_told_and_heals_when_space_is_freed) {
  SimulatedFileSystem disk(5);
  disk.set_capacity(1000);
  auto file = disk.open("a", OpenMode::write).value();
  ASSERT_TRUE(file->allocate(600));
  EXPECT_EQ(file->size().value(), 0u);
  EXPECT_EQ(disk.free_bytes("/").value(), 400u);
  auto other = disk.open("b", OpenMode::write).value();
  EXPECT_EQ(other->allocate(401).error().kind, ErrorKind::disk_full);
  EXPECT_EQ(other->write_at(0, Buffer(401)).error().kind, ErrorKind::disk_full);
  EXPECT_EQ(disk.free_bytes("/").value(), 0u);
  EXPECT_TRUE(file->write_at(0, Buffer(600))) << "it was reserved";
  ASSERT_TRUE(disk.remove("b"));
  EXPECT_EQ(disk.free_bytes("/").value(), 0u) << "an open file keeps its space";
  other.reset();
  EXPECT_TRUE(file->write_at(600, Buffer(400)));
}

TEST(SimulatedFileSystem, names_follow_the_rules_of_a_file_system) {
  SimulatedFileSystem disk(5);
  EXPECT_EQ(disk.open("d/a", OpenMode::write).error().kind, ErrorKind::not_found);
  ASSERT_TRUE(disk.make_directories("/d/e/"));
  ASSERT_TRUE(disk.make_directories("d/e"));
  ASSERT_TRUE(disk.open("d/a", OpenMode::create_new));
  EXPECT_EQ(disk.open("d/a", OpenMode::create_new).error().kind, ErrorKind::already_exists);
  EXPECT_EQ(disk.open("./d/../d/x", OpenMode::read).error().kind, ErrorKind::not_found);
  EXPECT_EQ(disk.open("d", OpenMode::read).error().kind, ErrorKind::invalid);
  EXPECT_EQ(disk.remove_directory("d").error().kind, ErrorKind::invalid);
  EXPECT_EQ(disk.rename("d", "d/e/f").error().kind, ErrorKind::invalid);
  EXPECT_EQ(disk.make_directories("d/a/b").error().kind, ErrorKind::invalid);
  EXPECT_EQ(disk.list("d").value(), (std::vector<std::string>{"a", "e"}));
  ASSERT_TRUE(disk.remove("d/a"));
  ASSERT_TRUE(disk.remove_directory("d/e"));
  ASSERT_TRUE(disk.remove_directory("d"));
  EXPECT_TRUE(disk.list("/").value().empty());
}

// One random life of a disk, and what must be true of it at any moment.
class RandomLife {
 public:
  explicit RandomLife(std::uint64_t seed) : random_(seed), disk_(random_.next()) {}

  void run(int call_count) {
    for (int i = 0; i < call_count && !::testing::Test::HasFatalFailure(); ++i) one_call();
  }

  std::string everything() {
    std::string all;
    for (const std::string& name : disk_.list("/").value_or(std::vector<std::string>{}))
      all += name + "=" + content_of(disk_, name) + "\n";
    return all;
  }

 private:
  // Files are made durable by name at once; then each byte is either its last synced value or one
  // of the values written since.
  struct Expected {
    std::string synced;
    std::string seen;  // by readers
    std::vector<std::set<char>> since;
    std::uint64_t size_min = 0;
    std::uint64_t size_max = 0;
  };

  void one_call() {
    const std::string name(1, static_cast<char>('a' + random_.below(3)));
    if (!files_.contains(name)) {
      ASSERT_TRUE(disk_.open(name, OpenMode::write));
      ASSERT_TRUE(disk_.sync_directory("/"));
      files_[name];
    }
    Expected& expected = files_[name];
    auto file = disk_.open(name, OpenMode::write).value();
    switch (random_.below(8)) {
      case 0: return crash();
      case 1: return truncate(*file, expected);
      case 2: return sync(*file, expected);
      default: return write(*file, expected);
    }
  }

  void note_size(Expected& expected) {
    expected.size_min = std::min<std::uint64_t>(expected.size_min, expected.seen.size());
    expected.size_max = std::max<std::uint64_t>(expected.size_max, expected.seen.size());
  }

  void write(File& file, Expected& expected) {
    const std::uint64_t position = random_.below(3000);
    const std::string text(1 + random_.below(1500), static_cast<char>('A' + random_.below(26)));
    ASSERT_TRUE(file.write_at(position, as_bytes(text)));
    const std::size_t end = position + text.size();
    if (expected.seen.size() < end) expected.seen.resize(end, '\0');
    if (expected.since.size() < end) expected.since.resize(end);
    for (std::size_t i = 0; i < end; ++i)
      expected.since[i].insert(i < position ? '\0' : text[i - position]);
    expected.seen.replace(position, text.size(), text);
    note_size(expected);
  }

  void truncate(File& file, Expected& expected) {
    const std::uint64_t size = random_.below(expected.seen.size() + 1);
    ASSERT_TRUE(file.truncate(size));
    for (std::size_t i = size; i < expected.since.size(); ++i) expected.since[i].insert('\0');
    expected.seen.resize(size);
    note_size(expected);
  }

  void sync(File& file, Expected& expected) {
    ASSERT_TRUE(file.sync());
    settle(expected, expected.seen);
  }

  static void settle(Expected& expected, std::string content) {
    expected.synced = std::move(content);
    expected.seen = expected.synced;
    expected.since.assign(expected.synced.size(), {});
    expected.size_min = expected.size_max = expected.synced.size();
  }

  void crash() {
    for (const auto& [name, expected] : files_) ASSERT_EQ(content_of(disk_, name), expected.seen);
    disk_.crash();
    for (auto& [name, expected] : files_) {
      const std::string left = content_of(disk_, name);
      ASSERT_GE(left.size(), expected.size_min);
      ASSERT_LE(left.size(), expected.size_max);
      for (std::size_t i = 0; i < left.size(); ++i) {
        const char synced = i < expected.synced.size() ? expected.synced[i] : '\0';
        const bool allowed = left[i] == synced || expected.since[i].contains(left[i]);
        ASSERT_TRUE(allowed) << "byte " << i << " of " << name << " was never there";
      }
      settle(expected, left);
    }
  }

  SeededRandom random_;
  SimulatedFileSystem disk_;
  std::map<std::string, Expected> files_;
};

TEST(SimulatedFileSystem, random_life_never_loses_synced_or_invents_bytes) {
  for (const std::uint64_t seed : test_seeds(60)) {
    SCOPED_TRACE(seed_note(seed));
    RandomLife(seed).run(120);
    if (HasFatalFailure()) return;
  }
}

TEST(SimulatedFileSystem, same_seed_gives_the_same_outcome) {
  for (const std::uint64_t seed : test_seeds(10)) {
    SCOPED_TRACE(seed_note(seed));
    RandomLife first(seed), second(seed), other(seed + 1);
    first.run(150);
    second.run(150);
    other.run(150);
    ASSERT_EQ(first.everything(), second.everything());
    ASSERT_NE(first.everything(), other.everything());
  }
}

}  // namespace
}  // namespace adbrook::io
