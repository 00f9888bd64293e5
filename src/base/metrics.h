// Counters, gauges and histograms, and their Prometheus text (format 0.0.4).
// Names start with `adbrook_`, use base units, and end in `_total`, `_seconds`, `_bytes` where due.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace adbrook {

// {{"topic","clicks"},{"partition","0"}}; values must come from a bounded set.
using MetricLabels = std::vector<std::pair<std::string, std::string>>;

// Thread-safe.
class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Thread-safe.
class Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

// Thread-safe. Bounds are upper limits in the metric's unit, ascending; +Inf is added.
class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds);
  void observe(double value);
  const std::vector<double>& bounds() const { return bounds_; }
  std::uint64_t bucket_count(std::size_t index) const;  // not cumulated; the last one is +Inf
  double sum() const { return sum_.load(std::memory_order_relaxed); }

  // 100 us to 10 s, for durations in seconds.
  static std::vector<double> duration_bounds();

 private:
  std::vector<double> bounds_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;
  std::atomic<double> sum_{0};
};

// Thread-safe; registering takes a lock, counting does not. References stay valid as long as the
// registry lives. Asking again for the same name and labels gives the same object.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  Counter& counter(std::string_view name, std::string_view help, MetricLabels labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, MetricLabels labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, std::vector<double> bounds,
                       MetricLabels labels = {});
  // `read` is called while the text is made, from the thread that asked for it.
  void gauge_from(std::string_view name, std::string_view help, MetricLabels labels,
                  std::function<double()> read);

  std::string text() const;

 private:
  struct Family;
  Family& family(std::string_view name, std::string_view help, std::string_view type);

  mutable std::mutex mutex_;  // guards the map only; the values are atomics
  std::map<std::string, std::unique_ptr<Family>, std::less<>> families_;
};

}  // namespace adbrook
