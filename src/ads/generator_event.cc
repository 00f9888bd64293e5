#include "ads/generator_event.h"

#include "ads/generator_places.h"

namespace adbrook::ads {
namespace {

constexpr std::size_t kCreativesPerCampaign = 10;
constexpr std::size_t kPlacementsPerPublisher = 3;

constexpr auto kDevices = std::to_array<GeneratorDevice>({
    {"Chrome", "Android", "13"},
    {"Chrome", "Windows", "10"},
    {"Safari", "iOS", "16.5"},
    {"Chrome", "Windows", "11"},
    {"Safari", "macOS", "13.4"},
    {"Samsung Internet", "Android", "12"},
    {"Edge", "Windows", "11"},
    {"Firefox", "Windows", "10"},
    {"Chrome", "macOS", "12.6"},
    {"Firefox", "Linux", "6.1"},
    {"Opera", "Windows", "10"},
    {"Chrome", "Chrome OS", "114"},
    {"Firefox", "Android", "11"},
    {"Safari", "iOS", "15.7"},
});

// Shares of absent fields, in millionths.
constexpr std::uint64_t kNoPlace = 50'000;
constexpr std::uint64_t kNoCity = 30'000;
constexpr std::uint64_t kNoCoordinates = 100'000;
constexpr std::uint64_t kNoDevice = 30'000;
constexpr std::uint64_t kNoCreative = 20'000;
constexpr std::uint64_t kNoPrice = 40'000;
constexpr std::uint64_t kNoUser = 100'000;

}  // namespace

GeneratorWorld::GeneratorWorld(WorldSize size)
    : size_(size),
      campaigns_(WeightedChoice::zipf(size.campaign_count)),
      publishers_(WeightedChoice::zipf(size.publisher_count)),
      creatives_(WeightedChoice::zipf(kCreativesPerCampaign)),
      places_(WeightedChoice::zipf(generator_places().size())),
      devices_(WeightedChoice::zipf(kDevices.size())) {}

void GeneratorWorld::fill_user(SyntheticEvent& event, GeneratorRandom& random) const {
  constexpr std::int64_t kSpread = 500;  // a twentieth of a degree around the city's centre
  event.user =
      random.chance(kNoUser) ? 0 : static_cast<std::uint32_t>(1 + random.below(size_.user_count));
  event.device =
      random.chance(kNoDevice) ? 0 : static_cast<std::uint16_t>(1 + devices_.pick(random));
  event.place = 0;
  event.has_city = event.has_coordinates = false;
  if (random.chance(kNoPlace)) return;
  const std::size_t place = places_.pick(random);
  event.place = static_cast<std::uint16_t>(1 + place);
  event.has_city = !random.chance(kNoCity);
  event.has_coordinates = !random.chance(kNoCoordinates);
  const GeneratorPlace& city = generator_places()[place];
  event.latitude = city.latitude + static_cast<std::int32_t>(random.between(-kSpread, kSpread));
  event.longitude = city.longitude + static_cast<std::int32_t>(random.between(-kSpread, kSpread));
}

SyntheticEvent GeneratorWorld::impression(GeneratorRandom& random, Timestamp time) const {
  SyntheticEvent event;
  event.kind = EventKind::impression;
  event.id = random.uuid();
  event.time = time;
  event.style = random.next();
  event.campaign = static_cast<std::uint32_t>(campaigns_.pick(random));
  event.publisher = static_cast<std::uint32_t>(publishers_.pick(random));
  if (!random.chance(kNoCreative))
    event.creative = static_cast<std::uint16_t>(1 + creatives_.pick(random));
  if (!random.chance(kNoCreative))
    event.placement = static_cast<std::uint16_t>(1 + random.below(kPlacementsPerPublisher));
  // A thousand impressions of the first campaign cost 0.50 to 1.50, of the next ones more.
  if (!random.chance(kNoPrice))
    event.price_micros =
        500 + 100 * static_cast<std::int64_t>(event.campaign % 20) + random.between(0, 1000);
  fill_user(event, random);
  return event;
}

SyntheticEvent GeneratorWorld::click_on(const SyntheticEvent& impression, GeneratorRandom& random,
                                        Timestamp time) const {
  constexpr std::uint64_t kElsewhere = 100'000;
  SyntheticEvent event = impression;
  event.kind = EventKind::click;
  event.id = random.uuid();
  event.impression_id = impression.id;
  event.is_linked = true;
  event.is_bot = false;
  event.time = time;
  event.style = random.next();
  // The click's own place and device must not show in the report: its impression's do.
  if (random.chance(kElsewhere)) fill_user(event, random);
  return event;
}

SyntheticEvent GeneratorWorld::unlinked_click(GeneratorRandom& random, Timestamp time) const {
  SyntheticEvent event = impression(random, time);
  event.kind = EventKind::click;
  return event;
}

SyntheticEvent GeneratorWorld::distorted(SyntheticEvent event, GeneratorRandom& random) const {
  event.style = random.next();
  event.campaign = static_cast<std::uint32_t>(random.below(size_.campaign_count));
  event.price_micros += 1;
  event.time = event.time + Millis(random.between(0, 60'000));
  fill_user(event, random);
  return event;
}

std::string_view GeneratorWorld::currency(const SyntheticEvent& event) {
  if (event.price_micros == 0) return {};
  return event.campaign % 5 == 3 ? "EUR" : "USD";
}

std::string GeneratorWorld::creative_name(const SyntheticEvent& event) {
  // One creative of each campaign has a name outside of ASCII.
  return (event.creative == 7 ? "été-" : "cr-") + std::to_string(event.campaign + 1) + "-" +
         std::to_string(event.creative);
}

std::uint32_t GeneratorWorld::placement_number(const SyntheticEvent& event) {
  return (event.publisher + 1) * 10 + event.placement;
}

const GeneratorDevice& GeneratorWorld::device(const SyntheticEvent& event) {
  static constexpr GeneratorDevice kBot{"bot", "Linux", {}};
  static constexpr GeneratorDevice kNone{};
  if (event.is_bot) return kBot;
  return event.device == 0 ? kNone : kDevices[event.device - 1u];
}

TruthDimensions GeneratorWorld::dimensions(const SyntheticEvent& event, Truth& truth) const {
  TruthDimensions out{};
  const auto set = [&](Dimension dimension, std::string_view text) {
    out[static_cast<std::size_t>(dimension)] = truth.number_of(text);
  };
  set(Dimension::campaign_id, std::to_string(event.campaign + 1));
  set(Dimension::publisher_id, std::to_string(event.publisher + 1));
  if (event.kind == EventKind::impression) {
    if (event.creative != 0) set(Dimension::creative_id, creative_name(event));
    if (event.placement != 0) set(Dimension::placement_id, std::to_string(placement_number(event)));
    set(Dimension::currency, currency(event));
  }
  if (event.place != 0) {
    const GeneratorPlace& place = generator_places()[event.place - 1u];
    set(Dimension::country, place.country);
    if (event.has_city) set(Dimension::city, place.city);
  }
  set(Dimension::browser, device(event).browser);
  set(Dimension::platform, device(event).platform);
  return out;
}

}  // namespace adbrook::ads
