#include "serde/avro_schema.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "serde/avro_fixtures.h"
#include "serde/schema_source.h"

namespace adbrook::serde {
namespace avro_schema_test {

std::string problem(std::string_view json) {
  const auto schema = AvroSchema::parse(json);
  return schema ? "none" : schema.error().message;
}

bool says(const std::string& message, std::string_view part) {
  return message.find(part) != message.npos;
}

struct CanonicalCase {
  std::string input;
  std::string canonical;
  std::string fingerprint;
};

// The file's format: "<<INPUT text" on one line, or "<<INPUT" and lines up to "INPUT".
std::vector<CanonicalCase> read_cases(const std::string& text) {
  std::vector<CanonicalCase> cases;
  bool in_input = false;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    if (line == "INPUT") {
      in_input = false;
    } else if (in_input) {
      cases.back().input += line + "\n";
    } else if (line.starts_with("<<INPUT")) {
      cases.push_back({line.substr(7), "", ""});
      in_input = line == "<<INPUT";
    } else if (line.starts_with("<<canonical ")) {
      cases.back().canonical = line.substr(12);
    } else if (line.starts_with("<<fingerprint ")) {
      cases.back().fingerprint = line.substr(14);
    }
  }
  return cases;
}

TEST(AvroSchema, canonical_forms_and_fingerprints_are_those_of_the_avro_project) {
  ADBROOK_NEED_AVRO_FIXTURES();
  const auto cases = read_cases(read_fixture(avro_fixtures() + "share/test/data/schema-tests.txt"));
  EXPECT_GE(cases.size(), 30u);
  for (const CanonicalCase& example : cases) {
    const auto schema = AvroSchema::parse(example.input);
    ASSERT_TRUE(schema) << example.input << ": " << schema.error().message;
    EXPECT_EQ((*schema)->canonical_form(), example.canonical);
    if (!example.fingerprint.empty()) {
      EXPECT_EQ(std::to_string(static_cast<std::int64_t>((*schema)->fingerprint())),
                example.fingerprint)
          << example.input;
    }
    const auto again = AvroSchema::parse((*schema)->canonical_form());
    ASSERT_TRUE(again);
    EXPECT_EQ((*again)->fingerprint(), (*schema)->fingerprint());
  }
}

TEST(AvroSchema, schemas_that_the_avro_project_accepts_are_accepted) {
  ADBROOK_NEED_AVRO_FIXTURES();
  int count = 0;
  for (const auto& file :
       std::filesystem::directory_iterator(avro_fixtures() + "lang/c/tests/schema_tests/pass")) {
    EXPECT_EQ(problem(read_fixture(file.path())), "none") << file.path();
    ++count;
  }
  EXPECT_GE(count, 25);
  for (const char* path :
       {"share/test/schemas/interop.avsc", "share/test/schemas/weather.avsc",
        "share/test/schemas/fooBar.avsc", "share/test/schemas/FooBarSpecificRecord.avsc",
        "share/test/schemas/RecordWithRequiredFields.avsc",
        "lang/c++/jsonschemas/large_schema.avsc",
        "lang/java/avro/src/test/resources/TestRecordWithLogicalTypes.avsc",
        "lang/java/compiler/src/test/resources/full_record_v1.avsc",
        "lang/java/compiler/src/test/resources/full_record_v2.avsc",
        "confluent-datagen/pageviews_schema.avsc.json"})
    EXPECT_EQ(problem(read_fixture(avro_fixtures() + path)), "none") << path;
}

TEST(AvroSchema, schemas_that_the_avro_project_refuses_are_refused) {
  ADBROOK_NEED_AVRO_FIXTURES();
  int count = 0;
  for (const auto& file :
       std::filesystem::directory_iterator(avro_fixtures() + "lang/c/tests/schema_tests/fail")) {
    const std::string text = read_fixture(file.path());
    ASSERT_FALSE(text.empty());
    EXPECT_NE(problem(text), "none") << file.path();
    ++count;
  }
  EXPECT_GE(count, 12);
}

TEST(AvroSchema, errors_name_the_path_and_the_rule) {
  const auto record = [](std::string_view fields) {
    return R"({"type":"record","name":"R","fields":[)" + std::string(fields) + "]}";
  };
  const struct {
    std::string schema;
    std::string_view expected;
  } cases[] = {
      {record(R"({"name":"a","type":"strng"})"),
       "fields[0].type: 'strng' is not a type that is known here (did you mean 'string'?)"},
      {record(R"({"name":"a","type":"int"},{"name":"a","type":"int"})"),
       "fields[1]: a field 'a' is there already"},
      {record(R"({"name":"1","type":"int"})"), "fields[0]: '1' is no name of a field"},
      {record(R"({"type":"int"})"), "fields[0]: 'name' is missing"},
      {record(R"({"name":"a"})"), "fields[0]: 'type' is missing"},
      {record("7"), "fields[0]: a field is an object"},
      {record(R"({"name":"a","type":["int","int"]})"),
       "fields[0].type[1]: a union may hold int only once"},
      {record(R"({"name":"a","type":[["int"]]})"),
       "fields[0].type[0]: a union may not hold a union"},
      {record(R"({"name":"a","type":"int","default":"x"})"), "fields[0].default: the default does"},
      {record(R"({"name":"a","type":"int","default":3000000000})"), "fields[0].default"},
      {record(R"({"name":"a","type":"R","default":{}})"), "has itself as a part"},
      {record(R"({"name":"a","type":{"type":"record","name":"R","fields":[]}})"),
       "fields[0].type: 'R' is defined twice"},
      {record(R"({"name":"a","type":{"type":"array"}})"), "fields[0].type: 'items' is missing"},
      {R"({"type":"enum","name":"E","symbols":["A","A"]})", "symbols[1]: 'A' is there already"},
      {R"({"type":"enum","name":"E","symbols":["A"],"default":"B"})", "'B' is no symbol"},
      {R"({"type":"fixed","name":"F","size":-1})", "'size' must be a number"},
      {R"({"type":"fixed","name":"int","size":1})", "'int' is a type of Avro itself"},
      {R"({"type":"fixed","name":"a-b","size":1})", "'a-b' is no name"},
      {"7", "a type is a name, an object or an array"},
      {"{\"type\":", "JSON at byte 8"},
      {"", "JSON at byte 0: nothing is here"},
  };
  for (const auto& [schema, expected] : cases)
    EXPECT_TRUE(says(problem(schema), expected)) << schema << " -> " << problem(schema);
}

TEST(AvroSchema, nesting_has_a_limit) {
  const auto nested = [](int depth) {
    std::string text;
    for (int i = 1; i < depth; ++i) text += R"({"type":"array","items":)";
    return text + "\"int\"" + std::string(static_cast<std::size_t>(depth - 1), '}');
  };
  EXPECT_EQ(problem(nested(64)), "none");
  EXPECT_TRUE(says(problem(nested(65)), "deeper than 64"));
  EXPECT_TRUE(says(problem(std::string(10'000, '[')), "nested too deep"));
}

TEST(AvroSchema, multiplying_defaults_are_stopped) {
  std::string fields;
  std::string type = R"({"type":"record","name":"R0","fields":[]})";
  for (int i = 1; i < 15; ++i) {
    const std::string name = "R" + std::to_string(i);
    const std::string field = R"(,"default":{}})";
    type =
        R"({"type":"record","name":")" + name + R"(","fields":[{"name":"a","type":)" + type + field;
    for (int f = 0; f < 9; ++f)
      type += R"(,{"name":"f)" + std::to_string(f) + R"(","type":"R)" + std::to_string(i - 1) +
              "\"" + field;
    type += "]}";
  }
  EXPECT_TRUE(says(problem(type), "too large")) << problem(type);
}

TEST(AvroSchema, attributes_are_kept) {
  const auto schema = AvroSchema::parse(R"({
    "type":"record","name":"R","namespace":"a.b","aliases":["Old","x.Older"],"doc":"about R",
    "fields":[
      {"name":"t","type":{"type":"long","logicalType":"timestamp-millis"},"aliases":["time"]},
      {"name":"n","type":["null","string"],"default":null},
      {"name":"s","type":["null","string"],"default":"text"},
      {"name":"b","type":"bytes","default":"\u00ff\u0000"},
      {"name":"m","type":{"type":"map","values":"int"},"default":{"k":1}}]})");
  ASSERT_TRUE(schema) << schema.error().message;
  const AvroNode& root = (*schema)->root();
  EXPECT_EQ(root.name, "a.b.R");
  EXPECT_EQ(root.aliases, (std::vector<std::string>{"a.b.Old", "x.Older"}));
  EXPECT_EQ(root.doc, "about R");
  EXPECT_EQ((*schema)->node(root.fields[0].type).logical_type, "timestamp-millis");
  EXPECT_EQ(root.fields[0].aliases, std::vector<std::string>{"time"});
  EXPECT_TRUE(root.fields[1].default_value->is_null());
  EXPECT_EQ(root.fields[2].default_value->branch, 1u);
  EXPECT_EQ(*root.fields[3].default_value->get<std::string>(), std::string("\xff\0", 2));
  EXPECT_EQ((*schema)->field_index("b"), 3u);
  EXPECT_EQ((*schema)->field_index("zz"), std::nullopt);
}

TEST(AvroSchema, published_event_schemas_are_as_agreed) {
  const std::string folder = std::string(ADBROOK_SOURCE_DIR) + "/schemas/";
  const auto sources = BuiltInSchemas::parse(read_fixture(folder + "impression.avsc"),
                                             read_fixture(folder + "click.avsc"));
  ASSERT_TRUE(sources) << sources.error().message;
  const auto fields_of = [&](std::int32_t id) {
    std::string names;
    for (const AvroField& field : sources->schema(id).value()->root().fields)
      names += field.name + " ";
    return names;
  };
  EXPECT_EQ(fields_of(kImpressionSchemaId),
            "uuid timestamp campaignId pubId creativeId placementId userId ip city country browser "
            "platform platformVersion latitude longitude priceMicros currency decisionId "
            "propensity extra ");
  EXPECT_EQ(fields_of(kClickSchemaId),
            "uuid timestamp campaignId pubId impressionId userId ip city country browser platform "
            "platformVersion latitude longitude extra ");
  EXPECT_EQ(sources->schema(3).error().kind, ErrorKind::not_found);
}

TEST(SchemaHeader, id_stands_behind_a_zero_byte) {
  std::array<std::byte, kSchemaHeaderSize> header;
  write_schema_header(header.data(), 0x01020304);
  EXPECT_EQ(as_text(header), std::string_view("\0\1\2\3\4", 5));
  EXPECT_EQ(read_schema_header(header), 0x01020304);
  EXPECT_EQ(read_schema_header(ByteView(header).first(4)), std::nullopt);
  EXPECT_EQ(read_schema_header(as_bytes("{\"a\":1}")), std::nullopt);
}

}  // namespace avro_schema_test
}  // namespace adbrook::serde
