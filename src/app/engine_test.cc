#include "app/engine.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "app/server_connection.h"
#include "stream/keyed/keyed_stream.h"

namespace adbrook::app {
namespace {

class EngineTest : public testing::Test {
 protected:
  EngineTest() : directory_(testing::TempDir() + "adbrook-engine-" + std::to_string(::getpid())) {
    std::filesystem::remove_all(directory_);
    settings_.engine.data = directory_;
    settings_.http.listen = "127.0.0.1:0";
  }
  ~EngineTest() override { std::filesystem::remove_all(directory_); }

  Result<std::unique_ptr<Engine>> open() {
    const auto define = [](stream::Topology& topology) {
      topology.stream<std::string, std::string>("in").to("out");
    };
    return Engine::open(settings_, {"copies", define}, [](std::string_view) {});
  }

  std::string directory_;
  Settings settings_;
};

TEST_F(EngineTest, starts_stops_and_starts_again_on_the_same_directory) {
  for (int i = 0; i < 2; ++i) {
    auto engine = open();
    ASSERT_TRUE(engine) << engine.error().message;
    ASSERT_TRUE((*engine)->listen(http::Router((*engine)->metrics())));
    io::ThreadExecutor executor(1);
    auto server = ServerConnection::open(executor, (*engine)->url());
    const auto answer = server->exchange({.target = "/nothing"});
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->status, 404);
    const auto stopped = (*engine)->stop();
    EXPECT_TRUE(stopped) << stopped.error().message;
  }
}

TEST_F(EngineTest, a_second_one_on_the_same_directory_is_told_who_has_it) {
  auto first = open();
  ASSERT_TRUE(first) << first.error().message;
  const auto second = open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::busy);
  EXPECT_NE(second.error().message.find(std::to_string(::getpid())), std::string::npos)
      << second.error().message;
}

TEST_F(EngineTest, another_number_of_partitions_is_refused_with_the_rule) {
  {
    ASSERT_TRUE(open());
  }
  settings_.engine.partitions = 8;
  const auto again = open();
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().message.find("engine.partitions = 8"), std::string::npos)
      << again.error().message;
}

}  // namespace
}  // namespace adbrook::app
