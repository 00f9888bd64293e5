// Where time comes from. Nothing outside `io/` asks the operating system, so a test can own it.
#pragma once

#include "base/time.h"

namespace adbrook::io {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Wall time; may jump in either direction.
  virtual Timestamp now() = 0;
  // Since an arbitrary moment; never goes back.
  virtual Nanos monotonic() = 0;
};

class RealClock final : public Clock {
 public:
  Timestamp now() override;
  Nanos monotonic() override;
};

// Stands still until the test moves it. Owned by one thread.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp start) : now_(start) {}
  Timestamp now() override { return now_; }
  Nanos monotonic() override { return elapsed_; }
  void advance(Millis by) {
    now_ = now_ + by;
    elapsed_ += by;
  }

 private:
  Timestamp now_;
  Nanos elapsed_{0};
};

}  // namespace adbrook::io
