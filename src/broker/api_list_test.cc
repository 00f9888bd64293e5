// The page for users against the list that the broker works from.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "broker/broker.h"

namespace adbrook::broker {
namespace api_list_test {

std::string whole_page() {
  std::ifstream in(std::string(ADBROOK_SOURCE_DIR) + "/docs/kafka.md");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(ApiList, docs_kafka_md_has_exactly_the_apis_and_versions_that_are_offered) {
  constexpr std::string_view kHead = "| key | API | versions |\n|---|---|---|\n";
  const ApiTable apis = all_apis();
  std::string table;
  for (const auto& [key, entry] : apis.entries())
    table += "| " + std::to_string(key) + " | " + std::string(entry.api.name) + " | " +
             std::to_string(entry.api.advertised_first) + "–" + std::to_string(entry.api.last) +
             " |\n";
  const std::string page = whole_page();
  const std::size_t begin = page.find(kHead);
  ASSERT_NE(begin, std::string::npos) << "docs/kafka.md has no such table:\n" << kHead << table;
  const std::size_t rows = begin + kHead.size();
  EXPECT_EQ(page.substr(rows, page.find("\n\n", rows) + 1 - rows), table)
      << "put this into docs/kafka.md:\n"
      << kHead << table;
}

}  // namespace api_list_test
}  // namespace adbrook::broker
