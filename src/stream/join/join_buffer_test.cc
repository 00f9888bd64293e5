// The memory of a stream–stream join against a plain model that holds every row and looks at all
// pairs: random order, duplicates, idle sides, restarts.
#include "stream/join/join_buffer.h"

#include <algorithm>
#include <string>
#include <vector>

#include "state/store_test.h"

namespace adbrook::stream {
namespace join_buffer_test {

struct ModelRow {
  JoinSide side;
  std::string key;
  Timestamp time;
  std::string row;
  bool alone = true;
  bool told = false;
};

// What a call told, as lines.
using Lines = std::vector<std::string>;

std::string line(Timestamp time, std::string_view row) {
  return std::string(row) + "@" + std::to_string(time.ms);
}

// The rule as it stands in the header, without a thought for cost.
struct Model {
  JoinBufferOptions options;
  std::vector<ModelRow> rows = {};
  Timestamp watermark = Timestamp::lowest();

  Timestamp closes(JoinSide side, Timestamp time) const {
    return time + (side == JoinSide::left ? options.after : options.before) + options.grace;
  }
  bool open(const ModelRow& row) const { return watermark <= closes(row.side, row.time); }
  bool preserved(JoinSide side) const {
    return options.kind == JoinKind::outer ||
           (options.kind == JoinKind::left && side == JoinSide::left);
  }
  bool partners(const ModelRow& a, const ModelRow& b) const {
    if (a.side == b.side || a.key != b.key) return false;
    const ModelRow& left = a.side == JoinSide::left ? a : b;
    const ModelRow& right = a.side == JoinSide::left ? b : a;
    return right.time >= left.time - options.before && right.time <= left.time + options.after;
  }

  Lines add(ModelRow added) {
    std::vector<std::pair<Timestamp, std::string>> met;
    for (ModelRow& row : rows) {
      if (!open(row) || !partners(row, added)) continue;
      met.emplace_back(row.time, line(row.time, row.row));
      row.alone = added.alone = false;
    }
    rows.push_back(std::move(added));
    std::ranges::sort(met);
    Lines lines;
    for (auto& one : met) lines.push_back(std::move(one.second));
    return lines;
  }

  Lines close(Timestamp at) {
    watermark = std::max(watermark, at);
    std::vector<ModelRow*> closed;
    for (ModelRow& row : rows)
      if (!open(row) && row.alone && preserved(row.side) && !std::exchange(row.told, true))
        closed.push_back(&row);
    std::ranges::stable_sort(closed, [](const ModelRow* a, const ModelRow* b) {
      const auto key = [](const ModelRow& r) {
        return std::tuple(r.time, r.side == JoinSide::left, r.key);
      };
      return key(*a) < key(*b);
    });
    Lines lines;
    for (const ModelRow* row : closed) lines.push_back(row->key + " " + line(row->time, row->row));
    return lines;
  }
};

struct RandomRun {
  io::SeededRandom random;
  JoinBufferOptions options;
  JoinBuffer buffer;
  Model model;
  state::CheckpointedStore saved;
  Timestamp now{1'000'000};
  std::int64_t disorder, step;
  std::uint64_t key_count, row_count = 0, pair_count = 0, alone_count = 0;

  explicit RandomRun(std::uint64_t seed)
      : random(seed),
        options(draw_options(random)),
        buffer(options),
        model{options},
        saved(seed),
        disorder(static_cast<std::int64_t>(1 + random.below(60))),
        step(static_cast<std::int64_t>(1 + random.below(6))),
        key_count(1 + random.below(6)) {}

  static JoinBufferOptions draw_options(io::SeededRandom& random) {
    const auto draw = [&] {
      return Millis(static_cast<std::int64_t>(random.below(random.below(3) == 0 ? 300 : 20)));
    };
    JoinBufferOptions options{.kind = static_cast<JoinKind>(random.below(3)),
                              .before = draw(),
                              .after = draw(),
                              .grace = draw()};
    options.hash_seed = random.next();
    return options;
  }

  void add() {
    now = now + Millis(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(step))));
    const Timestamp time =
        now - Millis(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(disorder))));
    const auto side = static_cast<JoinSide>(random.below(2));
    if (buffer.lateness(side, time) > Millis(0)) {
      EXPECT_LT(model.closes(side, time), model.watermark);
      return;
    }
    EXPECT_GE(model.closes(side, time), model.watermark);
    const std::string key = "k" + std::to_string(random.below(key_count));
    // Rows of all sizes, none twice except where nobody could tell.
    std::string row = std::to_string(row_count++) + std::string(random.below(40), 'x');
    std::vector<std::pair<Timestamp, std::string>> met;
    buffer.add(side, as_bytes(key), time, as_bytes(row), [&](Timestamp partner, ByteView bytes) {
      if (!met.empty()) {
        EXPECT_LE(met.back().first, partner);
      }
      met.emplace_back(partner, line(partner, as_text(bytes)));
    });
    pair_count += met.size();
    std::ranges::sort(met);
    Lines found;
    for (auto& one : met) found.push_back(std::move(one.second));
    EXPECT_EQ(found, model.add({side, key, time, std::move(row)}));
  }

  void close() {
    const Timestamp at =
        std::max(model.watermark, now - Millis(static_cast<std::int64_t>(
                                            random.below(static_cast<std::uint64_t>(disorder)))));
    Lines found;
    buffer.close(at, [&](JoinSide side, ByteView key, Timestamp time, ByteView row) {
      EXPECT_TRUE(model.preserved(side));
      found.push_back(std::string(as_text(key)) + " " + line(time, as_text(row)));
    });
    alone_count += found.size();
    EXPECT_EQ(found, model.close(at));
  }

  void restart() {
    struct Loading {
      JoinBuffer buffer;
      Timestamp watermark;
      void save(state::Checkpoint& checkpoint, std::string_view name) {
        buffer.save(checkpoint, name);
      }
      Result<void> load(const state::Checkpoint& checkpoint, std::string_view name) {
        return buffer.load(checkpoint, name, watermark);
      }
    };
    Loading old{std::move(buffer), model.watermark};
    saved.restart(old, Loading{JoinBuffer(options), model.watermark});
    buffer = std::move(old.buffer);
  }

  void act() {
    const std::uint64_t what = random.below(100);
    if (what < 80) return add();
    if (what < 98) return close();
    if (what == 98) {
      now = now + Millis(static_cast<std::int64_t>(random.below(1'000)));  // silence
      return close();
    }
    restart();
  }
};

TEST(JoinBuffer, agrees_with_a_model_that_looks_at_all_pairs) {
  std::uint64_t pairs = 0, alone = 0;
  for (const std::uint64_t seed : io::test_seeds(60)) {
    SCOPED_TRACE(io::seed_note(seed));
    RandomRun run(seed);
    for (int i = 0; i < 400 && !testing::Test::HasFailure(); ++i) run.act();
    if (testing::Test::HasFailure()) return;
    pairs += run.pair_count;
    alone += run.alone_count;
  }
  EXPECT_GT(pairs + alone, 0u);
}

struct Met {
  Lines lines;
  void operator()(Timestamp time, ByteView row) { lines.push_back(line(time, as_text(row))); }
};

// An idle side costs nothing but what the joint watermark leaves open.
TEST(JoinBuffer, holds_nothing_beyond_the_watermark_however_much_came) {
  JoinBuffer buffer({.kind = JoinKind::left, .before = Millis(10), .after = Millis(10)});
  std::int64_t most = 0;
  std::uint64_t told = 0;
  for (std::int64_t i = 0; i < 200'000; ++i) {
    Met met;
    buffer.add(JoinSide::left, as_bytes("k" + std::to_string(i % 50)), {i}, as_bytes("row"), met);
    if (i % 100 != 99) continue;
    buffer.close({i - 20}, [&](JoinSide, ByteView, Timestamp, ByteView) { ++told; });
    most = std::max(most, buffer.memory().count);
    EXPECT_LE(buffer.count(), 140u);
  }
  EXPECT_GT(told, 199'000u);
  EXPECT_LT(most, std::int64_t{4} << 20);
}

TEST(JoinBuffer, a_row_that_waited_is_met_again_after_its_first_partner) {
  JoinBuffer buffer({.kind = JoinKind::left, .before = Millis(5), .after = Millis(5)});
  Met met;
  buffer.add(JoinSide::left, as_bytes("a"), {10}, as_bytes("L"), met);
  EXPECT_EQ(met.lines, Lines{});
  buffer.add(JoinSide::right, as_bytes("a"), {12}, as_bytes("R1"), met);
  buffer.add(JoinSide::right, as_bytes("a"), {13}, as_bytes("R2"), met);
  buffer.add(JoinSide::right, as_bytes("b"), {13}, as_bytes("R3"), met);
  EXPECT_EQ(met.lines, (Lines{"L@10", "L@10"}));
  const auto fail = [](JoinSide, ByteView, Timestamp, ByteView) { FAIL() << "it was met"; };
  buffer.close({100}, fail);
  EXPECT_EQ(buffer.count(), 0u);
}

}  // namespace join_buffer_test
}  // namespace adbrook::stream
