#include "base/varint.h"

#include <gtest/gtest.h>

#include <array>

namespace adbrook {
namespace {

// Reads the varint once with spare bytes behind it and once without: two ways through the code.
std::int64_t read_both_ways(std::span<const std::byte> exact, std::size_t& size) {
  std::int64_t tight = 0;
  const std::byte* end = read_varint(exact.data(), exact.data() + exact.size(), tight);
  EXPECT_NE(end, nullptr);
  size = static_cast<std::size_t>(end - exact.data());
  std::array<std::byte, 24> roomy;
  roomy.fill(std::byte{0xFF});
  std::copy(exact.begin(), exact.end(), roomy.begin());
  std::int64_t wide = 0;
  EXPECT_EQ(read_varint(roomy.data(), roomy.data() + roomy.size(), wide), roomy.data() + size);
  EXPECT_EQ(wide, tight);
  return tight;
}

TEST(Varint, every_size_comes_back) {
  for (int bits = 0; bits < 64; ++bits) {
    for (const std::int64_t sign : {1, -1}) {
      for (const std::int64_t off : {-1, 0, 1}) {
        const auto value = sign * static_cast<std::int64_t>((1ull << bits) >> 1) + off;
        std::array<std::byte, kVarintSizeMax> bytes;
        const std::byte* end = write_varint(bytes.data(), value);
        const auto size = static_cast<std::size_t>(end - bytes.data());
        ASSERT_EQ(size, varint_size(value));
        std::size_t read_size = 0;
        EXPECT_EQ(read_both_ways(std::span(bytes).first(size), read_size), value);
        EXPECT_EQ(read_size, size);
        std::int64_t back = 0;
        EXPECT_EQ(read_varint(bytes.data(), end - 1, back), nullptr) << "truncated";
      }
    }
  }
}

TEST(Varint, known_bytes_are_written) {
  std::array<std::byte, kVarintSizeMax> bytes;
  ASSERT_EQ(write_varint(bytes.data(), 300) - bytes.data(), 2);
  EXPECT_EQ(bytes[0], std::byte{0xD8});
  EXPECT_EQ(bytes[1], std::byte{0x04});
}

TEST(Varint, more_than_64_bits_are_refused) {
  std::array<std::byte, 16> bytes;
  bytes.fill(std::byte{0xFF});
  bytes[9] = std::byte{2};
  std::int64_t value = 0;
  EXPECT_EQ(read_varint(bytes.data(), bytes.data() + bytes.size(), value), nullptr);
  EXPECT_EQ(read_varint(nullptr, bytes.data(), value), nullptr) << "a failed read stays failed";
}

}  // namespace
}  // namespace adbrook
