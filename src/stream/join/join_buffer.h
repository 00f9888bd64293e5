// What a stream–stream join remembers: the rows of both sides, as bytes, for as long as a partner
// may still come; among them those that met nobody yet and may have to be reported alone.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "state/time_store.h"

namespace adbrook::state {
class Checkpoint;
}

namespace adbrook::stream {

enum class JoinKind : std::uint8_t { inner, left, outer };
enum class JoinSide : std::uint8_t { left, right };
constexpr JoinSide other_side(JoinSide side) {
  return side == JoinSide::left ? JoinSide::right : JoinSide::left;
}

struct JoinBufferOptions {
  JoinKind kind = JoinKind::inner;
  // A right row at time r is a partner of a left row at time t when t - before <= r <= t + after.
  Millis before{0}, after{0};
  Millis grace{0};
  Bytes budget = 64_MiB;  // shared evenly by the stores this kind of join needs
  state::OverBudget over_budget = state::OverBudget::wait;
  std::uint64_t hash_seed = 0;  // secret; changes no answer
};

// Owned by one thread. A row's window is closed when the watermark is above the last moment a
// partner may have, plus grace. A row that comes after that is late and not added; a row whose
// window closes is forgotten. So a pair is met exactly if, when the second of its rows came,
// neither was closed: no row can be reported both alone and with a partner, whatever the order of
// arrival.
class JoinBuffer {
 public:
  explicit JoinBuffer(const JoinBufferOptions& options);

  // The stores of a join of this name and kind, for which the names are taken.
  static std::vector<std::string> store_names(const std::string& name, JoinKind kind);
  // So many parts get an equal share of the budget.
  static std::int64_t store_count(JoinKind kind) { return 2 + 2 * static_cast<std::int64_t>(kind); }

  // A row may be reported alone.
  bool preserves(JoinSide side) const { return side_of(side).preserved; }
  // By how much the row's window was closed before it came; 0 when it is not late.
  Millis lateness(JoinSide side, Timestamp time) const {
    return std::max(Millis(0), closed_below(side_of(side), closed_) - time);
  }

  // Calls met(Timestamp partner_time, ByteView partner) for every partner that is there, by time;
  // those of one time that were met before come first, each in the order they came. Then keeps the
  // row. `met` must not call this object; its view ends with the call. Not for late rows.
  template <class F>
  void add(JoinSide side, ByteView key, Timestamp time, ByteView row, F&& met);

  // Calls alone(JoinSide, ByteView key, Timestamp time, ByteView row) once for each preserved row
  // whose window is closed now and that met nobody: by time, right before left, by key bytes, in
  // the order they came. Then forgets all closed rows. The watermark never goes back.
  template <class F>
  void close(Timestamp watermark, F&& alone);

  // Rows held, a few closed ones among them: memory is freed in pieces of the window.
  std::size_t count() const;
  Bytes memory() const;
  bool full() const;
  Result<void> trouble() const;              // of a disk, sticky
  void open(state::Checkpoint& checkpoint);  // where to spill; first of all
  void save(state::Checkpoint& checkpoint, std::string_view name);
  // `watermark`: that of the last close() before it was saved.
  Result<void> load(const state::Checkpoint& checkpoint, std::string_view name,
                    Timestamp watermark);

 private:
  struct Side {
    Millis behind, ahead;  // how far a partner's time may lie below and above
    bool preserved;
    state::TimeStore kept;     // met a partner, or is never reported alone
    state::TimeStore waiting;  // preserved, and met nobody so far
    // For each waiting row its key, by a slot of time: what closes is found without a walk over
    // what is open. Rows that met somebody since are found no more in `waiting`.
    state::TimeStore due;
  };
  struct Due {
    Timestamp time;
    JoinSide side;
    std::size_t key_begin, key_end;  // in arena_
  };
  // A waiting row copied out of its store, which is changed next.
  struct Copied {
    Timestamp time;
    std::uint32_t sequence;
    std::size_t row_begin, row_end;  // in arena_
  };

  Side make_side(JoinSide side) const;
  Side& side_of(JoinSide side) { return sides_[static_cast<std::size_t>(side)]; }
  const Side& side_of(JoinSide side) const { return sides_[static_cast<std::size_t>(side)]; }
  // Of the rows that this watermark has closed: all below.
  Timestamp closed_below(const Side& side, Timestamp watermark) const {
    return watermark - side.ahead - options_.grace;
  }
  ByteView in_arena(std::size_t begin, std::size_t end) const {
    return ByteView(arena_).subspan(begin, end - begin);
  }
  void copy_waiting(const Side& side, ByteView key, Timestamp first, Timestamp last);
  void move_to_kept(Side& side, ByteView key);
  void wait(Side& side, ByteView key, Timestamp time, ByteView row);
  void collect_due(JoinSide side, Timestamp below);
  void order_due();
  void expire(Timestamp watermark);
  template <class Self, class F>
  static void for_each_store(Self& self, F f);

  JoinBufferOptions options_;
  Millis slot_;
  std::array<Side, 2> sides_;
  Timestamp closed_ = Timestamp::lowest();  // the watermark of the last close()
  Buffer arena_;                            // reused, as the next two
  std::vector<Copied> copied_;              // by time
  std::vector<Due> due_;
};

template <class F>
void JoinBuffer::add(JoinSide side, ByteView key, Timestamp time, ByteView row, F&& met) {
  Side& own = side_of(side);
  Side& other = side_of(other_side(side));
  const Timestamp first = time - own.behind, last = time + own.ahead;
  copied_.clear();
  if (other.waiting.count() > 0) copy_waiting(other, key, first, last);
  bool alone = copied_.empty();
  auto next = copied_.begin();
  const auto meet_copied = [&] {
    met(next->time, in_arena(next->row_begin, next->row_end));
    ++next;
  };
  other.kept.fetch(key, first, last, [&](Timestamp partner_time, std::uint32_t, ByteView partner) {
    alone = false;
    while (next != copied_.end() && next->time < partner_time) meet_copied();
    met(partner_time, partner);
  });
  while (next != copied_.end()) meet_copied();
  move_to_kept(other, key);
  if (own.preserved && alone)
    wait(own, key, time, row);
  else
    own.kept.add(key, time, row);
}

template <class F>
void JoinBuffer::close(Timestamp watermark, F&& alone) {
  if (watermark <= closed_) return;
  arena_.clear();
  due_.clear();
  for (const JoinSide side : {JoinSide::left, JoinSide::right})
    if (preserves(side)) collect_due(side, closed_below(side_of(side), watermark));
  order_due();
  for (const Due& due : due_) {
    const ByteView key = in_arena(due.key_begin, due.key_end);
    side_of(due.side).waiting.fetch(
        key, due.time, due.time,
        [&](Timestamp time, std::uint32_t, ByteView row) { alone(due.side, key, time, row); });
  }
  expire(watermark);
}

}  // namespace adbrook::stream
