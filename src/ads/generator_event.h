// One synthetic event as numbers, small enough to wait in a queue by the ten thousand, and the
// world its numbers stand for. From the same numbers come its JSON text and its view keys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ads/event.h"
#include "ads/generator_random.h"
#include "ads/truth.h"
#include "ads/views.h"
#include "base/ids.h"
#include "base/time.h"

namespace adbrook::ads {

struct SyntheticEvent {
  Uuid id;
  Uuid impression_id;  // of a linked click
  Timestamp time;
  std::uint64_t style = 0;        // bits that choose between equal ways to write it
  std::int64_t price_micros = 0;  // 0: no price, no currency
  std::int32_t latitude = 0;      // ten-thousandths of a degree
  std::int32_t longitude = 0;
  std::uint32_t campaign = 0;  // counts from 0, as the publisher does
  std::uint32_t publisher = 0;
  std::uint32_t user = 0;       // 0: absent
  std::uint16_t creative = 0;   // number within its campaign, 0: absent
  std::uint16_t placement = 0;  // number within its publisher, 0: absent
  std::uint16_t place = 0;      // index + 1, 0: absent
  std::uint16_t device = 0;     // index + 1, 0: absent
  EventKind kind = EventKind::impression;
  bool is_linked = false;
  bool has_city = false;
  bool has_coordinates = false;
  bool is_bot = false;
};

// The dimensions of an event as Truth's text numbers, by Dimension.
using TruthDimensions = std::array<std::uint32_t, kDimensionNames.size()>;

struct GeneratorDevice {
  std::string_view browser, platform, platform_version;
};

struct WorldSize {
  std::uint32_t campaign_count = 10;
  std::uint32_t publisher_count = 5;
  std::uint32_t user_count = 100'000;
};

// Who advertises where to whom. Immutable; owned by one generator.
class GeneratorWorld {
 public:
  explicit GeneratorWorld(WorldSize size);

  SyntheticEvent impression(GeneratorRandom& random, Timestamp time) const;
  // A click on this impression by mostly the same user in mostly the same place.
  SyntheticEvent click_on(const SyntheticEvent& impression, GeneratorRandom& random,
                          Timestamp time) const;
  // A click that names no impression.
  SyntheticEvent unlinked_click(GeneratorRandom& random, Timestamp time) const;
  // The same id with other content, as a faulty sender repeats it.
  SyntheticEvent distorted(SyntheticEvent event, GeneratorRandom& random) const;

  TruthDimensions dimensions(const SyntheticEvent& event, Truth& truth) const;

  static std::string_view currency(const SyntheticEvent& event);
  static std::string creative_name(const SyntheticEvent& event);
  static std::uint32_t placement_number(const SyntheticEvent& event);
  static const GeneratorDevice& device(const SyntheticEvent& event);

 private:
  void fill_user(SyntheticEvent& event, GeneratorRandom& random) const;

  WorldSize size_;
  WeightedChoice campaigns_;
  WeightedChoice publishers_;
  WeightedChoice creatives_;
  WeightedChoice places_;
  WeightedChoice devices_;
};

// Appends the event as one line of JSON without line end.
void append_json(std::string& to, const SyntheticEvent& event);

}  // namespace adbrook::ads
