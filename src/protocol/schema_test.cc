// Holds every field list against test/conformance/kafka_messages.txt: names, types, versions, tags,
// nulls and defaults, for all versions that are spoken here.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "protocol/codec.h"
#include "protocol/messages.h"

namespace adbrook::protocol {
namespace {

struct Versions {
  int first = 0;
  int last = -1;  // below first: none

  friend bool operator==(Versions, Versions) = default;
  Versions within(Versions other) const {
    return {std::max(first, other.first), std::min(last, other.last)};
  }
  bool empty() const { return last < first; }
};

constexpr Versions kAll{0, kNever};

Versions parse_versions(const std::string& text) {
  if (text == "none") return {};
  const std::size_t dash = text.find('-');
  if (dash != std::string::npos)
    return {std::stoi(text.substr(0, dash)), std::stoi(text.substr(dash + 1))};
  return {std::stoi(text), text.ends_with('+') ? kNever : std::stoi(text)};
}

struct OfficialField {
  std::string name;
  std::string type;
  Versions versions;
  Versions nullable;
  int tag = -1;
  std::string default_value;
  std::vector<OfficialField> inner;
};

struct OfficialMessage {
  Versions versions;
  Versions flexible;
  std::string name;
  std::vector<OfficialField> fields;
};

// "ThrottleTimeMs" as "throttle_time_ms".
std::string snake_case(const std::string& camel) {
  std::string snake;
  for (std::size_t i = 0; i < camel.size(); ++i) {
    const auto upper = [&](std::size_t at) { return camel[at] >= 'A' && camel[at] <= 'Z'; };
    if (upper(i) && i > 0 && !upper(i - 1)) snake += '_';
    snake += static_cast<char>(std::tolower(camel[i]));
  }
  return snake;
}

OfficialField parse_field(std::istringstream words) {
  OfficialField field;
  std::string versions;
  words >> field.name >> field.type >> versions;
  field.name = snake_case(field.name);
  field.versions = parse_versions(versions);
  for (std::string word; words >> word;) {
    if (word == "nullable") {
      words >> versions;
      field.nullable = parse_versions(versions);
    } else if (word == "tag") {
      words >> field.tag >> versions;
    } else if (word == "default") {
      words >> field.default_value;
    }
  }
  return field;
}

// By key, the request first.
std::map<int, std::vector<OfficialMessage>> read_schema() {
  std::map<int, std::vector<OfficialMessage>> schema;
  std::ifstream in(std::string(ADBROOK_SOURCE_DIR) + "/test/conformance/kafka_messages.txt");
  std::vector<std::vector<OfficialField>*> open;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t indent = line.find_first_not_of(' ') / 2;
    std::istringstream words(line);
    if (indent == 0) {
      std::string direction, name, versions, flexible_word, flexible;
      int key = 0;
      words >> direction >> key >> name >> versions >> flexible_word >> flexible;
      schema[key].push_back({parse_versions(versions), parse_versions(flexible), name, {}});
      open = {&schema[key].back().fields};
      continue;
    }
    open.resize(indent);
    open.back()->push_back(parse_field(std::move(words)));
    open.push_back(&open.back()->back().inner);
  }
  return schema;
}

std::string wire_type(const Type& type) {
  static const std::map<Kind, std::string> kNames = {
      {Kind::boolean, "bool"},    {Kind::int8, "int8"},        {Kind::int16, "int16"},
      {Kind::int32, "int32"},     {Kind::int64, "int64"},      {Kind::error_code, "int16"},
      {Kind::uuid, "uuid"},       {Kind::string, "string"},    {Kind::bytes, "bytes"},
      {Kind::records, "records"}, {Kind::structure, "struct"},
  };
  return (type.array != nullptr ? "[]" : "") + kNames.at(type.kind);
}

// Where our default is not the schema's: answers that a handler leaves alone must be ones that
// clients accept.
const std::map<std::string, std::string>& own_defaults() {
  static const std::map<std::string, std::string> kOwn = {
      {"Produce response.responses.partition_responses.base_offset", "-1"},
      {"Fetch response.responses.partitions.high_watermark", "-1"},
      {"Metadata response.topics.partitions.leader_id", "-1"},
      {"OffsetFetch response.topics.partitions.committed_offset", "-1"},
      {"OffsetFetch response.groups.topics.partitions.committed_offset", "-1"},
      {"OffsetFetch response.topics.partitions.metadata", "\"\""},
      {"OffsetFetch response.groups.topics.partitions.metadata", "\"\""},
      {"FindCoordinator response.node_id", "-1"},
      {"FindCoordinator response.port", "-1"},
      {"FindCoordinator response.coordinators.node_id", "-1"},
      {"FindCoordinator response.coordinators.port", "-1"},
      {"CreateTopics response.topics.configs.config_source", "5"},
      {"DeleteRecords response.topics.partitions.low_watermark", "-1"},
      {"InitProducerId response.producer_epoch", "-1"},
      {"DescribeConfigs response.results.configs.config_source", "5"},
      {"DescribeTransactions response.transaction_states.transaction_start_time_ms", "-1"},
  };
  return kOwn;
}

// As to_text() prints it. A string that may be null is null with us where the schema has "".
std::string official_default(const OfficialField& field) {
  const std::string& value = field.default_value;
  if (field.type.starts_with("[]")) return value == "null" ? "null" : "[]";
  if (value == "null") return "null";
  if (field.type == "string") return field.nullable.empty() ? "\"\"" : "null";
  if (field.type == "bytes" || field.type == "records") return "\"0 bytes\"";
  if (field.type == "uuid") return "\"00000000-0000-0000-0000-000000000000\"";
  if (field.type == "bool") return value == "true" ? "true" : "false";
  return value.empty() ? "0" : std::to_string(std::stoll(value, nullptr, 0));
}

// One field of a default object, printed.
std::string default_of(const Shape& shape, const Field& field) {
  const Field only{field.name, field.type, {}, field.member};
  const Shape one{.fields = {&only, 1}};
  const std::string text = to_text(one, {}, shape.defaults());
  const std::size_t begin = text.find(": ") + 2;
  const std::string value = text.substr(begin, text.size() - begin - 1);
  return field.type.kind == Kind::error_code && value == "\"NONE\"" ? "0" : value;
}

class Comparison {
 public:
  explicit Comparison(Versions flexible) : flexible_(flexible) {}

  void fields(const std::string& path, const Shape& ours,
              const std::vector<OfficialField>& official, Versions spoken) {
    std::vector<const OfficialField*> expected;
    for (const OfficialField& field : official)
      if (!field.versions.within(spoken).empty()) expected.push_back(&field);
    // The wire has plain fields in order; tagged ones stand behind them by tag.
    std::stable_sort(
        expected.begin(), expected.end(),
        [](const OfficialField* a, const OfficialField* b) { return a->tag < b->tag; });
    std::vector<const Field*> listed;  // a struct may serve two places with different versions
    for (const Field& field : ours.fields)
      if (!versions(field).within(spoken).empty()) listed.push_back(&field);
    ASSERT_EQ(names(listed), names(expected)) << path;
    for (std::size_t i = 0; i < expected.size(); ++i)
      field(path + "." + expected[i]->name, ours, *listed[i], *expected[i], spoken);
  }

  const std::vector<std::string>& own_defaults_seen() const { return own_defaults_seen_; }

 private:
  static Versions versions(const Field& field) { return {field.place.since, field.place.until}; }

  template <class AnyField>
  static std::vector<std::string> names(const std::vector<const AnyField*>& fields) {
    std::vector<std::string> names;
    for (const AnyField* field : fields) names.emplace_back(field->name);
    return names;
  }

  void field(const std::string& path, const Shape& shape, const Field& ours,
             const OfficialField& official, Versions spoken) {
    const Versions present = versions(ours).within(spoken);
    EXPECT_EQ(present, official.versions.within(spoken)) << path;
    EXPECT_EQ(wire_type(ours.type), official.type) << path;
    EXPECT_EQ(ours.place.tag, official.tag) << path;
    if (official.tag >= 0) {
      EXPECT_EQ(present.within(flexible_), present) << path;
    }
    Versions nullable;
    if (ours.type.optional != nullptr)
      nullable = Versions{ours.place.nullable, kNever}.within(present);
    if (ours.type.kind == Kind::records) nullable = present;  // always may be null
    const Versions official_nullable = official.nullable.within(present);
    if (!nullable.empty() || !official_nullable.empty()) {
      EXPECT_EQ(nullable, official_nullable) << path;
    }
    if (official.type != "struct") default_value(path, shape, ours, official);
    if (ours.type.shape != nullptr) fields(path, *ours.type.shape, official.inner, present);
  }

  void default_value(const std::string& path, const Shape& shape, const Field& ours,
                     const OfficialField& official) {
    const auto own = own_defaults().find(path);
    if (own != own_defaults().end()) own_defaults_seen_.push_back(path);
    // A default that is left out on the wire is not ours to choose.
    if (official.tag >= 0) {
      EXPECT_EQ(own, own_defaults().end()) << path;
    }
    EXPECT_EQ(default_of(shape, ours),
              own != own_defaults().end() ? own->second : official_default(official))
        << path;
  }

  Versions flexible_;
  std::vector<std::string> own_defaults_seen_;
};

TEST(Schema, every_field_list_is_the_official_one) {
  const auto schema = read_schema();
  std::size_t own_defaults_seen = 0;
  for (const ApiEntry& entry : all_apis()) {
    const Api& api = *entry.api;
    ASSERT_TRUE(schema.contains(api.key)) << api.name;
    const auto& official = schema.at(api.key);
    ASSERT_EQ(official.size(), 2u) << api.name;
    const Versions spoken{api.first, api.last};
    for (const OfficialMessage& message : official) {
      EXPECT_EQ(message.name, api.name);
      EXPECT_EQ(spoken.within(message.versions), spoken) << api.name << " speaks unknown versions";
      EXPECT_EQ(message.flexible.empty() ? kNever : message.flexible.first, api.flexible)
          << api.name;
    }
    Comparison comparison(Versions{api.flexible, kNever});
    comparison.fields(std::string(api.name) + " request", *entry.request.shape, official[0].fields,
                      spoken);
    comparison.fields(std::string(api.name) + " response", *entry.response.shape,
                      official[1].fields, spoken);
    own_defaults_seen += comparison.own_defaults_seen().size();
  }
  EXPECT_EQ(own_defaults_seen, own_defaults().size()) << "an own default names no field";
}

TEST(Schema, the_official_schema_holds_every_api_and_no_other) {
  EXPECT_EQ(read_schema().size(), all_apis().size());
}

TEST(Schema, every_error_code_has_its_official_name) {
  std::ifstream in(std::string(ADBROOK_SOURCE_DIR) + "/test/conformance/kafka_errors.txt");
  std::size_t count = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    int code = 0;
    std::string name;
    words >> code >> name;
    EXPECT_EQ(to_string(static_cast<ErrorCode>(code)), name);
    ++count;
  }
  EXPECT_EQ(count, 135u);
  EXPECT_EQ(to_string(static_cast<ErrorCode>(134)), "UNDEFINED_ERROR");
  EXPECT_EQ(to_string(static_cast<ErrorCode>(-2)), "UNDEFINED_ERROR");
}

}  // namespace
}  // namespace adbrook::protocol
