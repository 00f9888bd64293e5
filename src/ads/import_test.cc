#include "ads/import.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "ads/edge_json.h"
#include "ads/import_lines.h"
#include "ads/import_user_agent.h"
#include "io/real_file_system.h"
#include "io/simulated_file_system.h"
#include "serde/avro_file.h"

namespace adbrook::ads {
namespace import_test {

std::string gzip(std::string_view text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(text.size() + 1024, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

class Import : public ::testing::Test {
 protected:
  void put(const std::string& path, std::string_view content) {
    ASSERT_TRUE(io::write_file_atomically(files_, path, as_bytes(content)));
  }
  // All items; errors of files go to errors_.
  std::vector<ImportItem> all(ImportOptions options) {
    auto importer = Importer::open(files_, std::move(options));
    if (!importer) {
      errors_ = importer.error().message;
      return {};
    }
    std::vector<ImportItem> out;
    for (ImportItem item; importer->next(item);) out.push_back(std::move(item));
    for (const Error& error : importer->file_errors()) errors_ += error.message;
    totals_ = importer->totals();
    return out;
  }

  static Mapping simple_mapping() {
    Mapping mapping{.name = "simple"};
    mapping.fields = {{.field = "timestamp", .column = "when"},
                      {.field = "campaignId", .column = "campaign"},
                      {.field = "pubId", .constant = "7"},
                      {.field = "city", .column = "town"}};
    return mapping;
  }

  io::SimulatedFileSystem files_{1};
  std::string errors_;
  ImportTotals totals_;
};

TEST_F(Import, csv_with_quotes_becomes_events) {
  put("a.csv",
      "\xEF\xBB\xBFwhen,campaign,town\r\n"
      "1700000000000,1,\"Paris, \"\"centre\"\"\"\r\n"
      "\r\n"
      "2023-11-14T22:13:21Z,2,\"two\nlines\"\r\n"
      "1700000002000,3,");
  const auto items = all({.paths = {"a.csv"}, .mapping = simple_mapping()});
  EXPECT_EQ(errors_, "");
  ASSERT_EQ(items.size(), 3u);
  EXPECT_NE(items[0].json.find(R"("city":"Paris, \"centre\"")"), std::string::npos);
  EXPECT_NE(items[1].json.find(R"("city":"two\nlines")"), std::string::npos);
  EXPECT_EQ(items[1].event_time.ms, 1'700'000'001'000);
  EXPECT_EQ(items[2].json.find("city"), std::string::npos);
  EXPECT_NE(items[2].json.find(R"("pubId":7)"), std::string::npos);
  EXPECT_EQ(totals_.rows, 3u);
}

TEST_F(Import, every_event_is_accepted_at_the_edge_with_the_same_time) {
  put("a.csv", "when,campaign,town\n1700000000000,1,Zürich\n");
  const auto items = all({.paths = {"a.csv"}, .mapping = simple_mapping()});
  ASSERT_EQ(items.size(), 1u);
  EventText text;
  JsonEdge<Click> edge({.strict = true}, text);
  const auto event = edge.read(items[0].json);
  ASSERT_TRUE(event) << describe(event.error());
  EXPECT_EQ(event->timestamp, items[0].event_time);
  EXPECT_EQ(event->id, id_of("1700000000000,1,Zürich"));
  EXPECT_EQ(event->city, "Zürich");
}

TEST_F(Import, unreadable_rows_are_dead_letters_with_their_bytes) {
  put("a.ndjson",
      "{\"when\":1700000000000,\"campaign\":1}\n"
      "{\"when\":17000\n"
      "{\"when\":1700000000000,\"campaign\":-1}\n"
      "{\"when\":1700000000001,\"campaign\":2}\n");
  const auto items = all({.paths = {"a.ndjson"}, .mapping = simple_mapping()});
  ASSERT_EQ(items.size(), 4u);
  std::vector<ImportItem> letters;
  for (const ImportItem& item : items)
    if (item.kind == ImportItem::Kind::dead_letter) letters.push_back(item);
  ASSERT_EQ(letters.size(), 2u);
  EXPECT_EQ(letters[0].bytes, "{\"when\":17000");
  EXPECT_EQ(letters[0].line, 2u);
  EXPECT_EQ(letters[0].source, "a.ndjson");
  EXPECT_EQ(letters[0].refusal.reason, Reason::unreadable);
  EXPECT_EQ(letters[1].refusal.field, "campaignId");
  EXPECT_EQ(letters[1].refusal.reason, Reason::out_of_range);
  EXPECT_EQ(totals_.mapped, 2u);
  EXPECT_EQ(totals_.dead_letters, 2u);
}

TEST_F(Import, several_files_are_merged_by_event_time) {
  put("a.ndjson",
      "{\"when\":1700000000001,\"campaign\":1}\n{\"when\":1700000000005,\"campaign\":2}\n");
  put("b.ndjson",
      "{\"when\":1700000000002,\"campaign\":3}\n{\"when\":1700000000004,\"campaign\":4}\n");
  put("c.ndjson", "");
  const auto items =
      all({.paths = {"a.ndjson", "b.ndjson", "c.ndjson"}, .mapping = simple_mapping()});
  std::vector<std::int64_t> times;
  for (const ImportItem& item : items) times.push_back(item.event_time.ms - 1'700'000'000'000);
  EXPECT_EQ(times, (std::vector<std::int64_t>{1, 2, 4, 5}));
}

TEST_F(Import, retiming_moves_the_last_event_to_the_given_time) {
  put("a.ndjson",
      "{\"when\":1700000000001,\"campaign\":1}\n{\"when\":1700000000005,\"campaign\":2}\n");
  const auto items = all({.paths = {"a.ndjson"},
                          .mapping = simple_mapping(),
                          .retime_to = Timestamp{1'800'000'000'000}});
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].event_time.ms, 1'799'999'999'996);
  EXPECT_EQ(items[1].event_time.ms, 1'800'000'000'000);
}

TEST_F(Import, cut_gzip_file_gives_all_before_the_cut_and_an_error) {
  std::string text;
  for (int i = 0; i < 5000; ++i)
    text += "{\"when\":" + std::to_string(1'700'000'000'000 + i * 7919 % 5000) +
            ",\"campaign\":" + std::to_string(i * 31) + "}\n";
  const std::string packed = gzip(text);
  put("whole.gz", packed);
  EXPECT_EQ(all({.paths = {"whole.gz"}, .mapping = simple_mapping()}).size(), 5000u);
  EXPECT_EQ(errors_, "");
  put("two.gz", packed + packed);
  EXPECT_EQ(all({.paths = {"two.gz"}, .mapping = simple_mapping()}).size(), 10'000u);
  put("cut.gz", packed.substr(0, packed.size() / 2));
  put("other.ndjson", "{\"when\":1700000000001,\"campaign\":1}\n");
  const auto items = all({.paths = {"cut.gz", "other.ndjson"}, .mapping = simple_mapping()});
  EXPECT_GT(items.size(), 2000u);
  EXPECT_NE(errors_.find("cut.gz: gzip data is cut short"), std::string::npos) << errors_;
  EXPECT_EQ(totals_.rows, items.size());
}

TEST_F(Import, missing_column_is_named_before_the_first_event) {
  put("a.csv", "when,campain,town\n1700000000000,1,x\n");
  EXPECT_TRUE(all({.paths = {"a.csv"}, .mapping = simple_mapping()}).empty());
  EXPECT_NE(errors_.find("column 'campaign' is missing"), std::string::npos) << errors_;
  EXPECT_NE(errors_.find("did you mean 'campain'"), std::string::npos) << errors_;
}

TEST_F(Import, avro_records_become_events) {
  auto schema = serde::AvroSchema::parse(
      R"({"type":"record","name":"Hit","fields":[{"name":"when","type":"long"},)"
      R"({"name":"campaign","type":"int"},{"name":"town","type":["null","string"]},)"
      R"({"name":"key","type":{"type":"fixed","name":"Key","size":16}}]})");
  ASSERT_TRUE(schema) << schema.error().message;
  serde::AvroFileWriter writer(*schema, serde::AvroBlockCodec::none, {});
  serde::AvroValue hit;
  hit.content = serde::AvroItems{{std::int64_t{1'700'000'000'000}},
                                 {std::int64_t{5}},
                                 {std::string("Łódź"), 1},
                                 {std::string("0123456789abcdef")}};
  ASSERT_TRUE(writer.add(hit));
  put("a.avro", as_text(writer.finish()));
  Mapping mapping = simple_mapping();
  mapping.fields.push_back({.field = "uuid", .column = "key"});
  const auto items = all({.paths = {"a.avro"}, .mapping = mapping});
  EXPECT_EQ(errors_, "");
  ASSERT_EQ(items.size(), 1u);
  EXPECT_NE(items[0].json.find("30313233-3435-3637-3839-616263646566"), std::string::npos);
  EXPECT_NE(items[0].json.find("Łódź"), std::string::npos);
  mapping.fields[1].column = "campaigns";
  EXPECT_TRUE(all({.paths = {"a.avro"}, .mapping = mapping}).empty());
  EXPECT_NE(errors_.find("did you mean 'campaign'"), std::string::npos) << errors_;
}

TEST_F(Import, bad_mappings_are_refused) {
  Mapping mapping = simple_mapping();
  mapping.fields[3].field = "citty";
  EXPECT_NE(check_mapping(mapping).error().message.find("did you mean 'city'"), std::string::npos);
  mapping = simple_mapping();
  mapping.fields.erase(mapping.fields.begin());
  EXPECT_NE(check_mapping(mapping).error().message.find("'timestamp'"), std::string::npos);
  mapping = simple_mapping();
  mapping.fields.push_back(mapping.fields[0]);
  EXPECT_FALSE(check_mapping(mapping));
  EXPECT_FALSE(built_in_mapper("usagv", "x"));
  EXPECT_FALSE(built_in_mapper("obd", "men.csv"));
}

TEST_F(Import, rules_can_skip_hash_and_scale) {
  put("a.ndjson", "{\"beat\":1}\n{\"t\":1700000000,\"owner\":\"nasa\",\"key\":\"k\"}\n");
  Mapping mapping{.name = "m"};
  mapping.fields = {{.field = "timestamp", .column = "t", .form = ColumnForm::seconds},
                    {.field = "campaignId", .column = "owner", .form = ColumnForm::hash},
                    {.field = "pubId", .constant = "1"}};
  mapping.id_columns = {"key"};
  mapping.skip_when = "beat";
  const auto items = all({.paths = {"a.ndjson"}, .mapping = mapping});
  ASSERT_EQ(items.size(), 1u);
  EXPECT_EQ(items[0].event_time.ms, 1'700'000'000'000);
  EXPECT_NE(items[0].json.find(std::to_string(number_of("nasa"))), std::string::npos);
  EXPECT_NE(items[0].json.find(id_of("k\x1f").to_string()), std::string::npos);
  EXPECT_EQ(totals_.skipped, 1u);
}

TEST(ImportLines, overlong_line_is_marked_and_the_next_is_right) {
  io::SimulatedFileSystem files(1);
  const std::string text = std::string(3 << 20, 'x') + "\nshort\nlast";
  ASSERT_TRUE(io::write_file_atomically(files, "f", as_bytes(text)));
  ImportLines lines(std::move(*ImportBytes::open(files, "f")));
  ImportLine line;
  ASSERT_TRUE(*lines.next(line));
  EXPECT_FALSE(line.is_whole);
  EXPECT_LE(line.bytes.size(), kImportLineSizeMax + 2);
  ASSERT_TRUE(*lines.next(line));
  EXPECT_EQ(line.bytes, "short");
  EXPECT_EQ(line.number, 2u);
  ASSERT_TRUE(*lines.next(line));
  EXPECT_EQ(line.bytes, "last");
  EXPECT_FALSE(*lines.next(line));
}

TEST(ImportLines, csv_rules_of_rfc_4180) {
  std::vector<std::string_view> values;
  std::string unquoted;
  ASSERT_TRUE(split_csv(R"(a,"b,""c""",,"")", ',', values, unquoted));
  EXPECT_EQ(values, (std::vector<std::string_view>{"a", "b,\"c\"", "", ""}));
  EXPECT_FALSE(split_csv(R"("open)", ',', values, unquoted));
  EXPECT_FALSE(split_csv(R"("a"b,c)", ',', values, unquoted));
  ASSERT_TRUE(split_csv("", ',', values, unquoted));
  EXPECT_EQ(values.size(), 1u);
}

TEST(ImportUserAgent, families_are_told_apart) {
  const auto agent = read_user_agent(
      "Mozilla/5.0 (Windows NT 5.1) AppleWebKit/537.17 (KHTML, like Gecko) Chrome/24.0 "
      "Safari/537.17");
  EXPECT_EQ(agent.browser, "Chrome");
  EXPECT_EQ(agent.platform, "Windows");
  EXPECT_EQ(read_user_agent("Yahoo Pipes 1.0").browser, "");
}

// The real data lies beside the repository, on machines that have it.
std::vector<std::string> real_files(const std::string& folder, const std::string& ending) {
  std::vector<std::string> out;
  const std::filesystem::path path =
      std::filesystem::path(ADBROOK_SOURCE_DIR) / ".." / "shared" / "data" / folder;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(path, ignored))
    if (entry.path().string().ends_with(ending)) out.push_back(entry.path().string());
  std::ranges::sort(out);
  return out;
}

TEST(ImportRealData, usagov_lines_are_clicks_heartbeats_and_one_dead_letter) {
  const auto paths = real_files("usagov-clicks", ".gz");
  if (paths.empty()) GTEST_SKIP() << "../shared/data/usagov-clicks is not on this machine";
  io::RealFileSystem files;
  auto importer = Importer::open(files, {.paths = paths, .built_in = "usagov"});
  ASSERT_TRUE(importer) << importer.error().message;
  std::set<std::string> ids;
  std::map<std::string, int> countries;
  std::uint64_t repeated = 0;
  for (ImportItem item; importer->next(item);) {
    if (item.kind == ImportItem::Kind::dead_letter) {
      EXPECT_TRUE(item.source.ends_with("usagov_bitly_data2013-01-01-1356999061.gz"))
          << item.source;
      EXPECT_TRUE(item.bytes.starts_with("{ \"a\": \"Mozilla")) << item.bytes;
      continue;
    }
    if (!ids.insert(item.json.substr(0, 48)).second) {
      ++repeated;
      continue;
    }
    const auto country = item.json.find("\"country\":\"");
    ++countries[country == std::string::npos ? "" : item.json.substr(country + 11, 2)];
  }
  const ImportTotals totals = importer->totals();
  EXPECT_EQ(totals.rows, 154'926u);
  EXPECT_EQ(totals.clicks, 150'969u);
  EXPECT_EQ(totals.skipped, 3'956u);
  EXPECT_EQ(totals.dead_letters, 1u);
  EXPECT_EQ(repeated, 4'204u);
  EXPECT_EQ(countries["US"], 87'593);
  EXPECT_EQ(countries["GB"], 6'514);
  EXPECT_EQ(countries["CA"], 3'821);
  EXPECT_EQ(countries["JP"], 2'623);
  EXPECT_EQ(countries[""], 20'571);
  EXPECT_EQ(totals.bytes_read, totals.bytes_in_all);
  EXPECT_TRUE(importer->file_errors().empty());
}

TEST(ImportRealData, obd_rows_are_impressions_and_their_clicks) {
  auto paths = real_files("obd", "_men.csv.gz");
  if (paths.empty()) GTEST_SKIP() << "../shared/data/obd is not on this machine";
  io::RealFileSystem files;
  auto importer = Importer::open(files, {.paths = paths, .built_in = "obd"});
  ASSERT_TRUE(importer) << importer.error().message;
  EventText text;
  JsonEdge<Impression> impressions({.strict = true}, text);
  JsonEdge<Click> clicks({.strict = true}, text);
  std::set<Uuid> shown;
  Timestamp before = Timestamp::lowest();
  for (ImportItem item; importer->next(item);) {
    ASSERT_EQ(item.kind, ImportItem::Kind::event) << describe(item.refusal);
    EXPECT_GE(item.event_time, before);
    before = item.event_time;
    if (item.topic == EventKind::impression) {
      const auto event = impressions.read(item.json);
      ASSERT_TRUE(event) << describe(event.error());
      EXPECT_TRUE(shown.insert(event->id).second);
      EXPECT_TRUE(event->propensity.has_value());
    } else {
      const auto event = clicks.read(item.json);
      ASSERT_TRUE(event) << describe(event.error());
      EXPECT_TRUE(shown.contains(*event->impression_id));
    }
    text.clear();
  }
  EXPECT_EQ(importer->totals().impressions, 20'000u);
  EXPECT_EQ(importer->totals().clicks, 115u);
}

}  // namespace import_test
}  // namespace adbrook::ads
