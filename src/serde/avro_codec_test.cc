#include "serde/avro_codec.h"

#include <gtest/gtest.h>

#include <random>

#include "serde/avro_fixtures.h"
#include "serde/avro_json.h"

namespace adbrook::serde {
namespace avro_codec_test {

using namespace std::string_view_literals;

std::shared_ptr<const AvroSchema> schema_of(std::string_view json) {
  auto schema = AvroSchema::parse(json);
  EXPECT_TRUE(schema) << json << ": " << schema.error().message;
  return *schema;
}

std::string record(std::string_view fields, std::string_view more = "") {
  return R"({"type":"record","name":"R")" + std::string(more) + R"(,"fields":[)" +
         std::string(fields) + "]}";
}

std::string json_of(const AvroSchema& schema, const AvroValue& value) {
  std::string text;
  JsonWriter json(text);
  write_json(json, schema, value);
  return text;
}

// Decodes `bytes` from one schema into another: JSON, or "!message".
std::string decoded(std::string_view bytes, std::string_view writer, std::string_view reader) {
  const auto decoder = AvroDecoder::create(schema_of(writer), schema_of(reader));
  if (!decoder) return "!" + decoder.error().message;
  const auto value = decoder->decode(as_bytes(bytes));
  if (!value) return "!" + value.error().message;
  return json_of(decoder->schema(), *value);
}
std::string decoded(std::string_view bytes, std::string_view schema) {
  return decoded(bytes, schema, schema);
}

bool says(const std::string& message, std::string_view part) {
  return message.find(part) != message.npos;
}

TEST(AvroCodec, every_type_is_read_as_the_specification_says) {
  EXPECT_EQ(decoded("", R"("null")"), "null");
  EXPECT_EQ(decoded("\1", R"("boolean")"), "true");
  EXPECT_EQ(decoded("\x7f", R"("int")"), "-64");
  EXPECT_EQ(decoded("\x80\x01", R"("long")"), "64");
  EXPECT_EQ(decoded("\x00\x00\xc0\x3f"sv, R"("float")"), "1.5");
  EXPECT_EQ(decoded("\x00\x00\x00\x00\x00\x00\xd0\xbf"sv, R"("double")"), "-0.25");
  EXPECT_EQ(decoded("\x06"
                    "foo",
                    R"("string")"),
            "\"foo\"");
  EXPECT_EQ(decoded("\x04\xff\x41", R"("bytes")"), "\"ÿA\"");
  EXPECT_EQ(decoded("ab", R"({"type":"fixed","name":"F","size":2})"), "\"ab\"");
  EXPECT_EQ(decoded("\x02", R"({"type":"enum","name":"E","symbols":["A","B"]})"), "\"B\"");
  EXPECT_EQ(decoded("\x04\x06\x36\x00"sv, R"({"type":"array","items":"long"})"), "[3,27]");
  EXPECT_EQ(decoded("\x03\x04\x06\x36\x02\x08\x00"sv, R"({"type":"array","items":"long"})"),
            "[3,27,4]");
  EXPECT_EQ(decoded("\x02\x02k\x0e\x00"sv, R"({"type":"map","values":"int"})"), R"({"k":7})");
  EXPECT_EQ(decoded("\x02\x02"
                    "a",
                    R"(["null","string"])"),
            "\"a\"");
  EXPECT_EQ(decoded("\x36\x06"
                    "foo",
                    record(R"({"name":"a","type":"long"},
                                                {"name":"b","type":"string"})")),
            R"({"a":27,"b":"foo"})");
}

TEST(AvroCodec, numbers_are_promoted) {
  for (const char* to : {R"("long")", R"("float")", R"("double")"})
    EXPECT_EQ(decoded("\x08", R"("int")", to), "4") << to;
  EXPECT_EQ(decoded("\x08", R"("long")", R"("double")"), "4");
  EXPECT_EQ(decoded("\x00\x00\xc0\x3f"sv, R"("float")", R"("double")"), "1.5");
  EXPECT_EQ(decoded("\x02\xc3", R"("bytes")", R"("string")"), "\"\\ufffd\"");
  EXPECT_TRUE(says(decoded("\x08", R"("long")", R"("int")"),
                   "long was written, and cannot be read as int"));
}

TEST(AvroCodec, fields_are_matched_by_name_and_alias_and_filled_with_defaults) {
  const std::string writer = record(R"({"name":"gone","type":{"type":"array","items":"string"}},
                {"name":"old","type":"int"},{"name":"same","type":"string"})");
  const std::string reader =
      record(R"({"name":"same","type":"string"},{"name":"added","type":"string","default":"d"},
                {"name":"new","type":"long","aliases":["old"]})");
  EXPECT_EQ(decoded("\x04\x02x\x02y\x00\x0e\x04hi"sv, writer, reader),
            R"({"same":"hi","added":"d","new":7})");
  EXPECT_TRUE(says(decoded("", record(""), record(R"({"name":"a","type":"int"})")),
                   "field 'a' of R was not written, and has no default"));
  EXPECT_TRUE(says(decoded("\x00"sv, record(R"({"name":"a","type":"int"})"),
                           record(R"({"name":"a","type":"string"})")),
                   "field 'a' of R: int was written, and cannot be read as string"));
}

TEST(AvroCodec, unions_are_resolved_branch_by_branch) {
  EXPECT_EQ(decoded("\x0e", R"("int")", R"(["null","int"])"), "7");
  EXPECT_EQ(decoded("\x0e", R"("int")", R"(["null","double"])"), "7");
  EXPECT_EQ(decoded("\x02\x0e", R"(["null","int"])", R"("long")"), "7");
  EXPECT_TRUE(says(decoded("\x00"sv, R"(["null","int"])", R"("long")"), "null was written"));
  EXPECT_EQ(decoded("\x00\x0e"sv, R"(["int","string"])", R"(["string","long"])"), "7");
  EXPECT_TRUE(says(decoded("\x0e", R"("int")", R"(["null","string"])"), "no branch"));
  const auto decoder = AvroDecoder::create(schema_of(R"("int")"), schema_of(R"(["null","int"])"));
  EXPECT_EQ(decoder->decode(as_bytes("\x0e"))->branch, 1u);
}

TEST(AvroCodec, enum_symbols_are_matched_by_name) {
  const auto symbols = [](std::string_view list, std::string_view more = "") {
    return R"({"type":"enum","name":"E","symbols":[)" + std::string(list) + "]" +
           std::string(more) + "}";
  };
  const std::string writer = symbols(R"("A","B")");
  EXPECT_EQ(decoded("\x02", writer, symbols(R"("B","A")")), "\"B\"");
  EXPECT_EQ(decoded("\x02", writer, symbols(R"("A","Z")", R"(,"default":"Z")")), "\"Z\"");
  EXPECT_TRUE(says(decoded("\x02", writer, symbols(R"("A")")), "symbol 'B' is not in"));
  EXPECT_TRUE(says(decoded("\x04", writer), "branch"));
}

TEST(AvroCodec, recursive_values_are_read_up_to_the_depth_limit) {
  const std::string list = record(R"({"name":"next","type":["null","R"]})");
  EXPECT_EQ(decoded("\x02\x02\x00"sv, list), R"({"next":{"next":{"next":null}}})");
  EXPECT_TRUE(says(decoded(std::string(10'000, '\x02'), list), "nested too deep"));
}

TEST(AvroCodec, lying_bytes_cost_nothing) {
  const std::string nulls = R"({"type":"array","items":"null"})";
  EXPECT_TRUE(says(decoded("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv, nulls), "memory"));
  EXPECT_TRUE(says(decoded("\x80\x80\x80\x80\x80\x40", R"("bytes")"), "end early"));
  EXPECT_TRUE(says(
      decoded("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv, R"({"type":"map","values":"null"})"),
      "count"));
  // What is only skipped takes no memory, but time.
  const std::string writer = record(R"({"name":"a","type":{"type":"array","items":"null"}})");
  EXPECT_TRUE(
      says(decoded("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv, writer, record("")), "memory"));
}

TEST(AvroCodec, errors_name_the_field_and_the_byte) {
  const std::string schema =
      record(R"({"name":"a","type":"int"},{"name":"b","type":{"type":"record","name":"S","fields":[
               {"name":"c","type":"string"}]}})");
  EXPECT_TRUE(says(decoded("\x02\x10x", schema), "field b.c at byte 1"))
      << decoded("\x02\x10x", schema);
  EXPECT_TRUE(says(decoded("\x02\x02xyz", schema), "2 bytes follow its end"));
}

TEST(AvroCodec, values_that_are_none_of_the_schema_are_not_written) {
  const auto problem = [](std::string_view json, AvroValue value) {
    Buffer out = {std::byte{7}};
    const auto written = append_avro(out, *schema_of(json), value);
    EXPECT_EQ(out.size(), 1u) << "nothing stays behind";
    return written ? "none" : written.error().message;
  };
  EXPECT_TRUE(says(problem(R"("int")", {std::int64_t{1} << 40}), "no int"));
  EXPECT_TRUE(says(problem(R"("string")", {true}), "no string"));
  EXPECT_TRUE(says(problem(R"(["null"])", {std::monostate(), 1}), "no such branch"));
  EXPECT_TRUE(says(problem(R"({"type":"fixed","name":"F","size":2})", {std::string("a")}), "long"));
  const std::string nested = record(R"({"name":"a","type":"int"})");
  EXPECT_TRUE(says(problem(nested, {AvroItems{{std::string("x")}}}), "field a: "));
  EXPECT_TRUE(says(problem(nested, {AvroItems{}}), "another number of fields"));
}

// A random value of a schema.
AvroValue random_value(const AvroSchema& schema, AvroNodeIndex index, std::mt19937_64& random,
                       int depth = 0) {
  const AvroNode& node = schema.node(index);
  const auto text = [&](std::size_t size) {
    std::string bytes(size, 0);
    for (char& c : bytes) c = static_cast<char>(random());
    return bytes;
  };
  const std::size_t count = depth > 6 ? 0 : random() % 4;
  switch (node.type) {
    case AvroType::null: return {};
    case AvroType::boolean: return {random() % 2 == 0};
    case AvroType::int_: return {static_cast<std::int64_t>(static_cast<std::int32_t>(random()))};
    case AvroType::long_: return {static_cast<std::int64_t>(random() >> (random() % 64))};
    case AvroType::float_: return {static_cast<double>(static_cast<float>(random()))};
    case AvroType::double_: return {static_cast<double>(random()) / 3};
    case AvroType::bytes:
    case AvroType::string: return {text(random() % 40)};
    case AvroType::fixed: return {text(node.fixed_size)};
    case AvroType::enumeration: return {static_cast<std::int64_t>(random() % node.symbols.size())};
    case AvroType::union_: {
      const auto branch = static_cast<std::uint32_t>(random() % node.branches.size());
      AvroValue value = random_value(schema, node.branches[branch], random, depth + 1);
      value.branch = branch;
      return value;
    }
    case AvroType::record: {
      AvroItems items;
      for (const AvroField& field : node.fields)
        items.push_back(random_value(schema, field.type, random, depth + 1));
      return {std::move(items)};
    }
    case AvroType::array: {
      AvroItems items;
      for (std::size_t i = 0; i < count; ++i)
        items.push_back(random_value(schema, node.items, random, depth + 1));
      return {std::move(items)};
    }
    case AvroType::map: {
      AvroEntries entries;
      for (std::size_t i = 0; i < count; ++i)
        entries.push_back({text(5), random_value(schema, node.items, random, depth + 1)});
      return {std::move(entries)};
    }
  }
  return {};
}

TEST(AvroCodec, random_values_come_back_and_every_truncation_is_found) {
  const auto schema = schema_of(
      R"({"type":"record","name":"All","fields":[
        {"name":"a","type":["null","boolean","int","long","float","double","bytes","string"]},
        {"name":"b","type":{"type":"map","values":{"type":"array","items":["null","All"]}}},
        {"name":"c","type":{"type":"enum","name":"E","symbols":["X","Y"]}},
        {"name":"d","type":[{"type":"fixed","name":"F","size":3},"E","double"]},
        {"name":"e","type":"string"}]})");
  const char* given = std::getenv("ADBROOK_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 99;
  std::printf("ADBROOK_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  const auto decoder = AvroDecoder::create(schema);
  ASSERT_TRUE(decoder);
  for (int round = 0; round < 300; ++round) {
    const AvroValue value = random_value(*schema, schema->root_index(), random);
    Buffer bytes;
    ASSERT_TRUE(append_avro(bytes, *schema, value));
    const auto back = decoder->decode(bytes);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, value);
    for (std::size_t size = 0; size < bytes.size(); ++size)
      EXPECT_FALSE(decoder->decode(ByteView(bytes).first(size)));
  }
}

TEST(AvroCodec, single_object_message_of_the_avro_project_is_read) {
  ADBROOK_NEED_AVRO_FIXTURES();
  const std::string folder = avro_fixtures() + "share/test/data/messageV1/";
  const auto schema = schema_of(read_fixture(folder + "test_schema.avsc"));
  const std::string message = read_fixture(folder + "test_message.bin");
  ASSERT_EQ(message.substr(0, 2), "\xc3\x01");
  EXPECT_EQ(load_le<std::uint64_t>(as_bytes(message).data() + 2), schema->fingerprint());
  const auto value = AvroDecoder::create(schema)->decode(as_bytes(message).subspan(10));
  ASSERT_TRUE(value) << value.error().message;
  EXPECT_EQ(json_of(*schema, *value),
            R"({"id":42,"name":"Bill","tags":["dog_lover","cat_hater"]})");
}

}  // namespace avro_codec_test
}  // namespace adbrook::serde
