// How a synthetic event is written: all the ways the edge must understand as the same event.
#include <array>
#include <charconv>

#include "ads/generator_event.h"
#include "ads/generator_places.h"

namespace adbrook::ads {
namespace {

// The code point at the start of valid UTF-8 of at most three bytes, which all our names are.
std::uint32_t take_code_point(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::size_t size = byte(0) < 0x80 ? 1 : byte(0) < 0xE0 ? 2 : 3;
  std::uint32_t code = size == 1 ? byte(0) : byte(0) & (0x3Fu >> (size - 1));
  for (std::size_t i = 1; i < size; ++i) code = (code << 6) | (byte(i) & 0x3F);
  text.remove_prefix(size);
  return code;
}

void append_escaped(std::string& to, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  while (!text.empty()) {
    const std::uint32_t code = take_code_point(text);
    if (code < 0x80) {
      to += static_cast<char>(code);
      continue;
    }
    to += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) to += kDigits[(code >> shift) & 15];
  }
}

class EventWriter {
 public:
  EventWriter(std::string& to, const SyntheticEvent& event) : to_(to), event_(event) {}

  void write() {
    to_ += '{';
    write_head();
    if (event_.kind == EventKind::impression) {
      if (event_.creative != 0) text("creativeId", GeneratorWorld::creative_name(event_));
      if (event_.placement != 0) number("placementId", GeneratorWorld::placement_number(event_));
    } else if (event_.is_linked) {
      id("impressionId", event_.impression_id, 3);
    }
    write_user();
    if (event_.kind == EventKind::impression) write_price();
    write_rest();
    to_ += '}';
  }

 private:
  // `count` bits of the style from `first` on.
  std::uint64_t style(int first, int count) const {
    return (event_.style >> first) & ((1u << count) - 1);
  }

  void name(std::string_view name) {
    if (to_.back() != '{') to_ += style(0, 4) == 0 ? " , " : ",";
    to_ += '"';
    to_ += name;
    to_ += style(0, 4) == 0 ? "\" : " : "\":";
  }
  void text(std::string_view field, std::string_view value) {
    name(field);
    to_ += '"';
    if (style(4, 2) == 0)
      append_escaped(to_, value);
    else
      to_ += value;
    to_ += '"';
  }
  void number(std::string_view field, std::int64_t value) {
    name(field);
    std::array<char, 24> digits;
    to_.append(digits.data(), std::to_chars(digits.data(), digits.end(), value).ptr);
  }
  void id(std::string_view field, Uuid id, int style_first) {
    std::string value = id.to_string();
    const std::uint64_t form = style(style_first + 5, 4);
    if (form == 0) std::erase(value, '-');
    if (form == 1)
      for (char& c : value)
        if (c >= 'a') c = static_cast<char>(c - 32);
    name(field);
    ((to_ += '"') += value) += '"';
  }
  void degrees(std::string_view field, std::int32_t value) {
    name(field);
    if (value < 0) to_ += '-';
    const std::uint32_t size = static_cast<std::uint32_t>(value < 0 ? -value : value);
    to_ += std::to_string(size / 10'000) + ".";
    to_ += std::to_string(10'000 + size % 10'000).substr(1);
  }

  void write_head() {
    id("uuid", event_.id, 0);
    const std::uint64_t form = style(16, 3);
    if (form == 0) {
      text("timestamp", format_time(event_.time));
    } else if (form == 1) {
      std::string local = format_time(event_.time + std::chrono::hours(2));
      local.replace(local.size() - 1, 1, "+02:00");
      text("timestamp", local);
    } else {
      number("timestamp", event_.time.ms);
    }
    number("campaignId", event_.campaign + 1);
    number("pubId", event_.publisher + 1);
  }

  void write_user() {
    if (event_.user != 0) {
      text("userId", "u" + std::to_string(event_.user));
      const std::uint32_t n = event_.user;
      if (n % 10 == 0)
        text("ip", "2001:db8::" + std::to_string(n % 10'000));
      else
        text("ip", std::to_string(11 + n % 180) + "." + std::to_string(n / 180 % 256) + "." +
                       std::to_string(n / 46'080 % 256) + "." + std::to_string(1 + n % 254));
    }
    if (event_.place != 0) {
      const GeneratorPlace& place = generator_places()[event_.place - 1u];
      if (event_.has_city) text("city", place.city);
      text("country", place.country);
    }
    const GeneratorDevice& device = GeneratorWorld::device(event_);
    if (!device.browser.empty()) text("browser", device.browser);
    if (!device.platform.empty()) text("platform", device.platform);
    if (!device.platform_version.empty()) text("platformVersion", device.platform_version);
    if (event_.has_coordinates) {
      degrees("latitude", event_.latitude);
      degrees("longitude", event_.longitude);
    }
  }

  void write_price() {
    if (event_.price_micros != 0) {
      number("priceMicros", event_.price_micros);
      text("currency", GeneratorWorld::currency(event_));
    }
    if (style(20, 4) == 0) {
      text("decisionId", "d/" + std::to_string(style(32, 20)));
      name("propensity");
      to_ += "0.25";
    }
  }

  // Fields nobody knows, null, and text that needs escapes.
  void write_rest() {
    switch (style(24, 6)) {
      case 0: text("slotSize", "300x250"); break;
      case 1:
        name("extra");
        to_ += R"({"experiment":"a\/b \"two\"","note":"line\nbreak"})";
        break;
      case 2:
        name("viewport");
        to_ += R"({"width":1280,"height":720})";
        break;
      case 3:
        if (event_.user != 0) break;
        name("userId");
        to_ += "null";
        break;
      default: break;
    }
  }

  std::string& to_;
  const SyntheticEvent& event_;
};

}  // namespace

void append_json(std::string& to, const SyntheticEvent& event) { EventWriter(to, event).write(); }

}  // namespace adbrook::ads
