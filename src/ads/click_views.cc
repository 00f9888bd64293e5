#include "ads/click_views.h"

#include <string>

namespace adbrook::ads {
namespace {

constexpr Millis kHour = std::chrono::hours(1);
constexpr Millis kDay = std::chrono::hours(24);

state::CellOptions cell_options(const ViewDeclaration& view, const ViewOptions& options,
                                std::uint64_t hash_seed) {
  state::CellOptions cells{.dimensions = view.part_count, .hash_seed = hash_seed};
  cells.tiers.clear();
  if (view.bucket < kHour) cells.tiers.push_back({view.bucket, options.minute_retention});
  cells.tiers.push_back({kHour, options.hour_retention});
  cells.tiers.push_back({kDay, Millis(0)});
  return cells;
}

std::uint32_t& at(DimensionIds& ids, Dimension dimension) {
  return ids[static_cast<std::size_t>(dimension)];
}
std::uint32_t at(const DimensionIds& ids, Dimension dimension) {
  return ids[static_cast<std::size_t>(dimension)];
}
std::uint64_t& at(ViewCells::Measures& deltas, Measure measure) {
  return deltas[static_cast<std::size_t>(measure)];
}

// What two event types have in common.
template <class Event>
DimensionIds shared_ids(state::Dictionary& dictionary, const Event& event) {
  DimensionIds ids{};
  const auto text = [&](std::string_view value) {
    return value.empty() ? 0 : dictionary.intern(value);
  };
  at(ids, Dimension::campaign_id) = dictionary.intern(event.campaign_id);
  at(ids, Dimension::publisher_id) = dictionary.intern(event.publisher_id);
  at(ids, Dimension::country) = text(event.country);
  at(ids, Dimension::city) = text(event.city);
  at(ids, Dimension::browser) = text(event.browser);
  at(ids, Dimension::platform) = text(event.platform);
  return ids;
}

}  // namespace

ClickViews::ClickViews(stream::Topology& topology, const ViewOptions& options)
    : dictionary_(&topology.store<state::Dictionary>(
          std::string(kDictionaryStore),
          state::DictionaryOptions{.budget = options.dictionary_bytes,
                                   .hash_seed = topology.hash_seed()})) {
  for (std::size_t i = 0; i < kViewCount; ++i)
    cells_[i] = &topology.store<ViewCells>(std::string(kViews[i].name),
                                           cell_options(kViews[i], options, topology.hash_seed()));
}

DimensionIds ClickViews::ids_of(const Impression& impression) {
  DimensionIds ids = shared_ids(*dictionary_, impression);
  const auto text = [&](std::string_view value) {
    return value.empty() ? 0 : dictionary_->intern(value);
  };
  at(ids, Dimension::creative_id) = text(impression.creative_id);
  at(ids, Dimension::placement_id) = text(impression.placement_id);
  at(ids, Dimension::currency) = text(impression.currency);
  return ids;
}

DimensionIds ClickViews::ids_of(const Click& click) { return shared_ids(*dictionary_, click); }

ReportedUnder ClickViews::under(const DimensionIds& ids) const {
  const auto text = [&](Dimension dimension) { return dictionary_->text(at(ids, dimension)); };
  return {.campaign_id = dictionary_->number(at(ids, Dimension::campaign_id)).value_or(0),
          .publisher_id = dictionary_->number(at(ids, Dimension::publisher_id)).value_or(0),
          .creative_id = text(Dimension::creative_id),
          .placement_id = text(Dimension::placement_id),
          .country = text(Dimension::country),
          .city = text(Dimension::city),
          .browser = text(Dimension::browser),
          .platform = text(Dimension::platform)};
}

std::string_view ClickViews::currency(const DimensionIds& ids) const {
  return dictionary_->text(at(ids, Dimension::currency));
}

void ClickViews::add(Timestamp time, const DimensionIds& ids, const ViewCells::Measures& deltas) {
  for (std::size_t i = 0; i < kViewCount; ++i) {
    state::CellKey key;
    const auto parts = kViews[i].key();
    for (std::size_t part = 0; part < parts.size(); ++part) key.ids[part] = at(ids, parts[part]);
    cells_[i]->add(time, key, deltas);
  }
}

void ClickViews::add_impression(Timestamp time, const DimensionIds& ids, Uuid id,
                                std::int64_t price_micros) {
  ViewCells::Measures deltas{};
  at(deltas, Measure::impressions) = 1;
  at(deltas, Measure::spend_micros) = static_cast<std::uint64_t>(price_micros);
  at(deltas, Measure::impression_id_sum) = at(deltas, Measure::impression_id_xor) = xxh3(id);
  add(time, ids, deltas);
}

void ClickViews::add_joined(Timestamp time, const DimensionIds& ids, Uuid click) {
  ViewCells::Measures deltas{};
  at(deltas, Measure::joined_clicks) = 1;
  at(deltas, Measure::click_id_sum) = at(deltas, Measure::click_id_xor) = xxh3(click);
  add(time, ids, deltas);
}

void ClickViews::add_unlinked(Timestamp time, const DimensionIds& ids, Uuid click) {
  ViewCells::Measures deltas{};
  at(deltas, Measure::unlinked_clicks) = 1;
  at(deltas, Measure::click_id_sum) = at(deltas, Measure::click_id_xor) = xxh3(click);
  add(time, ids, deltas);
}

void ClickViews::add_unique(Timestamp time, const DimensionIds& ids, Uuid click) {
  ViewCells::Measures deltas{};
  at(deltas, Measure::unique_clicks) = 1;
  at(deltas, Measure::unique_click_id_sum) = at(deltas, Measure::unique_click_id_xor) = xxh3(click);
  add(time, ids, deltas);
}

void ClickViews::remove_unique(Timestamp time, const DimensionIds& ids, Uuid click) {
  const std::uint64_t hash = xxh3(click);
  ViewCells::Measures deltas{};
  at(deltas, Measure::unique_clicks) = ~std::uint64_t{0};  // -1 mod 2^64
  at(deltas, Measure::unique_click_id_sum) = ~hash + 1;
  at(deltas, Measure::unique_click_id_xor) = hash;
  add(time, ids, deltas);
}

}  // namespace adbrook::ads
