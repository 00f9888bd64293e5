#include "serde/avro_wire.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace adbrook::serde {
namespace avro_wire_test {

ByteView bytes_of(const std::string& text) { return as_bytes(text); }

TEST(AvroWire, every_kind_comes_back) {
  const std::optional<std::string_view> text = "text";
  const std::optional<std::string_view> none;
  const std::size_t size = avro_size(std::int64_t{-3}) + 1 + 4 + 8 + avro_size("héllo") +
                           avro_size(text) + avro_size(none) + avro_size(std::optional(2.5)) +
                           avro_size(std::optional<std::int64_t>(1LL << 40)) + 3;
  Buffer bytes(size);
  AvroWriter writer(bytes);
  writer.write_long(-3);
  writer.write_boolean(true);
  writer.write_float(1.5f);
  writer.write_double(-0.25);
  writer.write_string("héllo");
  writer.write_optional(text);
  writer.write_optional(none);
  writer.write_optional(std::optional(2.5));
  writer.write_optional(std::optional<std::int64_t>(1LL << 40));
  writer.write_fixed(as_bytes("abc"));
  EXPECT_EQ(writer.left(), 0u) << "the sizes are exact";

  AvroReader reader(bytes);
  EXPECT_EQ(reader.read_int(), -3);
  EXPECT_TRUE(reader.read_boolean());
  EXPECT_EQ(reader.read_float(), 1.5f);
  EXPECT_EQ(reader.read_double(), -0.25);
  EXPECT_EQ(reader.read_string_view(), "héllo");
  EXPECT_EQ(reader.read_optional_string_view(), "text");
  EXPECT_EQ(reader.read_optional_string_view(), std::nullopt);
  EXPECT_EQ(reader.read_optional_double(), 2.5);
  EXPECT_EQ(reader.read_optional_long(), 1LL << 40);
  EXPECT_EQ(as_text(reader.read_fixed(3)), "abc");
  EXPECT_TRUE(reader.done());
}

TEST(AvroWire, specification_examples_are_read) {
  const std::string foo(
      "\x06"
      "foo");
  EXPECT_EQ(AvroReader(bytes_of(foo)).read_string_view(), "foo");
  const std::string branch("\x02\x02\x61");  // union ["null","string"] holding "a"
  EXPECT_EQ(AvroReader(bytes_of(branch)).read_optional_string_view(), "a");
  const std::string array("\x04\x06\x36\x00", 4);  // array of longs 3, 27
  AvroReader reader(bytes_of(array));
  EXPECT_EQ(reader.read_block_count(1), 2u);
  EXPECT_EQ(reader.read_long(), 3);
  EXPECT_EQ(reader.read_long(), 27);
  EXPECT_EQ(reader.read_block_count(1), 0u);
  EXPECT_TRUE(reader.done());
}

TEST(AvroWire, first_error_sticks_and_keeps_its_position) {
  const std::string bytes(
      "\x02\x7f"
      "abc");  // 1, then a string of size -64
  AvroReader reader(bytes_of(bytes));
  EXPECT_EQ(reader.read_long(), 1);
  EXPECT_EQ(reader.read_string_view(), "");
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.read_long(), 0);
  EXPECT_EQ(reader.read_optional_double(), std::nullopt);
  EXPECT_EQ(reader.position(), 1u);
  EXPECT_FALSE(reader.done());
}

TEST(AvroWire, lies_are_refused) {
  const auto refused = [](std::string_view bytes, auto read) {
    AvroReader reader(as_bytes(bytes));
    read(reader);
    return !reader.ok();
  };
  using namespace std::string_view_literals;
  EXPECT_TRUE(
      refused("\x10"
              "ab"sv,
              [](auto& r) { r.read_bytes(); }))
      << "longer than the rest";
  EXPECT_TRUE(refused("\x02"sv, [](auto& r) { r.read_boolean(); })) << "neither true nor false";
  EXPECT_TRUE(refused("\x04"sv, [](auto& r) { r.read_union_branch(2); })) << "no such branch";
  EXPECT_TRUE(refused("\x01"sv, [](auto& r) { r.read_present(); })) << "branch -1";
  EXPECT_TRUE(refused("\x03"sv, [](auto& r) { r.read_present(); })) << "branch -2";
  EXPECT_TRUE(refused("\x80\x80\x80\x80\x20"sv, [](auto& r) { r.read_int(); })) << "above 2^31";
  EXPECT_TRUE(refused("\xff\xff"sv, [](auto& r) { r.read_long(); })) << "ends early";
  EXPECT_TRUE(refused("abc"sv, [](auto& r) { r.read_float(); })) << "ends early";
  EXPECT_TRUE(refused("abc"sv, [](auto& r) { r.read_fixed(4); })) << "ends early";
  EXPECT_TRUE(
      refused("\x10"
              "abc"sv,
              [](auto& r) { r.read_block_count(1); }))
      << "8 items";
  EXPECT_TRUE(refused("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02"sv, [](auto& r) {
    r.read_block_count(1);
  })) << "the lowest count has no positive";
}

TEST(AvroWire, negative_block_count_is_followed_by_a_size) {
  const std::string bytes("\x03\x04\x06\x36\x00", 5);
  AvroReader reader(bytes_of(bytes));
  EXPECT_EQ(reader.read_block_count(1), 2u);
  EXPECT_EQ(reader.read_long(), 3);
}

TEST(AvroWireDeathTest, writing_past_the_computed_size_ends_the_process) {
  Buffer bytes(2);
  EXPECT_DEATH(AvroWriter(bytes).write_string("ab"), "computed before");
  EXPECT_DEATH(AvroWriter(bytes).write_long(1 << 20), "computed before");
}

}  // namespace avro_wire_test
}  // namespace adbrook::serde
