#include "base/ids.h"

#include <bit>

namespace adbrook {
namespace {

constexpr std::uint64_t each(std::uint8_t byte) { return byte * 0x0101010101010101ull; }

// Four bytes out of eight hex digits, the first one in the lowest byte of `digits`; `good` becomes
// false when one is none. All eight at once, for every event's id comes through here: each digit is
// read as lower case, turned into its value, and back again to see whether it was one.
std::uint32_t parse_eight(std::uint64_t digits, bool& good) {
  const std::uint64_t lower = digits | each(0x20);
  const std::uint64_t letter = lower >> 6 & each(1);
  const std::uint64_t value = (lower & each(0x0F)) + 9 * letter;
  const std::uint64_t above_nine = (value + each(118)) >> 7 & each(1);
  const std::uint64_t written = value + each('0') + ('a' - '0' - 10) * above_nine;
  // Of control characters only the case bit makes digits.
  const std::uint64_t printed = (digits >> 5 | digits >> 6) & each(1);
  good = good && written == lower && (value & each(0xF0)) == 0 && printed == each(1);
  std::uint64_t pairs = (value << 4 | value >> 8) & 0x00FF00FF00FF00FFull;
  pairs = (pairs | pairs >> 8) & 0x0000FFFF0000FFFFull;
  return std::byteswap(static_cast<std::uint32_t>(pairs | pairs >> 16));
}

// The other way, in lower case: halves, bytes and nibbles are moved apart, the first one lowest.
std::uint64_t write_eight(std::uint32_t bytes) {
  std::uint64_t spread = std::uint64_t{bytes} >> 16 | std::uint64_t{bytes & 0xFFFF} << 32;
  spread = (spread >> 8 & 0x000000FF000000FFull) | (spread & 0x000000FF000000FFull) << 16;
  spread = (spread >> 4 & 0x000F000F000F000Full) | (spread & 0x000F000F000F000Full) << 8;
  const std::uint64_t above_nine = (spread + each(6)) >> 4 & each(1);
  return spread + each('0') + ('a' - '0' - 10) * above_nine;
}

template <class T>
std::uint64_t digits_at(const char* text) {
  return load_le<T>(reinterpret_cast<const std::byte*>(text));
}

// Two groups of four digits between dashes.
std::uint64_t two_fours(const char* first, const char* second) {
  return digits_at<std::uint32_t>(first) | digits_at<std::uint32_t>(second) << 32;
}

}  // namespace

std::optional<Uuid> Uuid::parse(std::string_view text) {
  using Eight = std::uint64_t;
  const char* at = text.data();
  std::array<Eight, 4> digits;
  if (text.size() == 32) {
    digits = {digits_at<Eight>(at), digits_at<Eight>(at + 8), digits_at<Eight>(at + 16),
              digits_at<Eight>(at + 24)};
  } else if (text.size() == 36 && at[8] == '-' && at[13] == '-' && at[18] == '-' && at[23] == '-') {
    digits = {digits_at<Eight>(at), two_fours(at + 9, at + 14), two_fours(at + 19, at + 24),
              digits_at<Eight>(at + 28)};
  } else {
    return std::nullopt;
  }
  bool good = true;
  std::array<std::uint32_t, 4> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) parts[i] = parse_eight(digits[i], good);
  if (!good) return std::nullopt;
  return Uuid{std::uint64_t{parts[0]} << 32 | parts[1], std::uint64_t{parts[2]} << 32 | parts[3]};
}

std::optional<Uuid> Uuid::from_bytes(ByteView bytes) {
  if (bytes.size() != 16) return std::nullopt;
  return Uuid{load_be<std::uint64_t>(bytes.data()), load_be<std::uint64_t>(bytes.data() + 8)};
}

std::array<char, 36> Uuid::text() const {
  std::array<char, 36> out;
  auto* const at = reinterpret_cast<std::byte*>(out.data());
  const auto two_fours_to = [at](std::size_t first, std::size_t second, std::uint64_t digits) {
    store_le(at + first, static_cast<std::uint32_t>(digits));
    store_le(at + second, static_cast<std::uint32_t>(digits >> 32));
  };
  out[8] = out[13] = out[18] = out[23] = '-';
  store_le(at, write_eight(static_cast<std::uint32_t>(high >> 32)));
  two_fours_to(9, 14, write_eight(static_cast<std::uint32_t>(high)));
  two_fours_to(19, 24, write_eight(static_cast<std::uint32_t>(low >> 32)));
  store_le(at + 28, write_eight(static_cast<std::uint32_t>(low)));
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
