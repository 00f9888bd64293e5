// Rows that stay open for a window of event time (the parents of a join), each with the list of its
// children, and handed out once, exactly by time, when the watermark closes them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "state/chunked_array.h"
#include "state/time_buckets.h"

namespace adbrook::state {

class Checkpoint;

// A row's place; it fits SeenStore's link. Meaningful until the row was taken.
using WindowRef = std::uint32_t;

struct WindowChild {
  Timestamp time;
  Uuid id;
  friend constexpr auto operator<=>(const WindowChild&, const WindowChild&) = default;
};

// Owned by one thread. Row is a plain struct, saved as its bytes. `bucket` (at most 49 days; about
// a 64th of the window is good) changes memory, never an answer.
template <class Row>
class WindowStore {
  static_assert(std::is_trivially_copyable_v<Row>);

 public:
  explicit WindowStore(Millis bucket);

  WindowRef add(Timestamp time, const Row& row);

  // The row that `add(time, …)` gave `ref` for, or nullptr when it was taken. A caller that asks
  // only for rows whose window is open always gets one. Valid until the next take_closed().
  // To change a row, ask with `change`: it will be in the next checkpoint.
  const Row* find(Timestamp time, WindowRef ref) const;
  Row* change(Timestamp time, WindowRef ref);

  // The row must not be taken yet.
  void add_child(Timestamp time, WindowRef ref, const WindowChild& child);
  // The smallest child by (time, id); nullptr without children.
  const WindowChild* first_child(Timestamp time, WindowRef ref) const;
  // f(const WindowChild&), the first one first, the others in no promised order.
  template <class F>
  void for_each_child(Timestamp time, WindowRef ref, F&& f) const;

  // Hands out and removes every row with time <= limit, ordered by (time, insertion):
  // f(Timestamp time, WindowRef ref, const Row& row, std::span<const WindowChild> children), the
  // children ordered by (time, id). `f` must not call this store. Returns how many.
  template <class F>
  std::size_t take_closed(Timestamp limit, F&& f);

  std::size_t count() const;
  Bytes memory() const;

  void save(Checkpoint& checkpoint, std::string_view name);
  Result<void> load(const Checkpoint& checkpoint, std::string_view name);
};

}  // namespace adbrook::state
