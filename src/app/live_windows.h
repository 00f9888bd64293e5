// The live numbers: what was decided in the last seconds and minutes, and a line of the last half
// hour, made from totals that are looked at again and again.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "ads/live_totals.h"
#include "base/time.h"

namespace adbrook::app {

// One point of the line. Looks between its ends are shared out by time, hence fractions.
struct LiveSlot {
  Timestamp begin;
  double impressions = 0;
  double clicks = 0;  // joined and unlinked
};
inline constexpr Millis kLiveSlotSize{10'000};
inline constexpr std::size_t kLiveSlotCount = 180;

inline constexpr std::array<Millis, 3> kLiveWindows = {Millis(10'000), std::chrono::minutes(5),
                                                       std::chrono::minutes(30)};

struct LiveWindow {
  Millis size;
  Millis covered;  // less than `size` soon after a start
  ads::LiveTotals totals;
};

// Owned by one thread.
class LiveWindows {
 public:
  // `now` never goes back. Gives the slots that are complete by this look.
  std::vector<LiveSlot> look(Timestamp now, ads::LiveTotals totals);

  // As of the last look.
  LiveWindow window(Millis size) const;
  const std::deque<LiveSlot>& slots() const { return slots_; }

 private:
  // Older looks are kept at this distance.
  static constexpr Millis kLookDistance{1'000};
  struct Look {
    Timestamp time;
    ads::LiveTotals totals;
  };

  std::vector<LiveSlot> share_out(const Look& before, const Look& after);

  std::deque<Look> looks_;  // of the longest window, and one before it
  std::optional<Look> last_;
  LiveSlot open_;
  std::deque<LiveSlot> slots_;  // complete ones, oldest first
};

}  // namespace adbrook::app
