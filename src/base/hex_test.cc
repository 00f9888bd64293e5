#include "base/hex.h"

#include <gtest/gtest.h>

namespace adbrook {
namespace {

TEST(Hex, every_byte_comes_back) {
  Buffer all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<std::byte>(i));
  EXPECT_EQ(hex(as_bytes("\x01\xff")), "01ff");
  EXPECT_EQ(hex_decode(hex(all)), all);
}

TEST(Hex, spaces_stand_between_bytes_and_not_inside_one) {
  const auto bytes = hex_decode(" 00 0A\n\tfF\r\n");
  ASSERT_TRUE(bytes);
  EXPECT_EQ(hex(*bytes), "000aff");
  EXPECT_TRUE(hex_decode("")->empty());
  for (const char* wrong : {"0", "0 0", "0g", "g0", "00-11", "000"})
    EXPECT_FALSE(hex_decode(wrong)) << wrong;
}

}  // namespace
}  // namespace adbrook
