// The main job, end to end over HTTP: generated events against their truth, also under SIGKILL, and
// real events where they lie beside the repository.
#include <gtest/gtest.h>

#include <algorithm>

#include "test/program.h"

namespace adbrook::test {
namespace {

const std::string kData = std::string(ADBROOK_SOURCE_DIR) + "/../shared/data";

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::vector<std::string> files_in(const std::string& directory, const std::string& ending) {
  std::vector<std::string> files;
  if (!std::filesystem::is_directory(directory)) return files;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    if (entry.path().string().ends_with(ending)) files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

std::string report(const Scratch& scratch, const Serving& serving, std::vector<std::string> flags) {
  std::vector<std::string> words = {"report",      "click-through", "--server",
                                    serving.url(), "--format",      "csv"};
  words.insert(words.end(), flags.begin(), flags.end());
  const auto answer = adbrook(scratch, words);
  EXPECT_EQ(answer.code, 0) << answer.err;
  return answer.out;
}

// The cells of one view as lines, without the lines that tell how fresh they are.
std::string cells_of(const std::string& csv) {
  std::string cells;
  for (std::size_t begin = 0; begin < csv.size();) {
    const auto end = std::min(csv.find('\n', begin), csv.size());
    if (csv[begin] != '#') cells += csv.substr(begin, end - begin) + "\n";
    begin = end + 1;
  }
  return cells;
}

void expect_audit_holds(const Scratch& scratch, const Serving& serving) {
  const auto audit = adbrook(scratch, {"audit", "--server", serving.url()});
  EXPECT_EQ(audit.code, 0) << audit.out << audit.err;
}

TEST(MainJob, generated_events_equal_their_truth_also_after_a_restart) {
  const Scratch scratch;
  for (int i = 0; i < 2; ++i) {
    Serving serving(scratch, scratch / "data");
    ASSERT_TRUE(serving.ready()) << serving.program().err();
    if (i == 0) {
      const auto sent = adbrook(scratch, {"generate", "--events", "60000", "--truth",
                                          scratch / "truth.json", "--to", serving.url()});
      ASSERT_EQ(sent.code, 0) << sent.err;
    }
    expect_audit_holds(scratch, serving);
    const auto compared = adbrook(
        scratch, {"audit", "--against-truth", scratch / "truth.json", "--server", serving.url()});
    EXPECT_EQ(compared.code, 0) << compared.out << compared.err;
    EXPECT_EQ(serving.stop(), 0) << serving.program().err();
  }
}

TEST(MainJob, the_audit_fails_when_the_truth_is_another) {
  const Scratch scratch;
  Serving serving(scratch, scratch / "data");
  ASSERT_TRUE(serving.ready()) << serving.program().err();
  ASSERT_EQ(adbrook(scratch, {"generate", "--events", "3000", "--to", serving.url()}).code, 0);
  ASSERT_EQ(adbrook(scratch, {"generate", "--events", "3000", "--seed", "43", "--truth",
                              scratch / "truth.json", "--to", "-"})
                .code,
            0);
  const auto compared = adbrook(
      scratch, {"audit", "--against-truth", scratch / "truth.json", "--server", serving.url()});
  EXPECT_EQ(compared.code, 1) << compared.out << compared.err;
}

TEST(MainJob, nothing_is_lost_or_counted_twice_when_the_server_is_killed_while_events_come) {
  const Scratch scratch;
  const auto outcome = run(scratch,
                           {std::string(ADBROOK_SOURCE_DIR) + "/script/kill-test", "--kills", "5",
                            "--events", "120000", "--adbrook", ADBROOK_BINARY},
                           std::chrono::seconds(300));
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_TRUE(has(outcome.out, "killed 5 times")) << outcome.out;
}

TEST(RealEvents, the_clicks_of_usagov_are_counted_once_however_often_they_are_imported) {
  const auto files = files_in(kData + "/usagov-clicks", ".gz");
  if (files.empty()) GTEST_SKIP() << "no real clicks in " << kData << "/usagov-clicks";
  const Scratch scratch;
  Serving serving(scratch, scratch / "data");
  ASSERT_TRUE(serving.ready()) << serving.program().err();
  std::vector<std::string> words = {"import", "--as", "usagov", "--to", serving.url()};
  words.insert(words.end(), files.begin(), files.end());
  const auto first = adbrook(scratch, words);
  ASSERT_EQ(first.code, 0) << first.err;
  const auto countries = cells_of(
      report(scratch, serving, {"--by", "country", "--bucket", "all", "--sort", "clicks"}));
  for (const char* row : {"\nUS,all,0,87593,", "\nGB,all,0,6514,", "\nCA,all,0,3821,",
                          "\nJP,all,0,2623,", "\n,all,0,20571,"})
    EXPECT_TRUE(has(countries, row)) << row << countries;
  expect_audit_holds(scratch, serving);
  const auto again = adbrook(scratch, words);
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(cells_of(report(scratch, serving,
                            {"--by", "country", "--bucket", "all", "--sort", "clicks"})),
            countries);
  expect_audit_holds(scratch, serving);
}

TEST(RealEvents, the_impressions_of_obd_are_joined_with_their_clicks) {
  auto files = files_in(kData + "/obd", "men.csv.gz");
  if (files.size() != 2) GTEST_SKIP() << "no real impressions in " << kData << "/obd";
  const Scratch scratch;
  Serving serving(scratch, scratch / "data");
  ASSERT_TRUE(serving.ready()) << serving.program().err();
  const auto imported =
      adbrook(scratch, {"import", "--as", "obd", "--to", serving.url(), files[0], files[1]});
  ASSERT_EQ(imported.code, 0) << imported.err;
  const auto all = report(scratch, serving, {"--by", "campaign_id", "--bucket", "all"});
  EXPECT_TRUE(has(all, "\n1,all,20000,115,115,")) << all << imported.out;
  expect_audit_holds(scratch, serving);
}

}  // namespace
}  // namespace adbrook::test
