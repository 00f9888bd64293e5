#include "app/mapping_file.h"

#include <gtest/gtest.h>

namespace adbrook::app {
namespace {

TEST(MappingFile, says_which_column_becomes_which_field) {
  const auto mapping = parse_mapping(
      "kind = \"click\"\nformat = \"csv\"\ndelimiter = \";\"\nid_columns = [\"a\", \"b\"]\n"
      "[fields]\ntimestamp = { column = \"time\", form = \"seconds\" }\n"
      "campaignId = { column = \"owner\", form = \"hash\" }\npubId = { constant = \"1\" }\n"
      "country = \"land\"\n",
      "shop.toml");
  ASSERT_TRUE(mapping) << mapping.error().message;
  EXPECT_EQ(mapping->delimiter, ';');
  EXPECT_EQ(mapping->fields.size(), 4u);
  EXPECT_EQ(mapping->id_columns.size(), 2u);
}

TEST(MappingFile, a_mistake_names_its_line_and_what_was_meant) {
  for (const auto& [text, part] : std::vector<std::pair<std::string, std::string>>{
           {"kind = \"click\"\nfeilds = 1\n",
            "shop.toml:2: unknown key 'feilds' (did you mean 'fields'?)"},
           {"kind = \"view\"\n", "shop.toml:1: kind 'view'"},
           {"kind = = 1\n", "shop.toml:1: this is not TOML"},
           {"kind = \"click\"\n[fields]\ncampaignId = { column = \"x\", form = \"sum\" }\n",
            "form 'sum'"}}) {
    const auto mapping = parse_mapping(text, "shop.toml");
    ASSERT_FALSE(mapping);
    EXPECT_NE(mapping.error().message.find(part), std::string::npos) << mapping.error().message;
  }
}

TEST(MappingFile, plain_events_need_no_file) {
  EXPECT_TRUE(ads::check_mapping(plain_mapping(ads::EventKind::impression)));
  EXPECT_TRUE(ads::check_mapping(plain_mapping(ads::EventKind::click)));
}

TEST(MappingFile, names_of_files_say_what_is_in_them) {
  EXPECT_EQ(guess_mapping("/x/usagov_bitly_data2013.gz"), "usagov");
  EXPECT_EQ(guess_mapping("bts_men.csv.gz"), "obd");
  EXPECT_EQ(guess_mapping("my-clicks.ndjson"), "clicks");
  EXPECT_EQ(guess_mapping("clicks/data.bin"), "");
}

}  // namespace
}  // namespace adbrook::app
