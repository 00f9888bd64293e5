#include "base/ids.h"

namespace adbrook {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

constexpr std::array<std::int8_t, 256> make_hex_values() {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (int i = 0; i < 10; ++i) values['0' + i] = static_cast<std::int8_t>(i);
  for (int i = 0; i < 6; ++i) {
    values['a' + i] = static_cast<std::int8_t>(10 + i);
    values['A' + i] = static_cast<std::int8_t>(10 + i);
  }
  return values;
}
constexpr auto kHexValues = make_hex_values();

// Where the 32 digits stand in the 36-character form.
constexpr std::array<std::uint8_t, 16> kDashedPositions = {0,  2,  4,  6,  9,  11, 14, 16,
                                                           19, 21, 24, 26, 28, 30, 32, 34};

std::optional<Uuid> parse_digits(std::string_view text, bool dashed) {
  std::array<std::byte, 16> bytes;
  int bad = 0;
  for (std::size_t i = 0; i < 16; ++i) {
    const std::size_t at = dashed ? kDashedPositions[i] : 2 * i;
    const int high = kHexValues[static_cast<unsigned char>(text[at])];
    const int low = kHexValues[static_cast<unsigned char>(text[at + 1])];
    bad |= high | low;
    bytes[i] = static_cast<std::byte>((high << 4) | low);
  }
  if (bad < 0) return std::nullopt;
  return Uuid::from_bytes(bytes);
}

}  // namespace

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() == 32) return parse_digits(text, false);
  if (text.size() != 36) return std::nullopt;
  if (text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-') return std::nullopt;
  return parse_digits(text, true);
}

std::optional<Uuid> Uuid::from_bytes(ByteView bytes) {
  if (bytes.size() != 16) return std::nullopt;
  return Uuid{load_be<std::uint64_t>(bytes.data()), load_be<std::uint64_t>(bytes.data() + 8)};
}

std::array<char, 36> Uuid::text() const {
  std::array<char, 36> out;
  out[8] = out[13] = out[18] = out[23] = '-';
  const auto raw = bytes();
  for (std::size_t i = 0; i < 16; ++i) {
    const auto value = static_cast<unsigned>(raw[i]);
    out[kDashedPositions[i]] = kHexDigits[value >> 4];
    out[kDashedPositions[i] + 1] = kHexDigits[value & 15];
  }
  return out;
}

std::string Uuid::to_string() const {
  const auto characters = text();
  return {characters.begin(), characters.end()};
}

std::array<std::byte, 16> Uuid::bytes() const {
  std::array<std::byte, 16> out;
  store_be(out.data(), high);
  store_be(out.data() + 8, low);
  return out;
}

}  // namespace adbrook
