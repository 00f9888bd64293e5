#include "base/metrics.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/assert.h"

namespace adbrook {
namespace {

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> out;
  return {out.data(), std::to_chars(out.data(), out.data() + out.size(), value).ptr};
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

std::string label_text(const MetricLabels& labels) {
  std::string out;
  for (const auto& [name, value] : labels)
    out += (out.empty() ? "" : ",") + name + "=\"" + escaped(value) + "\"";
  return out;
}

std::string braces(const std::string& labels, const std::string& extra = {}) {
  if (labels.empty() && extra.empty()) return {};
  return "{" + labels + (labels.empty() || extra.empty() ? "" : ",") + extra + "}";
}

}  // namespace

struct Metrics::Family {
  std::string help;
  std::string type;
  // Keyed by the labels' text.
  std::map<std::string, std::unique_ptr<Counter>> counters;
  std::map<std::string, std::unique_ptr<Gauge>> gauges;
  std::map<std::string, std::unique_ptr<Histogram>> histograms;
  std::map<std::string, std::function<double()>> readers;

  void print_histogram(const std::string& name, const std::string& labels, const Histogram& h,
                       std::string& out) const {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i <= h.bounds().size(); ++i) {
      count += h.bucket_count(i);
      const std::string le = i < h.bounds().size() ? number(h.bounds()[i]) : "+Inf";
      out += name + "_bucket" + braces(labels, "le=\"" + le + "\"") + " " + std::to_string(count) +
             "\n";
    }
    out += name + "_sum" + braces(labels) + " " + number(h.sum()) + "\n";
    out += name + "_count" + braces(labels) + " " + std::to_string(count) + "\n";
  }

  void print(const std::string& name, std::string& out) const {
    out += "# HELP " + name + " " + escaped(help) + "\n# TYPE " + name + " " + type + "\n";
    for (const auto& [labels, counter] : counters)
      out += name + braces(labels) + " " + std::to_string(counter->value()) + "\n";
    for (const auto& [labels, gauge] : gauges)
      out += name + braces(labels) + " " + number(gauge->value()) + "\n";
    for (const auto& [labels, read] : readers)
      out += name + braces(labels) + " " + number(read()) + "\n";
    for (const auto& [labels, histogram] : histograms)
      print_histogram(name, labels, *histogram, out);
  }
};

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)),
      counts_(std::make_unique<std::atomic<std::uint64_t>[]>(bounds_.size() + 1)) {}

void Histogram::observe(double value) {
  const auto at = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  counts_[static_cast<std::size_t>(at)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::uint64_t Histogram::bucket_count(std::size_t index) const {
  return counts_[index].load(std::memory_order_relaxed);
}

std::vector<double> Histogram::duration_bounds() {
  return {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
          0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10};
}

Metrics::Metrics() = default;
Metrics::~Metrics() = default;

Metrics::Family& Metrics::family(std::string_view name, std::string_view help,
                                 std::string_view type) {
  auto& slot = families_[std::string(name)];
  if (!slot) {
    slot = std::make_unique<Family>();
    slot->help = help;
    slot->type = type;
  }
  ADBROOK_ASSERT(slot->type == type, "a metric name has one type");
  return *slot;
}

Counter& Metrics::counter(std::string_view name, std::string_view help, MetricLabels labels) {
  const std::lock_guard lock(mutex_);
  auto& slot = family(name, help, "counter").counters[label_text(labels)];
  if (!slot) slot = std::make_unique<Counter>();
  return *slot;
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, MetricLabels labels) {
  const std::lock_guard lock(mutex_);
  auto& slot = family(name, help, "gauge").gauges[label_text(labels)];
  if (!slot) slot = std::make_unique<Gauge>();
  return *slot;
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help,
                              std::vector<double> bounds, MetricLabels labels) {
  const std::lock_guard lock(mutex_);
  auto& slot = family(name, help, "histogram").histograms[label_text(labels)];
  if (!slot) slot = std::make_unique<Histogram>(std::move(bounds));
  return *slot;
}

void Metrics::gauge_from(std::string_view name, std::string_view help, MetricLabels labels,
                         std::function<double()> read) {
  const std::lock_guard lock(mutex_);
  family(name, help, "gauge").readers[label_text(labels)] = std::move(read);
}

std::string Metrics::text() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& [name, family] : families_) family->print(name, out);
  return out;
}

}  // namespace adbrook
