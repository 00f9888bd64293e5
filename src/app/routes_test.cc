// All routes over real sockets, on a real engine in a temporary directory.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>

#include "ads/edge_query.h"
#include "app/click_key.h"
#include "app/openapi.h"
#include "app/routes_collect.h"
#include "app/server_connection.h"
#include "app/service.h"
#include "io/real_file_system.h"

namespace adbrook::app {
namespace {

constexpr std::string_view kImpressionId = "0f7e1c2a-9b3d-4e5f-8a6b-7c8d9e0f1a2b";
constexpr std::string_view kClickId = "1f7e1c2a-9b3d-4e5f-8a6b-7c8d9e0f1a2b";

std::string impression(std::string_view more = "") {
  return "{\"uuid\":\"" + std::string(kImpressionId) +
         "\",\"timestamp\":1700000000000,\"campaignId\":7,\"pubId\":3,\"country\":\"FR\"" +
         std::string(more) + "}";
}

std::string click() {
  return "{\"uuid\":\"" + std::string(kClickId) +
         "\",\"timestamp\":1700000005000,\"campaignId\":7,\"pubId\":3,\"impressionId\":\"" +
         std::string(kImpressionId) + "\"}";
}

class RoutesTest : public ::testing::Test {
 protected:
  RoutesTest() : directory_(testing::TempDir() + "adbrook-routes-" + std::to_string(::getpid())) {
    std::filesystem::remove_all(directory_);
    Settings settings;
    settings.engine.data = directory_;
    settings.http.listen = "127.0.0.1:0";
    settings.engine.threads = 2;
    auto service = Service::start(settings, [](std::string_view) {});
    EXPECT_TRUE(service) << service.error().message;
    service_ = std::move(*service);
    auto server = ServerConnection::open(executor_, service_->engine().url());
    EXPECT_TRUE(server);
    server_.emplace(std::move(*server));
  }
  ~RoutesTest() override {
    server_.reset();
    service_.reset();
    std::filesystem::remove_all(directory_);
  }

  http::ClientResponse get(const std::string& target, http::Method method = http::Method::get) {
    return server_->exchange({.method = method, .target = target}).value();
  }
  http::ClientResponse post(const std::string& target, const std::string& body,
                            const std::string& type = "application/json") {
    return server_
        ->exchange(
            {.method = http::Method::post, .target = target, .content_type = type, .body = body})
        .value();
  }
  boost::json::value json(const std::string& target) {
    const auto answer = get(target);
    EXPECT_EQ(answer.status, 200) << target << ": " << answer.body;
    boost::system::error_code error;
    auto value = boost::json::parse(answer.body, error);
    EXPECT_FALSE(error) << answer.body;
    return value;
  }

  const std::string directory_;
  io::ThreadExecutor executor_{1};
  std::unique_ptr<Service> service_;
  std::optional<ServerConnection> server_;
};

TEST_F(RoutesTest, an_impression_and_its_click_are_counted_reported_and_found) {
  EXPECT_EQ(post("/v1/impressions", impression()).status, 202);
  const auto accepted = post("/v1/clicks", click());
  EXPECT_EQ(accepted.status, 202);
  EXPECT_EQ(accepted.body, "{\"accepted\":1,\"rejected\":[]}\n");

  const auto audit = json("/v1/audit?wait=10s");
  EXPECT_TRUE(audit.at("holds").as_bool()) << audit;
  EXPECT_TRUE(audit.at("caught_up").as_bool());

  const auto report = json("/v1/reports/click-through?by=country&bucket=all");
  ASSERT_EQ(report.at("rows").as_array().size(), 1U) << report;
  EXPECT_EQ(report.at("rows").at(0).at("country"), "FR");
  EXPECT_EQ(report.at("rows").at(0).at("clicks"), 1);
  const auto csv = get("/v1/reports/click-through?by=country&bucket=all&format=csv");
  EXPECT_TRUE(csv.body.starts_with("# as_of")) << csv.body;

  const auto life = json("/v1/events/" + std::string(kClickId));
  EXPECT_EQ(life.at("outcome"), "joined") << life;
  EXPECT_EQ(get("/v1/events/" + Uuid{1, 2}.to_string()).status, 404);
  EXPECT_EQ(get("/v1/events/nonsense").status, 400);
  EXPECT_GE(json("/v1/outcomes").at("outcomes").as_array().size(), 2U);
  const auto behind = json("/v1/events?cell=click-through;2023-11-14T22:13:00Z;campaign_id=7");
  EXPECT_NE(serialize(behind).find(kClickId), std::string::npos) << behind;
}

TEST_F(RoutesTest, the_cells_of_a_view_come_line_by_line) {
  post("/v1/impressions", impression());
  json("/v1/audit?wait=10s");
  const auto cells = get("/v1/cells?view=click-through");
  EXPECT_EQ(cells.fields.find("Content-Type"), "application/x-ndjson");
  EXPECT_EQ(std::ranges::count(cells.body, '\n'), 2) << cells.body;
  EXPECT_NE(cells.body.find("\"key\":[\"7\",\"3\",\"FR\",\"\"]"), std::string::npos) << cells.body;
  EXPECT_NE(get("/v1/cells?view=click-thru").body.find("did you mean"), std::string::npos);
}

TEST_F(RoutesTest, bad_events_are_named_and_good_ones_kept) {
  const auto mixed = post("/v1/impressions", "nonsense\n" + impression() + "\n{\"uuid\":\"x\"}\n",
                          "application/x-ndjson");
  EXPECT_EQ(mixed.status, 202);
  const auto value = boost::json::parse(mixed.body);
  EXPECT_EQ(value.at("accepted"), 1);
  ASSERT_EQ(value.at("rejected").as_array().size(), 2U);
  EXPECT_EQ(value.at("rejected").at(1).at("index"), 2);
  EXPECT_EQ(value.at("rejected").at(1).at("reason"), "bad_uuid");
  EXPECT_EQ(post("/v1/impressions?strict=1", impression(",\"slot\":1")).body.find("\"accepted\":1"),
            std::string::npos);
  EXPECT_EQ(post("/v1/impressions?strict=maybe", impression()).status, 400);
}

TEST_F(RoutesTest, what_cannot_be_read_is_a_problem) {
  for (const std::string& body : {std::string(), std::string("nonsense"), std::string(10'000, '['),
                                  std::string("{\"uuid\":\"\xff\"}")}) {
    const auto answer = post("/v1/impressions", body);
    EXPECT_EQ(answer.status, 400) << answer.body;
    EXPECT_EQ(answer.fields.find("Content-Type"), "application/problem+json");
  }
  EXPECT_EQ(post("/v1/impressions", impression(), "image/png").status, 415);
  EXPECT_EQ(post("/v1/impressions", std::string(20'000'000, 'x')).status, 413);
  EXPECT_EQ(get("/v1/impressions").status, 405);
  EXPECT_EQ(get("/v1/nothing").status, 404);
}

TEST_F(RoutesTest, the_pixel_counts_get_but_not_head) {
  const std::string target = "/v1/pixel.gif?campaignId=7&pubId=3";
  const auto head = get(target, http::Method::head);
  EXPECT_EQ(head.status, 200);
  const auto picture = get(target);
  EXPECT_EQ(picture.fields.find("Content-Type"), "image/gif");
  EXPECT_EQ(picture.fields.find("Cache-Control"), "no-cache, no-store, must-revalidate");
  EXPECT_EQ(picture.body.size(), 43U);
  EXPECT_EQ(get("/v1/pixel.gif?campaignId=x&pubId=3").status, 200);  // nobody there to be told
  const std::string metrics = get("/metrics").body;
  EXPECT_NE(
      metrics.find("adbrook_events_received_total{topic=\"impressions\",source=\"pixel\"} 1\n"),
      std::string::npos);
  const auto letters = json("/v1/dead-letters");
  ASSERT_EQ(letters.at("groups").as_array().size(), 1U) << letters;
  const auto shown = json("/v1/dead-letters?show=true");
  EXPECT_EQ(shown.at("dead_letters").at(0).at("text"), "campaignId=x&pubId=3") << shown;
}

TEST_F(RoutesTest, a_dead_letter_is_sent_again_corrected_and_stays_with_its_mark) {
  get("/v1/pixel.gif?campaignId=x&pubId=3");
  const auto letter = json("/v1/dead-letters").at("dead_letters").at(0);
  EXPECT_TRUE(letter.at("sent_again").is_null());
  const auto body = serialize(boost::json::value{
      {"letter", letter.at("id")}, {"as", "impressions"}, {"text", impression()}});
  EXPECT_EQ(post("/v1/dead-letters/redrive?dry_run=1", body).body,
            "{\"accepted\":1,\"rejected\":[]}\n");
  EXPECT_EQ(get("/v1/events/" + std::string(kImpressionId)).status, 404);
  EXPECT_EQ(post("/v1/dead-letters/redrive", body).status, 202);
  EXPECT_EQ(json("/v1/events/" + std::string(kImpressionId)).at("kind"), "impression");
  const auto after = json("/v1/dead-letters");
  EXPECT_EQ(after.at("groups").at(0).at("count"), 1);
  EXPECT_EQ(after.at("groups").at(0).at("sent_again"), 1);
  EXPECT_EQ(after.at("dead_letters").at(0).at("sent_again").at("event").as_string(), kImpressionId);
  EXPECT_EQ(post("/v1/dead-letters/redrive", "{}").status, 202);
  EXPECT_EQ(post("/v1/dead-letters/redrive", "nonsense").status, 400);
}

TEST_F(RoutesTest, a_click_leads_only_where_it_was_signed_for) {
  io::RealFileSystem files;
  const auto key = load_click_key(files, directory_);
  ASSERT_TRUE(key) << key.error().message;
  ads::EventText text;
  const std::string query = "campaignId=7&pubId=3&to=https%3A%2F%2Fshop.example%2Fa%3Fgclid%3DxY";
  const std::string sig = ads::sign_query(ads::Query::parse(query, text).value(), *key);
  const auto good = get("/v1/click?" + query + "&sig=" + sig);
  EXPECT_EQ(good.status, 302);
  EXPECT_EQ(good.fields.find("Location"), "https://shop.example/a?gclid=xY");
  for (const std::string& bad : {query, query + "&sig=" + std::string(43, 'A'),
                                 "campaignId=8" + query.substr(12) + "&sig=" + sig}) {
    const auto answer = get("/v1/click?" + bad);
    EXPECT_EQ(answer.status, 400) << bad;
    EXPECT_EQ(answer.fields.find("Location"), "");
  }
}

TEST_F(RoutesTest, an_unknown_parameter_is_told_what_was_meant) {
  const auto answer = get("/v1/reports/click-through?buckets=1m");
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.body.find("did you mean 'bucket'"), std::string::npos) << answer.body;
}

TEST_F(RoutesTest, the_stores_say_whether_an_id_is_known_and_as_of_which_commit) {
  post("/v1/impressions", impression());
  json("/v1/audit?wait=10s");
  EXPECT_EQ(json("/v1/stores").at("stores").as_array().size(), 8U);  // two in each of four tasks
  const auto known = json("/v1/stores/impressions-seen?key=" + std::string(kImpressionId));
  ASSERT_EQ(known.at("rows").as_array().size(), 1U) << known;
  const auto& row = known.at("rows").at(0);
  EXPECT_EQ(row.at("key").as_string(), kImpressionId);
  EXPECT_EQ(row.at("time").as_string(), "2023-11-14T22:13:20.000Z");
  const auto& task = known.at("partitions").at(row.at("partition").as_int64());
  EXPECT_GE(task.at("commit").as_int64(), 1);
  EXPECT_TRUE(json("/v1/stores/clicks-seen?key=" + std::string(kImpressionId))
                  .at("rows")
                  .as_array()
                  .empty());
  EXPECT_EQ(get("/v1/stores/clicks-seen").status, 400);
  EXPECT_EQ(get("/v1/stores/nothing?key=a").status, 404);
}

TEST_F(RoutesTest, health_is_told_to_machines) {
  EXPECT_EQ(get("/livez").body, "ok\n");
  json("/v1/audit?wait=10s");  // restored
  EXPECT_TRUE(json("/readyz").at("ready").as_bool());
  EXPECT_TRUE(get("/metrics").body.starts_with("# HELP "));
  EXPECT_GE(json("/v1/topics").at("topics").as_array().size(), 6U);
}

TEST_F(RoutesTest, every_route_is_described) {
  const auto document = json("/openapi.json");
  EXPECT_EQ(document.at("openapi"), "3.1.0");
  std::size_t described = 0;
  for (const auto& [path, operations] : document.at("paths").as_object()) {
    described += operations.as_object().size();
    const auto answer = server_->exchange({.method = http::Method::put, .target = path}).value();
    EXPECT_TRUE(answer.status == 405 || answer.status == 411) << path;
  }
  // Each served route has its duration in the metrics from the start.
  const std::string metrics = get("/metrics").body;
  std::size_t served = 0;
  for (auto at = metrics.find("request_seconds_count{"); at != std::string::npos;
       at = metrics.find("request_seconds_count{", at + 1))
    ++served;
  EXPECT_EQ(described + 1, served) << "one more for requests that fit no route";
}

}  // namespace
}  // namespace adbrook::app
