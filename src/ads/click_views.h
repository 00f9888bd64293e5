// The views of the click-through reports while a task fills them: dimensions become dictionary ids
// once per impression, cells are counted by them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "ads/event.h"
#include "ads/output_value.h"
#include "ads/views.h"
#include "base/hash.h"
#include "base/settings.h"
#include "state/cells.h"
#include "state/dictionary.h"
#include "stream/topology.h"

namespace adbrook::ads {

inline constexpr std::array<state::Combine, kMeasureCount> kCellRules = [] {
  std::array<state::Combine, kMeasureCount> rules{};
  for (std::size_t i = 0; i < kMeasureCount; ++i)
    rules[i] =
        kMeasures[i].combine == Combine::sum ? state::Combine::sum : state::Combine::exclusive_or;
  return rules;
}();
using ViewCells = state::Cells<kCellRules>;

// The name of the dictionary among a task's stores. A view's cells go by the view's name.
inline constexpr std::string_view kDictionaryStore = "dictionary";

struct ViewOptions {
  Millis minute_retention = std::chrono::hours(24 * 8);
  Millis hour_retention = std::chrono::hours(24 * 62);
  Bytes dictionary_bytes = 256_MiB;

  template <class O = ViewOptions>
  static constexpr auto settings() {
    return std::tuple{
        Setting<O, Millis>{
            "minute.retention.ms", &O::minute_retention, std::chrono::hours(25), std::nullopt,
            "Cells older than this go from minutes into hours; longer costs memory."},
        Setting<O, Millis>{"hour.retention.ms", &O::hour_retention, std::chrono::hours(25),
                           std::nullopt,
                           "Cells older than this go from hours into days; longer costs memory."},
        Setting<O, Bytes>{
            "dictionary.bytes", &O::dictionary_bytes, 1_MiB, std::nullopt,
            "Distinct names of one task; when it is full the task takes no more input."},
    };
  }
};

// A row's dimensions by Dimension, as ids of the task's dictionary; 0 = absent.
using DimensionIds = std::array<std::uint32_t, kDimensionNames.size()>;

// Owned by one thread (the task's); the stores live in the topology.
class ClickViews {
 public:
  ClickViews(stream::Topology& topology, const ViewOptions& options);

  DimensionIds ids_of(const Impression& impression);
  DimensionIds ids_of(const Click& click);
  // The texts behind the ids; they stay valid as long as the task lives.
  ReportedUnder under(const DimensionIds& ids) const;
  std::string_view currency(const DimensionIds& ids) const;

  void add_impression(Timestamp time, const DimensionIds& ids, Uuid id, std::int64_t price_micros);
  void add_joined(Timestamp time, const DimensionIds& ids, Uuid click);
  void add_unlinked(Timestamp time, const DimensionIds& ids, Uuid click);
  void add_unique(Timestamp time, const DimensionIds& ids, Uuid click);
  void remove_unique(Timestamp time, const DimensionIds& ids, Uuid click);

 private:
  void add(Timestamp time, const DimensionIds& ids, const ViewCells::Measures& deltas);

  state::Dictionary* dictionary_;
  std::array<ViewCells*, kViewCount> cells_;
};

}  // namespace adbrook::ads
