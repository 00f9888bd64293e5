// Why the log takes no more appends, and whether it wants for space.
#pragma once

#include <atomic>
#include <mutex>
#include <string>

#include "base/metrics.h"
#include "base/result.h"

namespace adbrook::log {

// Thread-safe. The first trouble stays: what fails later only follows from it.
class Health {
 public:
  explicit Health(Metrics& metrics)
      : disk_full_gauge_(metrics.gauge("adbrook_log_disk_full",
                                       "1 while appends fail for want of space, else 0.")) {}

  bool failed() const { return failed_.load(std::memory_order_acquire); }

  void fail(const Error& error) {
    const std::lock_guard lock(mutex_);
    if (trouble_.empty())
      trouble_ = error.message + ". The log takes no more appends; restart to recover";
    failed_.store(true, std::memory_order_release);
  }

  std::string trouble() const {
    const std::lock_guard lock(mutex_);
    return trouble_;
  }

  bool disk_full() const { return disk_full_.load(std::memory_order_relaxed); }
  void set_disk_full(bool full) {
    disk_full_.store(full, std::memory_order_relaxed);
    disk_full_gauge_.set(full ? 1 : 0);
  }

 private:
  std::atomic<bool> failed_ = false;
  std::atomic<bool> disk_full_ = false;
  mutable std::mutex mutex_;  // guards the text: anybody may ask for it
  std::string trouble_;
  Gauge& disk_full_gauge_;
};

}  // namespace adbrook::log
