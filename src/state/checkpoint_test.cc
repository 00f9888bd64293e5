#include "state/checkpoint.h"

#include <map>

#include "state/store_test.h"

namespace adbrook::state {
namespace checkpoint_test {

using State = std::map<std::string, std::string>;

const std::string kDirectory = "state/group/0";

std::unique_ptr<Checkpoint> open(io::FileSystem& disk) {
  auto opened = Checkpoint::open(disk, kDirectory);
  EXPECT_TRUE(opened) << opened.error().message;
  return opened ? std::move(*opened) : nullptr;
}

State read_all(const Checkpoint& checkpoint) {
  State state;
  for (const std::string& name : checkpoint.names("")) {
    const auto bytes = checkpoint.read(name);
    EXPECT_TRUE(bytes) << bytes.error().message;
    if (bytes) state[name] = as_text(*bytes);
  }
  return state;
}

void write_all(Checkpoint& checkpoint, std::uint64_t number, const State& state) {
  ASSERT_TRUE(checkpoint.begin({.commit_number = number}));
  for (const auto& [name, text] : state) checkpoint.replace(name, as_bytes(text));
  ASSERT_TRUE(checkpoint.commit());
}

TEST(Checkpoint, says_what_it_was_given) {
  io::SimulatedFileSystem disk(1);
  const CheckpointHead head{7, 99, {{"clicks", Offset{12}}, {"impressions", Offset{34}}}};
  auto checkpoint = open(disk);
  EXPECT_TRUE(checkpoint->empty());
  ASSERT_TRUE(checkpoint->begin(head));
  checkpoint->replace("a", as_bytes("alpha"));
  checkpoint->replace("empty", {});
  ASSERT_TRUE(checkpoint->commit());
  checkpoint = open(disk);
  EXPECT_EQ(checkpoint->head(), head);
  EXPECT_EQ(read_all(*checkpoint), (State{{"a", "alpha"}, {"empty", ""}}));
  EXPECT_EQ(checkpoint->read("b").error().kind, ErrorKind::not_found);
}

TEST(Checkpoint, unchanged_blobs_stay_and_extended_ones_grow) {
  io::SimulatedFileSystem disk(1);
  auto checkpoint = open(disk);
  write_all(*checkpoint, 1, {{"kept", "k"}, {"grown", "one"}, {"gone", "g"}});
  ASSERT_TRUE(checkpoint->begin({.commit_number = 2}));
  EXPECT_FALSE(checkpoint->whole());
  EXPECT_FALSE(checkpoint->can_extend("grown", 2));
  ASSERT_TRUE(checkpoint->can_extend("grown", 3));
  checkpoint->extend("grown", as_bytes(" two"));
  checkpoint->drop("gone");
  ASSERT_TRUE(checkpoint->commit());
  EXPECT_EQ(read_all(*open(disk)), (State{{"kept", "k"}, {"grown", "one two"}}));
}

// Records of 7 bytes, so that the end of a piece falls anywhere; 3 MB are three pieces.
TEST(Checkpoint, a_blob_given_in_pieces_is_as_one_given_whole) {
  io::SimulatedFileSystem disk(1);
  auto checkpoint = open(disk);
  const auto fill_from = [](std::string& all, char first, std::size_t count) {
    return [&all, first, count](Buffer& to, Visit<> after_each) {
      for (std::size_t n = 0; n < count; ++n) {
        const std::string record = first + std::to_string(100'000 + n % 900'000);
        all += record;
        append(to, as_bytes(record));
        after_each();
      }
    };
  };
  std::string large, small;
  auto fill_large = fill_from(large, 'a', 450'000), fill_small = fill_from(small, 'b', 3);
  auto nothing = [](Buffer&, Visit<>) {};
  ASSERT_TRUE(checkpoint->begin({}));
  checkpoint->replace("before", as_bytes("x"));
  EXPECT_EQ(checkpoint->replace_in_pieces("large", Visit<Buffer&, Visit<>>(fill_large)),
            3'150'000u);
  EXPECT_EQ(checkpoint->replace_in_pieces("none", Visit<Buffer&, Visit<>>(nothing)), 0u);
  checkpoint->replace("after", as_bytes("y"));
  ASSERT_TRUE(checkpoint->commit());
  ASSERT_TRUE(checkpoint->begin({}));
  ASSERT_TRUE(checkpoint->can_extend("large", large.size()));
  EXPECT_EQ(checkpoint->extend_in_pieces("large", Visit<Buffer&, Visit<>>(fill_small)), 21u);
  ASSERT_TRUE(checkpoint->commit());
  EXPECT_EQ(read_all(*open(disk)),
            (State{{"before", "x"}, {"large", large + small}, {"none", ""}, {"after", "y"}}));
}

TEST(Checkpoint, a_blob_in_many_pieces_is_to_be_replaced) {
  io::SimulatedFileSystem disk(1);
  auto checkpoint = open(disk);
  write_all(*checkpoint, 1, {{"a", "x"}});
  std::uint64_t size = 1;
  ASSERT_TRUE(checkpoint->begin({}));
  for (; checkpoint->can_extend("a", size); ++size) checkpoint->extend("a", as_bytes("x"));
  ASSERT_TRUE(checkpoint->commit());
  EXPECT_EQ(size, 32u);
}

TEST(Checkpoint, everything_is_wanted_again_when_half_is_garbage) {
  io::SimulatedFileSystem disk(1);
  auto checkpoint = open(disk);
  const std::string large(18 << 20, 'x');
  write_all(*checkpoint, 1, {{"large", large}, {"small", "s"}});
  EXPECT_EQ(checkpoint->stored_bytes(), checkpoint->live_bytes());
  ASSERT_TRUE(checkpoint->begin({}));
  EXPECT_FALSE(checkpoint->whole());
  checkpoint->replace("large", as_bytes("now small"));  // "small" holds the old file
  ASSERT_TRUE(checkpoint->commit());
  ASSERT_TRUE(checkpoint->begin({}));
  EXPECT_TRUE(checkpoint->whole());
  checkpoint->replace("small", as_bytes("s"));
  ASSERT_TRUE(checkpoint->commit());
  EXPECT_EQ(checkpoint->stored_bytes(), 1u);
}

// Changes one byte.
void damage(io::FileSystem& disk, const std::string& name, std::uint64_t position) {
  auto file = disk.open(kDirectory + "/" + name, io::OpenMode::write);
  ASSERT_TRUE(file);
  std::byte one;
  ASSERT_TRUE((*file)->read_at(position, {&one, 1}));
  one ^= std::byte{0x10};
  ASSERT_TRUE((*file)->write_at(position, {&one, 1}));
}

TEST(Checkpoint, a_damaged_one_is_told_and_the_one_before_is_used) {
  for (const std::string kind : {"manifest-", "blobs-"}) {
    io::SimulatedFileSystem disk(1);
    auto checkpoint = open(disk);
    write_all(*checkpoint, 1, {{"a", "first version"}});
    write_all(*checkpoint, 2, {{"a", "a longer second version"}});
    EXPECT_EQ(checkpoint->oldest_head().commit_number, 1u);
    damage(disk, kind + "00000000000000000002", 20);
    checkpoint = open(disk);
    EXPECT_EQ(checkpoint->head().commit_number, 1u);
    EXPECT_EQ(checkpoint->damage().size(), 1u);
    EXPECT_EQ(read_all(*checkpoint), (State{{"a", "first version"}}));
    write_all(*checkpoint, 3, {{"a", "third version"}});
    EXPECT_EQ(read_all(*open(disk)), (State{{"a", "third version"}}));
  }
}

TEST(Checkpoint, a_newer_format_is_refused_not_passed_over) {
  io::SimulatedFileSystem disk(1);
  auto checkpoint = open(disk);
  write_all(*checkpoint, 1, {{"a", "first version"}});
  damage(disk, "manifest-00000000000000000001", 8);
  EXPECT_EQ(Checkpoint::open(disk, kDirectory).error().kind, ErrorKind::unsupported);
}

TEST(Checkpoint, only_files_of_the_two_kept_ones_stay) {
  io::SimulatedFileSystem disk(1);
  auto checkpoint = open(disk);
  for (std::uint64_t n = 1; n <= 10; ++n) write_all(*checkpoint, n, {{"a", std::to_string(n)}});
  EXPECT_EQ(disk.list(kDirectory)->size(), 4u);
}

TEST(Checkpoint, a_full_disk_leaves_the_last_one_and_asks_for_everything) {
  io::SimulatedFileSystem disk(1);
  auto checkpoint = open(disk);
  write_all(*checkpoint, 1, {{"a", "one"}});
  disk.set_capacity(0);
  ASSERT_TRUE(checkpoint->begin({.commit_number = 2}));
  checkpoint->replace("a", as_bytes("two"));
  EXPECT_EQ(checkpoint->commit().error().kind, ErrorKind::disk_full);
  EXPECT_EQ(read_all(*checkpoint), (State{{"a", "one"}}));
  disk.set_capacity(std::nullopt);
  ASSERT_TRUE(checkpoint->begin({.commit_number = 3}));
  EXPECT_TRUE(checkpoint->whole());
  checkpoint->replace("a", as_bytes("three"));
  ASSERT_TRUE(checkpoint->commit());
  EXPECT_EQ(read_all(*open(disk)), (State{{"a", "three"}}));
}

// Writes random checkpoints onto a disk that dies or fails at random steps, and knows which states
// may be found afterwards.
class CrashRun {
 public:
  explicit CrashRun(std::uint64_t seed) : random_(seed), disk_(seed) {}

  void round() {
    auto checkpoint = Checkpoint::open(disk_, kDirectory);
    ASSERT_TRUE(checkpoint) << checkpoint.error().message;
    check(**checkpoint);
    if (testing::Test::HasFailure()) return;
    plan_trouble();
    for (std::uint64_t left = 1 + random_.below(6); left > 0 && !disk_.dead(); --left) {
      write(**checkpoint);
      if (testing::Test::HasFailure()) return;
    }
    checkpoint->reset();
    disk_.crash();
  }

 private:
  // The newest one that was acknowledged, or one whose writing was tried after it; never a mixture.
  void check(const Checkpoint& checkpoint) {
    EXPECT_TRUE(checkpoint.damage().empty()) << checkpoint.damage().front();
    const std::uint64_t number = checkpoint.empty() ? 0 : checkpoint.head().commit_number;
    const auto allowed = allowed_.find(number);
    ASSERT_NE(allowed, allowed_.end()) << "checkpoint " << number;
    state_ = allowed->second;
    EXPECT_EQ(read_all(checkpoint), state_);
    allowed_ = {{number, state_}};
  }

  void plan_trouble() {
    if (random_.below(3) != 0) disk_.crash_at_step(disk_.steps() + random_.below(60));
    if (random_.below(3) != 0) return;
    constexpr io::DiskCall kCalls[] = {io::DiskCall::write,  io::DiskCall::sync,
                                       io::DiskCall::rename, io::DiskCall::sync_directory,
                                       io::DiskCall::remove, io::DiskCall::open};
    disk_.fail_call(kCalls[random_.below(std::size(kCalls))], random_.below(8));
  }

  void write(Checkpoint& checkpoint) {
    const std::uint64_t number = ++last_number_;
    if (!checkpoint.begin({.commit_number = number})) return;
    State next = checkpoint.whole() ? State{} : state_;
    for (std::uint64_t changes = random_.below(8); changes > 0; --changes) {
      change(checkpoint, next, "blob" + std::to_string(random_.below(6)));
    }
    allowed_[number] = next;
    if (!checkpoint.commit()) return;
    state_ = next;
    allowed_ = {{number, next}};
  }

  void change(Checkpoint& checkpoint, State& next, const std::string& name) {
    const std::string text(random_.below(5000), static_cast<char>('a' + random_.below(26)));
    if (random_.below(4) == 0) {
      checkpoint.drop(name);
      next.erase(name);
    } else if (next.contains(name) && checkpoint.can_extend(name, next[name].size())) {
      checkpoint.extend(name, as_bytes(text));
      next[name] += text;
    } else {
      checkpoint.replace(name, as_bytes(text));
      next[name] = text;
    }
  }

  io::SeededRandom random_;
  io::SimulatedFileSystem disk_;
  State state_;
  std::map<std::uint64_t, State> allowed_{{0, {}}};
  std::uint64_t last_number_ = 0;
};

TEST(Checkpoint, after_a_crash_the_newest_durable_one_is_there_and_whole) {
  for (const std::uint64_t seed : io::test_seeds(100)) {
    SCOPED_TRACE(io::seed_note(seed));
    CrashRun run(seed);
    for (int i = 0; i < 30 && !testing::Test::HasFailure(); ++i) run.round();
    ASSERT_FALSE(testing::Test::HasFailure());
  }
}

}  // namespace checkpoint_test
}  // namespace adbrook::state
