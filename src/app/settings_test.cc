#include "app/settings.h"

#include <gtest/gtest.h>

#include "io/real_file_system.h"
#include "io/tcp.h"
#include "stream/input.h"
#include "stream/task.h"

namespace adbrook::app {
namespace {

std::vector<std::string> complaints_about(std::string_view text) {
  SettingsReader reader;
  reader.read_file(text, "adbrook.toml");
  reader.finish();
  return reader.complaints();
}

TEST(Settings, the_defaults_are_valid) {
  SettingsReader reader;
  reader.finish();
  EXPECT_TRUE(reader.complaints().empty());
}

// A task must always be able to commit what it has, and to read what a client was let write.
TEST(Settings, no_limit_of_the_log_or_of_clients_can_stop_a_task) {
  SettingsReader reader;
  reader.read_file(
      "[log]\nwal.file.bytes = \"16MiB\"\nappend.queue.bytes = \"16MiB\"\n"
      "[kafka]\ndecompressed.max.bytes = \"64MiB\"\n",
      "adbrook.toml");
  EXPECT_TRUE(reader.complaints().empty());
  constexpr std::size_t kCommitRecordMax = stream::kStepsPerCommitMax * 16;
  const auto most = static_cast<std::int64_t>(stream::kCommitPartMax + kCommitRecordMax);
  EXPECT_GT(reader.settings().log.wal_file_bytes.count, most + (1 << 20));
  EXPECT_EQ(reader.settings().kafka.decompressed_max, stream::kDecompressedSizeMax);
}

TEST(Settings, what_an_earlier_version_allowed_starts_with_the_nearest_value_and_a_warning) {
  SettingsReader reader;
  reader.read_file(
      "[log]\nwal.file.bytes = \"4MiB\"\nappend.queue.bytes = \"15MiB\"\n"
      "[kafka]\ndecompressed.max.bytes = \"65MiB\"\n",
      "adbrook.toml");
  reader.finish();
  EXPECT_TRUE(reader.complaints().empty());
  EXPECT_EQ(reader.settings().log.wal_file_bytes, 16_MiB);
  EXPECT_EQ(reader.settings().log.append_queue_bytes, 16_MiB);
  EXPECT_EQ(reader.settings().kafka.decompressed_max, 64_MiB);
  ASSERT_EQ(reader.notes().size(), 3u);
  for (const char* part : {"adbrook.toml:2", "log.wal.file.bytes = '4MiB'", "16MiB is used"})
    EXPECT_NE(reader.notes()[0].find(part), std::string::npos) << reader.notes()[0];
  // What was never allowed is refused as ever.
  EXPECT_EQ(complaints_about("[log]\nwal.file.bytes = \"512KiB\"\n").size(), 1u);
  EXPECT_EQ(complaints_about("[kafka]\ndecompressed.max.bytes = \"2GiB\"\n").size(), 1u);
}

TEST(Settings, a_flag_beats_the_environment_beats_the_file_beats_the_default) {
  SettingsReader reader;
  const auto value = [&] { return reader.settings().http.listen; };
  EXPECT_EQ(value(), "127.0.0.1:8080");
  reader.read_file("[http]\nlisten = \"127.0.0.1:1\"\n", "adbrook.toml");
  EXPECT_EQ(value(), "127.0.0.1:1");
  reader.read_environment({{"ADBROOK__HTTP__LISTEN", "127.0.0.1:2"}, {"PATH", "/bin"}});
  EXPECT_EQ(value(), "127.0.0.1:2");
  reader.read_flag("http.listen", "127.0.0.1:3", "--http");
  EXPECT_EQ(value(), "127.0.0.1:3");
  EXPECT_EQ(reader.origin("http.listen"), SettingOrigin::flag);
  EXPECT_EQ(reader.origin("kafka.listen"), SettingOrigin::built_in);
}

TEST(Settings, dotted_keys_and_units_are_understood) {
  SettingsReader reader;
  reader.read_file(
      "[log]\nsegment.bytes = \"64MiB\"\n[http]\ncors.origins = [\"http://a\", \"http://b\"]\n",
      "adbrook.toml");
  reader.read_environment({{"ADBROOK__LOG__WAL_FILE_BYTES", "18MiB"}});
  EXPECT_TRUE(reader.complaints().empty());
  EXPECT_EQ(reader.settings().log.segment_bytes, 64_MiB);
  EXPECT_EQ(reader.settings().log.wal_file_bytes, 18_MiB);
  EXPECT_EQ(reader.settings().http.cors_origins.size(), 2u);
}

TEST(Settings, an_unknown_key_names_its_line_and_the_nearest_key) {
  const auto found = complaints_about("[log]\n\nsegmet.bytes = 1\n");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found[0].starts_with("adbrook.toml:3: unknown setting 'log.segmet.bytes'"))
      << found[0];
  EXPECT_NE(found[0].find("did you mean 'log.segment.bytes'"), std::string::npos) << found[0];
}

TEST(Settings, a_value_outside_its_limits_names_key_value_and_rule) {
  const auto found = complaints_about("[log]\nsegment.bytes = 12\n");
  ASSERT_EQ(found.size(), 1u);
  for (const char* part : {"adbrook.toml:2", "log.segment.bytes", "'12'", "at least 1MiB"})
    EXPECT_NE(found[0].find(part), std::string::npos) << found[0];
}

TEST(Settings, every_complaint_is_told_at_once) {
  EXPECT_EQ(complaints_about("[nope]\na = 1\n[engine]\npartitions = 0\nthreads = \"x\"\n").size(),
            3u);
}

TEST(Settings, broken_toml_names_its_line) {
  const auto found = complaints_about("[log]\nsegment.bytes = = 1\n");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found[0].starts_with("adbrook.toml:2: this is not TOML")) << found[0];
}

TEST(Settings, a_bracket_and_a_line_end_are_refused) {
  EXPECT_EQ(complaints_about("\n[\n").size(), 1u);
}

TEST(Settings, a_key_without_section_or_a_date_is_refused) {
  EXPECT_EQ(complaints_about("listen = 1\n").size(), 1u);
  EXPECT_EQ(complaints_about("[http]\nlisten = 2020-01-01\n").size(), 1u);
  EXPECT_EQ(complaints_about("[http]\ncors.origins = [1]\n").size(), 1u);
}

TEST(Settings, an_unknown_environment_variable_is_named) {
  SettingsReader reader;
  reader.read_environment({{"ADBROOK__HTTP__LISTN", "x"}});
  ASSERT_EQ(reader.complaints().size(), 1u);
  EXPECT_NE(reader.complaints()[0].find("did you mean 'http.listen'"), std::string::npos)
      << reader.complaints()[0];
}

TEST(Settings, an_address_others_can_reach_needs_the_word_for_it) {
  EXPECT_EQ(complaints_about("[http]\nlisten = \"0.0.0.0:80\"\n").size(), 1u);
  EXPECT_EQ(complaints_about("[http]\nlisten = \"[::]:80\"\n").size(), 1u);
  EXPECT_TRUE(complaints_about("[http]\nlisten = \"[::1]:80\"\n").empty());
  EXPECT_TRUE(
      complaints_about("[http]\nlisten = \"0.0.0.0:80\"\ninsecure.public = true\n").empty());
}

TEST(Settings, the_template_is_valid_and_changes_nothing) {
  std::string text = settings_template();
  EXPECT_TRUE(complaints_about(text).empty());
  // With every default uncommented it still says the same.
  std::string uncommented;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const auto end = text.find('\n', begin);
    std::string line = text.substr(begin, end - begin);
    if (line.starts_with("#") && !line.starts_with("# ")) line.erase(0, 1);
    uncommented += line + "\n";
    begin = end + 1;
  }
  SettingsReader reader;
  reader.read_file(uncommented, "adbrook.toml");
  EXPECT_EQ(reader.complaints(), std::vector<std::string>{});
  for (const auto& row : all_setting_rows(reader.settings()))
    EXPECT_EQ(row.value, row.default_value);
}

TEST(Settings, the_page_in_docs_is_what_the_binary_prints) {
  io::RealFileSystem files;
  const auto page =
      io::read_whole_file(files, std::string(ADBROOK_SOURCE_DIR) + "/docs/SETTINGS.md", 1 << 20);
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(std::string(as_text(*page)), settings_page())
      << "write it anew: adbrook config markdown > docs/SETTINGS.md";
}

TEST(Settings, an_impression_is_known_as_long_as_its_window_is_open) {
  const auto found = complaints_about("[clicks]\njoin.within.ms = \"24h\"\n");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NE(found[0].find("clicks.dedupe.horizon.ms"), std::string::npos) << found[0];
}

TEST(Settings, loopback_is_what_only_this_machine_reaches) {
  for (const char* host : {"localhost", "::1", "127.0.0.1", "127.1.2.3"})
    EXPECT_TRUE(io::is_loopback(host)) << host;
  for (const char* host : {"0.0.0.0", "::", "127.evil.example", "10.0.0.1", ""})
    EXPECT_FALSE(io::is_loopback(host)) << host;
}

}  // namespace
}  // namespace adbrook::app
