// Failing calls, a full disk, damaged bytes, and directories that are not ours.
#include <set>

#include "io/real_file_system.h"
#include "io/test_seed.h"
#include "log/log_test_bed.h"

namespace adbrook::log {
namespace log_fault_test {

using io::DiskCall;
using Values = std::vector<std::string>;

// --- failing calls ---

// Ten appends with checkpoints and rolls between them; returns the acknowledged values.
Values append_ten(LogBed& bed) {
  Values acknowledged;
  const auto partition = bed.log->partition("t", 0);
  if (!partition) return acknowledged;
  for (int i = 0; i < 10; ++i) {
    const std::string value = std::to_string(i) + std::string(3'000, 'x');
    if (bed.append(*partition, test_batch(value))) acknowledged.push_back(value);
  }
  return acknowledged;
}

void open_with_topic(LogBed& bed) {
  bed.options.wal_file_bytes = {16 << 10};
  ASSERT_TRUE(bed.open());
  ASSERT_TRUE(bed.log->create_topic("t", 1, {.segment_bytes = {10'000}}));
}

class FailingCall : public testing::TestWithParam<DiskCall> {};

TEST_P(FailingCall, never_costs_an_acknowledged_append) {
  for (std::uint64_t skip = 0;; ++skip) {
    SCOPED_TRACE(skip);
    LogBed bed(skip);
    open_with_topic(bed);
    bed.disk.fail_call(GetParam(), skip);
    const Values acknowledged = append_ten(bed);
    bed.executor.run_until_idle();
    const bool failed = !bed.log->trouble().empty();
    if (failed) {
      EXPECT_EQ(bed.append(bed.partition("t"), test_batch("later")).error().kind,
                ErrorKind::io_failed);
      EXPECT_FALSE(bed.log->close());
    }
    bed.power_loss();
    const auto opened = bed.open();
    ASSERT_TRUE(opened) << opened.error().message;
    const Values kept = bed.values(bed.partition("t"));
    ASSERT_GE(kept.size(), acknowledged.size());
    EXPECT_TRUE(std::equal(acknowledged.begin(), acknowledged.end(), kept.begin()));
    if (!failed && acknowledged.size() == 10 && skip > 60) break;
  }
}

INSTANTIATE_TEST_SUITE_P(Each, FailingCall,
                         testing::Values(DiskCall::open, DiskCall::write, DiskCall::sync,
                                         DiskCall::allocate, DiskCall::truncate, DiskCall::rename,
                                         DiskCall::remove, DiskCall::sync_directory));

TEST(LogFaults, a_call_that_fails_while_opening_leaves_the_directory_as_it_was) {
  for (const DiskCall call : {DiskCall::open, DiskCall::read, DiskCall::write, DiskCall::sync,
                              DiskCall::rename, DiskCall::list, DiskCall::sync_directory}) {
    for (std::uint64_t skip = 0; skip < 30; ++skip) {
      LogBed bed(skip);
      open_with_topic(bed);
      const Values acknowledged = append_ten(bed);
      bed.power_loss();
      bed.disk.fail_call(call, skip);
      const auto opened = bed.open();
      bed.power_loss();
      ASSERT_TRUE(bed.open()) << skip << (opened ? "" : opened.error().message);
      EXPECT_EQ(bed.values(bed.partition("t")), acknowledged) << skip;
    }
  }
}

// --- a full disk ---

void leave_room(LogBed& bed, std::uint64_t size) {
  constexpr std::uint64_t kLarge = 1ull << 40;
  bed.disk.set_capacity(kLarge);
  bed.disk.set_capacity(kLarge - bed.disk.free_bytes("data").value() + size);
}

TEST(LogFaults, a_full_disk_refuses_appends_and_takes_them_again_by_itself) {
  LogBed bed;
  open_with_topic(bed);
  const PartitionId t = bed.partition("t");
  Values acknowledged;
  for (int round = 0; round < 20; ++round) {
    leave_room(bed, 20'000);
    Appended refused = std::vector<AppendedBatch>{};
    for (int i = 0; i < 500 && refused; ++i) {
      const std::string value = std::to_string(round) + "/" + std::to_string(i);
      refused = bed.append(t, test_batch(value + std::string(900, 'x')));
      if (refused) acknowledged.push_back(value + std::string(900, 'x'));
    }
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::disk_full) << refused.error().message;
    EXPECT_TRUE(bed.log->disk_full());
    EXPECT_EQ(bed.log->trouble(), "");
    EXPECT_EQ(bed.values(t).size(), acknowledged.size());
    bed.disk.set_capacity(std::nullopt);
    bed.executor.advance(Millis(1'000));
    bed.executor.run_until_idle();
    EXPECT_FALSE(bed.log->disk_full());
    ASSERT_TRUE(bed.append(t, test_batch("again")));
    acknowledged.emplace_back("again");
  }
  EXPECT_EQ(bed.values(t), acknowledged);
  bed.power_loss();
  ASSERT_TRUE(bed.open());
  EXPECT_EQ(bed.values(bed.partition("t")), acknowledged);
}

TEST(LogFaults, retention_frees_a_full_disk) {
  LogBed bed;
  bed.options.wal_file_bytes = {16 << 10};
  ASSERT_TRUE(bed.open());
  ASSERT_TRUE(
      bed.log->create_topic("t", 1, {.retention = Millis(1'000), .segment_bytes = {10'000}}));
  append_ten(bed);
  bed.executor.advance(Millis(2'000));
  leave_room(bed, 0);
  ASSERT_EQ(bed.append(bed.partition("t"), test_batch(std::string(11'000, 'x'))).error().kind,
            ErrorKind::disk_full);
  const auto done = bed.log->apply_retention();
  EXPECT_TRUE(done) << done.error().message;
  EXPECT_EQ(bed.log->ends(bed.partition("t")).start, Offset{9});
}

TEST(LogFaults, an_append_without_room_in_one_partition_is_kept_in_none) {
  LogBed bed;
  open_with_topic(bed);
  ASSERT_TRUE(bed.log->create_topic("u", 1, {}));
  const PartitionId t = bed.partition("t");
  bed.append(t, test_batch("one")).value();
  leave_room(bed, 0);
  Append what;
  what.batches.push_back({t, test_batch("two")});
  what.batches.push_back({bed.partition("u"), test_batch("three")});
  EXPECT_EQ(bed.append(std::move(what)).error().kind, ErrorKind::disk_full);
  EXPECT_EQ(bed.log->ends(t).visible, Offset{1});
  // The first partition still has room, and the refused append left no gap in it.
  EXPECT_EQ(bed.append(t, test_batch("four"))->front().base, Offset{1});
  EXPECT_EQ(bed.values(t), (Values{"one", "four"}));
}

// --- damaged bytes ---

// Changes a file on the disk of a dead process.
void edit(LogBed& bed, const std::string& path, const std::function<void(Buffer&)>& change) {
  auto content = io::read_whole_file(bed.disk, path, 1 << 20);
  ASSERT_TRUE(content) << content.error().message;
  change(*content);
  auto file = bed.disk.open(path, io::OpenMode::write);
  ASSERT_TRUE(file && (*file)->truncate(content->size()) && (*file)->write_at(0, *content) &&
              (*file)->sync());
}

std::string current_wal(LogBed& bed) {
  std::string last;
  const auto names = bed.disk.list("data/wal").value();
  for (const std::string& name : names)
    if (name.ends_with(".wal")) last = "data/wal/" + name;
  return last;
}

// Where the n-th entry begins: each group has one and takes one block.
std::size_t entry_at(std::size_t index) { return 4096 * (index + 1); }

struct Tail : testing::Test {
  // Three synced entries in the current write-ahead file, nothing else behind the checkpoint.
  void make(LogBed& bed) {
    open_with_topic(bed);
    bed.power_loss();
    ASSERT_TRUE(bed.open());
    for (const char* value : {"one", "two", "three"})
      bed.append(bed.partition("t"), test_batch(value)).value();
    path = current_wal(bed);
    bed.power_loss();
  }
  std::string path;
};

TEST_F(Tail, an_entry_cut_at_any_byte_ends_the_log_before_it) {
  LogBed probe;
  make(probe);
  const std::size_t size = 24 + 16 + 28 + test_batch("three").size();
  for (std::size_t cut = 0; cut < size; ++cut) {
    LogBed bed;
    make(bed);
    edit(bed, path, [&](Buffer& content) {
      std::fill(content.begin() + static_cast<std::ptrdiff_t>(entry_at(2) + cut), content.end(),
                std::byte{0});
    });
    const auto opened = bed.open();
    ASSERT_TRUE(opened) << opened.error().message;
    // The batch's own last byte is 0: without it the entry is still whole.
    const Values all = bed.values(bed.partition("t"));
    if (cut + 1 == size && all.size() == 3) continue;
    EXPECT_EQ(all, (Values{"one", "two"})) << cut;
  }
}

TEST_F(Tail, the_file_cut_at_any_byte_of_the_last_entry_ends_the_log_before_it) {
  for (const std::size_t cut : {0, 1, 23, 24, 25, 60, 100}) {
    LogBed bed;
    make(bed);
    edit(bed, path, [&](Buffer& content) { content.resize(entry_at(2) + cut); });
    ASSERT_TRUE(bed.open());
    EXPECT_EQ(bed.values(bed.partition("t")), (Values{"one", "two"})) << cut;
    EXPECT_TRUE(bed.append(bed.partition("t"), test_batch("four")));
  }
}

TEST_F(Tail, a_flipped_bit_in_an_acknowledged_entry_is_reported_and_never_skipped) {
  const std::size_t size = 24 + 16 + 28 + test_batch("one").size();
  for (std::size_t bit = 0; bit < size * 8; bit += 3) {
    LogBed bed;
    make(bed);
    edit(bed, path,
         [&](Buffer& content) { content[entry_at(0) + bit / 8] ^= std::byte{1} << (bit % 8); });
    const auto opened = bed.open();
    ASSERT_FALSE(opened) << bit;
    EXPECT_EQ(opened.error().kind, ErrorKind::corrupt);
    EXPECT_NE(opened.error().message.find("entry"), std::string::npos);
  }
}

TEST_F(Tail, a_damaged_file_header_is_reported) {
  for (std::size_t byte = 0; byte < 32; ++byte) {
    LogBed bed;
    make(bed);
    edit(bed, path, [&](Buffer& content) { content[byte] ^= std::byte{4}; });
    EXPECT_EQ(bed.open().error().kind, ErrorKind::corrupt) << byte;
  }
}

TEST_F(Tail, a_missing_write_ahead_file_is_reported) {
  LogBed bed;
  make(bed);
  ASSERT_TRUE(bed.disk.remove(path));
  EXPECT_EQ(bed.open().error().kind, ErrorKind::corrupt);
}

TEST(LogFaults, a_flipped_bit_in_a_segment_is_found_by_the_read) {
  for (const char* suffix : {".log", ".times"}) {
    for (std::size_t bit = 0; bit < 32 * 8; bit += 5) {
      LogBed bed;
      open_with_topic(bed);
      bed.append(bed.partition("t"), test_batch("one")).value();
      bed.append(bed.partition("t"), test_batch("two")).value();
      ASSERT_TRUE(bed.log->close());
      bed.power_loss();
      edit(bed, std::string("data/topics/t-0/00000000000000000000") + suffix,
           [&](Buffer& content) { content[bit / 8] ^= std::byte{1} << (bit % 8); });
      ASSERT_TRUE(bed.open());
      const auto read = bed.log->read(bed.partition("t"), Offset{0}, 1 << 20);
      // The leader epoch, bytes 12 to 16 of a batch, has no checksum and no meaning here.
      if (read && std::string(suffix) == ".log" && bit / 8 >= 12 && bit / 8 < 16) continue;
      ASSERT_FALSE(read) << suffix << " bit " << bit;
      EXPECT_EQ(read.error().kind, ErrorKind::corrupt);
    }
  }
}

TEST(LogFaults, a_damaged_or_missing_checkpoint_is_reported) {
  for (std::size_t byte = 0; byte < 160; byte += 3) {
    LogBed bed;
    open_with_topic(bed);
    bed.power_loss();
    edit(bed, "data/wal/checkpoint", [&](Buffer& content) { content[byte] ^= std::byte{16}; });
    const auto opened = bed.open();
    ASSERT_FALSE(opened) << byte;
    EXPECT_TRUE(opened.error().kind == ErrorKind::corrupt ||
                opened.error().kind == ErrorKind::unsupported);
  }
  LogBed bed;
  open_with_topic(bed);
  bed.power_loss();
  ASSERT_TRUE(bed.disk.remove("data/wal/checkpoint"));
  EXPECT_EQ(bed.open().error().kind, ErrorKind::corrupt);
}

TEST(LogFaults, a_missing_or_cut_segment_file_is_reported) {
  LogBed bed;
  open_with_topic(bed);
  append_ten(bed);
  ASSERT_TRUE(bed.log->close());
  bed.power_loss();
  const std::string first = "data/topics/t-0/00000000000000000000.log";
  edit(bed, first, [](Buffer& content) { content.resize(content.size() - 1); });
  ASSERT_TRUE(bed.open());
  EXPECT_EQ(bed.log->read(bed.partition("t"), Offset{0}, 100).error().kind, ErrorKind::corrupt);
  EXPECT_TRUE(bed.log->read(bed.partition("t"), Offset{9}, 100));
  bed.power_loss();
  ASSERT_TRUE(bed.disk.remove(first));
  EXPECT_EQ(bed.open().error().kind, ErrorKind::corrupt);
}

// --- directories ---

TEST(LogDirectory, a_foreign_one_is_refused_and_not_touched) {
  LogBed bed;
  ASSERT_TRUE(bed.disk.make_directories("data/wal"));
  const auto opened = bed.open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::unsupported);
  EXPECT_NE(opened.error().message.find("'wal'"), std::string::npos) << opened.error().message;
  EXPECT_EQ(bed.disk.list("data").value(), Values{"wal"});
}

TEST(LogDirectory, a_newer_one_is_refused) {
  LogBed bed;
  ASSERT_TRUE(bed.open());
  bed.power_loss();
  edit(bed, "data/FORMAT", [](Buffer& content) { content[8] = std::byte{'2'}; });
  const auto opened = bed.open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::unsupported);
  EXPECT_NE(opened.error().message.find("adbrook 2"), std::string::npos);
}

TEST(LogDirectory, one_that_is_open_is_busy) {
  LogBed bed;
  ASSERT_TRUE(bed.open());
  Metrics metrics;
  const auto second = Log::open(bed.disk, bed.executor.clock(), bed.executor, metrics, "data", {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::busy);
}

TEST(LogDirectory, one_that_cannot_be_written_says_so) {
  io::RealFileSystem files;
  io::SimulatedExecutor executor(1);
  Metrics metrics;
  // Not writable for anybody, root included.
  const auto opened =
      Log::open(files, executor.clock(), executor, metrics, "/proc/adbrook-data", {});
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("'/proc/adbrook-data' cannot be used"), std::string::npos)
      << opened.error().message;
}

TEST(LogDirectory, a_first_start_cut_short_at_any_step_is_begun_again) {
  for (std::uint64_t step = 0; step < 60; ++step) {
    LogBed bed(step);
    bed.disk.crash_at_step(step);
    static_cast<void>(bed.open());
    bed.power_loss();
    const auto opened = bed.open();
    ASSERT_TRUE(opened) << step << ": " << opened.error().message;
    EXPECT_TRUE(bed.log->create_topic("t", 1, {}));
  }
}

}  // namespace log_fault_test
}  // namespace adbrook::log
