// What the dashboard asks about topics, groups and the engine, on a real engine over real sockets.
#include "app/routes_topics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>

#include "app/group_list.h"
#include "app/server_connection.h"
#include "app/service.h"

namespace adbrook::app {
namespace {

constexpr const char* kId = "0f7e1c2a-9b3d-4e5f-8a6b-7c8d9e0f1a2b";

std::string avro_impression() {
  return "{\"uuid\":\"" + std::string(kId) +
         "\",\"timestamp\":1700000000000,\"campaignId\":7,\"pubId\":3,\"city\":\"Lyon\"}";
}

class TopicRoutesTest : public ::testing::Test {
 protected:
  TopicRoutesTest()
      : directory_(testing::TempDir() + "adbrook-topics-" + std::to_string(::getpid())) {
    std::filesystem::remove_all(directory_);
    Settings settings;
    settings.engine.data = directory_;
    settings.engine.partitions = 1;
    settings.http.listen = "127.0.0.1:0";
    settings.kafka.listen = {"127.0.0.1:0"};
    service_ = std::move(Service::start(settings, [](std::string_view) {}).value());
    server_.emplace(std::move(ServerConnection::open(executor_, service_->engine().url()).value()));
  }
  ~TopicRoutesTest() override {
    server_.reset();
    service_.reset();
    std::filesystem::remove_all(directory_);
  }

  boost::json::value ask(const std::string& target, int status = 200) {
    const auto answer = server_->exchange({.target = target}).value();
    EXPECT_EQ(answer.status, status) << target << ": " << answer.body;
    return boost::json::parse(answer.body);
  }
  boost::json::value post(const std::string& target, const std::string& body) {
    const auto answer = server_->exchange({.method = http::Method::post,
                                           .target = target,
                                           .content_type = "application/json",
                                           .body = body});
    return boost::json::parse(answer.value().body);
  }

  const std::string directory_;
  io::ThreadExecutor executor_{1};
  std::unique_ptr<Service> service_;
  std::optional<ServerConnection> server_;
};

TEST_F(TopicRoutesTest, records_are_shown_decoded_and_raw_from_where_one_asks) {
  for (int i = 0; i < 5; ++i) post("/v1/impressions", avro_impression());
  const auto newest = ask("/v1/topics/impressions/records?limit=2");
  EXPECT_EQ(newest.at("end"), 5);
  ASSERT_EQ(newest.at("records").as_array().size(), 2U) << newest;
  const auto& record = newest.at("records").at(1);
  EXPECT_EQ(record.at("offset"), 4);
  EXPECT_EQ(record.at("key"), kId);
  EXPECT_EQ(record.at("value").at("city"), "Lyon");
  EXPECT_TRUE(record.at("hex").as_string().starts_with("0000000001")) << record;

  const auto beginning = ask("/v1/topics/impressions/records?from=beginning&limit=3");
  EXPECT_EQ(beginning.at("records").as_array().size(), 3U);
  EXPECT_EQ(beginning.at("next"), 3);
  EXPECT_EQ(ask("/v1/topics/impressions/records?from=4").at("records").at(0).at("offset"), 4);
  EXPECT_EQ(ask("/v1/topics/impressions/records?from=999").at("records").as_array().size(), 0U);
  const auto late = ask("/v1/topics/impressions/records?from=@2024-01-01T00:00:00Z");
  EXPECT_EQ(late.at("records").as_array().size(), 0U);
  ask("/v1/topics/impressions/records?from=soon", 400);
  ask("/v1/topics/impressions/records?limit=201", 400);
  ask("/v1/topics/impressions/records?partition=7", 404);
  ask("/v1/topics/none/records", 404);
}

TEST_F(TopicRoutesTest, a_group_tells_its_positions_and_what_waits) {
  post("/v1/impressions", avro_impression());
  ask("/v1/audit?wait=10s");
  const auto groups = ask("/v1/groups");
  const auto& all = groups.at("groups").as_array();
  const auto own = std::ranges::find_if(
      all, [](const auto& group) { return group.at("group") == "click-through"; });
  ASSERT_NE(own, all.end()) << groups;
  const auto& places = own->at("partitions").as_array();
  const auto place = std::ranges::find_if(
      places, [](const auto& one) { return one.at("topic") == "impressions"; });
  ASSERT_NE(place, places.end()) << groups;
  EXPECT_EQ(place->at("committed"), 1);
  EXPECT_EQ(place->at("lag"), 0);
  EXPECT_EQ(place->at("lag_ms"), 0);
}

TEST_F(TopicRoutesTest, samples_of_an_outcome_name_their_events) {
  for (int i = 0; i < 3; ++i) post("/v1/impressions", avro_impression());
  ask("/v1/audit?wait=10s");
  const auto found = ask("/v1/outcomes/samples?topic=impressions&outcome=duplicate&limit=10");
  ASSERT_EQ(found.at("samples").as_array().size(), 2U) << found;
  EXPECT_EQ(found.at("samples").at(0).at("uuid"), kId);
  const auto none = ask("/v1/outcomes/samples?topic=impressions&outcome=duplicate&reason=x");
  EXPECT_TRUE(none.at("samples").as_array().empty());
  ask("/v1/outcomes/samples?topic=impressions&outcome=counted", 400);
  ask("/v1/outcomes/samples?topic=shoes&outcome=late", 400);
}

TEST_F(TopicRoutesTest, a_dry_run_answers_the_same_and_keeps_nothing) {
  EXPECT_EQ(post("/v1/impressions?dry_run=1", avro_impression()).at("accepted"), 1);
  EXPECT_EQ(post("/v1/impressions?dry_run=1", "[" + avro_impression() + ",{\"uuid\":\"x\"}]")
                .at("rejected")
                .as_array()
                .size(),
            1U);
  EXPECT_EQ(ask("/v1/topics/impressions/records").at("end"), 0);
  EXPECT_EQ(post("/v1/impressions?dry_run=2", avro_impression()).at("status"), 400);
}

TEST_F(TopicRoutesTest, the_system_tells_health_disk_and_settings) {
  ask("/v1/audit?wait=10s");
  const auto system = ask("/v1/system");
  EXPECT_TRUE(system.at("ready").as_bool());
  EXPECT_EQ(system.at("data").as_string(), directory_.c_str());
  EXPECT_GT(system.at("free_bytes").as_int64(), 0);
  EXPECT_EQ(system.at("tasks").as_array().size(), 1U);
  const auto& versions = system.at("versions").as_array();
  EXPECT_EQ(versions.at(0).at("name"), "format of the data");
  EXPECT_EQ(versions.at(0).at("version"), "adbrook 1");
  EXPECT_TRUE(std::ranges::none_of(
      versions, [](const auto& one) { return one.at("version").as_string().empty(); }));
  const auto& settings = system.at("settings").as_array();
  const auto partitions = std::ranges::find_if(
      settings, [](const auto& row) { return row.at("key") == "engine.partitions"; });
  ASSERT_NE(partitions, settings.end());
  EXPECT_EQ(partitions->at("value"), "1");
  EXPECT_EQ(partitions->at("default"), "4");
}

TEST(Assignment, what_a_member_was_given_is_read_and_broken_bytes_are_not) {
  const std::string bytes("\0\1\0\0\0\1\0\5topic\0\0\0\2\0\0\0\3\0\0\0\1\0\0\0\0", 29);
  const auto assigned = read_assignment(as_bytes(bytes));
  ASSERT_TRUE(assigned);
  EXPECT_EQ(*assigned, (std::vector<bus::Partition>{{"topic", 1}, {"topic", 3}}));
  for (std::size_t size = 0; size < 25; ++size)
    EXPECT_FALSE(read_assignment(as_bytes(bytes).first(size))) << size;
  EXPECT_FALSE(read_assignment(as_bytes(std::string("\0\1\x7f\xff\xff\xff", 6))));
}

}  // namespace
}  // namespace adbrook::app
