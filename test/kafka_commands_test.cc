// The commands that speak Kafka, against the endpoint of a running engine; with
// ADBROOK_TEST_KAFKA=HOST:PORT against any other broker that may be written to.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdlib>

#include "test/program.h"

namespace adbrook::test {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class KafkaCommands : public testing::Test {
 protected:
  void SetUp() override {
    if (const char* other = std::getenv("ADBROOK_TEST_KAFKA")) {
      address_ = other;
      return;
    }
    serving_.emplace(scratch_, scratch_ / "data");
    ASSERT_TRUE(serving_->ready()) << serving_->program().err();
    const std::string out = serving_->program().out();
    const std::size_t at = out.find("kafka://");
    ASSERT_NE(at, std::string::npos) << out;
    address_ = out.substr(at + 8, out.find_first_of(", \n", at) - at - 8);
  }

  std::vector<std::string> with_address(std::vector<std::string> words) const {
    words.insert(words.end(), {"--bootstrap", address_});
    return words;
  }
  Outcome run_command(std::vector<std::string> words) {
    return adbrook(scratch_, with_address(std::move(words)));
  }
  void expect_done(std::vector<std::string> words) {
    const auto outcome = run_command(words);
    EXPECT_EQ(outcome.code, 0) << words[0] << ' ' << words[1] << ": " << outcome.err;
  }
  // Its words, so that several runs against one broker do not meet.
  std::string named(const std::string& what) const {
    return what + "-" + std::to_string(::getpid());
  }
  std::string lines(int count) const {
    std::string text;
    for (int i = 0; i < count; ++i)
      text += "k" + std::to_string(i) + ":v" + std::to_string(i) + "\n";
    write_file(scratch_ / "lines", text);
    return scratch_ / "lines";
  }
  std::string topic_with(const std::string& what, int partitions, int records) {
    const std::string topic = named(what);
    expect_done({"topics", "create", topic, "--partitions", std::to_string(partitions)});
    if (records > 0) expect_done({"produce", topic, lines(records), "-K", ":"});
    return topic;
  }
  static boost::json::value json(const Outcome& outcome) {
    boost::system::error_code broken;
    auto value = boost::json::parse(outcome.out, broken);
    EXPECT_FALSE(broken) << outcome.out << outcome.err;
    return value;
  }
  // The group's committed offsets in the order of the partitions.
  std::vector<std::int64_t> committed(const std::string& group) {
    std::vector<std::int64_t> offsets;
    const auto view = json(run_command({"groups", "describe", group, "--json"}));
    if (!view.is_array()) return offsets;
    for (const auto& row : view.at(0).at("offsets").as_array())
      offsets.push_back(row.at("committed").as_int64());
    return offsets;
  }

  Scratch scratch_;
  std::optional<Serving> serving_;
  std::string address_;
};

TEST_F(KafkaCommands, a_topic_is_made_changed_described_and_deleted) {
  const std::string topic = named("shop");
  expect_done({"topics", "create", topic, "--partitions", "3", "--config", "retention.ms=3600000"});
  const auto again = run_command({"topics", "create", topic});
  EXPECT_EQ(again.code, 1);
  EXPECT_TRUE(has(again.err, "already exists")) << again.err;
  expect_done({"topics", "create", topic, "--unless-it-exists"});
  EXPECT_TRUE(has(run_command({"topics", "list"}).out, topic));
  expect_done(
      {"topics", "alter", topic, "--config", "cleanup.policy=compact", "--partitions", "5"});
  const auto described = json(run_command({"topics", "describe", topic, "--json"}));
  ASSERT_TRUE(described.is_array());
  EXPECT_EQ(described.at(0).at("partitions").as_array().size(), 5u);
  // The setting of before is still there.
  EXPECT_EQ(described.at(0).at("settings").as_array().size(), 2u)
      << boost::json::serialize(described);
  expect_done({"topics", "alter", topic, "--delete-config", "retention.ms"});
  EXPECT_FALSE(has(run_command({"topics", "describe", topic}).out, "retention.ms"));
  expect_done({"topics", "delete", topic});
  EXPECT_EQ(run_command({"topics", "describe", topic}).code, 1);
}

TEST_F(KafkaCommands, what_is_produced_comes_back_by_offset_count_and_time) {
  const std::string topic = topic_with("orders", 2, 0);
  for (const char* codec : {"none", "gzip", "snappy", "lz4", "zstd"})
    expect_done({"produce", topic, lines(20), "-K", ":", "-z", codec, "-H", "from=test"});
  const auto all = run_command({"consume", topic, "--once", "-f", "%p %o %k %v %h\\n"});
  EXPECT_EQ(all.code, 0) << all.err;
  EXPECT_EQ(std::count(all.out.begin(), all.out.end(), '\n'), 100);
  EXPECT_TRUE(has(all.out, " k7 v7 from=test\n")) << all.out;
  const auto last = run_command({"consume", topic, "--once", "-o", "-2", "-p", "1", "-f", "%k\\n"});
  EXPECT_EQ(std::count(last.out.begin(), last.out.end(), '\n'), 2) << last.err;
  EXPECT_EQ(run_command({"consume", topic, "-n", "7", "-f", "."}).out, ".......");
  const auto recent = run_command({"consume", topic, "--once", "-o", "@-1h", "-f", "."});
  EXPECT_EQ(recent.out.size(), 100u) << recent.err;
  EXPECT_EQ(run_command({"consume", topic, "--once", "-o", "end"}).out, "");
}

TEST_F(KafkaCommands, a_record_keeps_key_null_value_and_partition) {
  const std::string topic = topic_with("nulls", 3, 0);
  write_file(scratch_ / "one", "gone:\n");
  const auto sent = run_command(
      {"produce", topic, scratch_ / "one", "-K", ":", "-Z", "-p", "2", "--acks", "1", "--json"});
  EXPECT_EQ(sent.code, 0) << sent.err;
  EXPECT_TRUE(has(sent.out, "\"partition\": 2, \"first_offset\": 0")) << sent.out;
  const auto record = json(run_command({"consume", topic, "--once", "--json"}));
  EXPECT_EQ(record.at("key").as_string(), "gone");
  EXPECT_TRUE(record.at("value").is_null());
  EXPECT_EQ(record.at("partition").as_int64(), 2);
}

TEST_F(KafkaCommands, a_group_goes_on_where_it_was_and_can_be_reset) {
  const std::string topic = topic_with("read", 2, 40);
  const std::string group = named("billing");
  const std::vector<std::string> read = {"consume", topic, "-G", group, "--once", "-f", "."};
  EXPECT_EQ(run_command(read).out.size(), 40u);
  EXPECT_EQ(run_command(read).out.size(), 0u);
  EXPECT_TRUE(has(run_command({"groups", "list"}).out, group));
  const auto described = run_command({"groups", "describe", group});
  EXPECT_TRUE(has(described.out, "lag          0 records")) << described.out << described.err;
  const auto before = committed(group);
  ASSERT_EQ(before.size(), 2u);
  EXPECT_EQ(before[0] + before[1], 40);
  // Shown, then done.
  expect_done({"groups", "reset-offsets", group, "--to", "earliest"});
  EXPECT_EQ(committed(group), before);
  expect_done({"groups", "reset-offsets", group, "--to", "earliest", "--execute"});
  EXPECT_EQ(committed(group), (std::vector<std::int64_t>{0, 0}));
  EXPECT_EQ(run_command(read).out.size(), 40u);
  expect_done(
      {"groups", "reset-offsets", group, "--to", "-3", "--topic", topic + ":1", "--execute"});
  EXPECT_EQ(run_command(read).out.size(), 3u);
  expect_done({"groups", "reset-offsets", group, "--to", "@-1h", "--execute"});
  EXPECT_EQ(committed(group), (std::vector<std::int64_t>{0, 0}));
  expect_done({"groups", "delete", group});
  EXPECT_EQ(run_command({"groups", "describe", group}).code, 1);
  EXPECT_EQ(run_command({"groups", "delete", group}).code, 1);
}

TEST_F(KafkaCommands, a_group_with_members_is_described_and_not_reset) {
  const std::string topic = topic_with("busy", 2, 10);
  const std::string group = named("live");
  Program member(scratch_,
                 with_address({ADBROOK_BINARY, "consume", topic, "-G", group, "-f", "%v\\n"}));
  ASSERT_TRUE(member.wait_for_output("v9")) << member.err();
  const auto described = json(run_command({"groups", "describe", group, "--json"}));
  ASSERT_TRUE(described.is_array());
  EXPECT_EQ(described.at(0).at("state").as_string(), "Stable");
  ASSERT_EQ(described.at(0).at("members").as_array().size(), 1u);
  EXPECT_EQ(described.at(0).at("members").at(0).at("partitions").as_array().size(), 2u);
  const auto refused =
      run_command({"groups", "reset-offsets", group, "--to", "earliest", "--execute"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_TRUE(has(refused.err, "stop them first")) << refused.err;
  member.signal(SIGINT);
  EXPECT_EQ(member.wait(), 130) << member.err();
  // It committed what it had printed, and left.
  const auto offsets = committed(group);
  ASSERT_EQ(offsets.size(), 2u);
  EXPECT_EQ(offsets[0] + offsets[1], 10);
}

TEST_F(KafkaCommands, ctrl_c_loses_no_line_silently) {
  const std::string topic = topic_with("stopped", 1, 0);
  // The file never ends, so only Ctrl-C ends the command.
  const std::string pipe = scratch_ / "pipe";
  ASSERT_EQ(run(scratch_, {"mkfifo", pipe}).code, 0);
  Program writer(scratch_, {"sh", "-c", "{ echo one; echo two; echo sent; sleep 600; } > " + pipe});
  Program producing(scratch_, with_address({ADBROOK_BINARY, "produce", topic, pipe}));
  Program reading(scratch_, with_address({ADBROOK_BINARY, "consume", topic, "-n", "3"}));
  ASSERT_EQ(reading.wait(), 0) << reading.err();
  producing.signal(SIGINT);
  EXPECT_EQ(producing.wait(), 130);
  EXPECT_TRUE(has(producing.err(), "3 acknowledged")) << producing.err();
  EXPECT_FALSE(has(producing.err(), "not")) << producing.err();
}

TEST_F(KafkaCommands, our_own_topics_are_shown_as_json) {
  if (!serving_) GTEST_SKIP() << "another broker has no events of ours";
  ASSERT_EQ(adbrook(scratch_, {"generate", "--events", "200", "--to", serving_->url()}).code, 0);
  for (const char* topic : {"impressions", "clicks", "impression-outcomes", "click-outcomes"}) {
    const auto shown = run_command({"consume", topic, "-n", "1"});
    EXPECT_EQ(shown.code, 0) << shown.err;
    EXPECT_TRUE(json(shown).is_object()) << topic;
  }
  const auto impression = json(run_command({"consume", "impressions", "-n", "1", "--json"}));
  // The key is the event's id as text, and so is the field.
  EXPECT_EQ(impression.at("key"), impression.at("value").at("uuid"));
}

TEST_F(KafkaCommands, doctor_replays_a_client) {
  topic_with("healthy", 1, 3);
  const auto good = adbrook(scratch_, {"doctor", "--kafka", address_, "--json"});
  EXPECT_EQ(good.code, 0) << good.out << good.err;
  EXPECT_TRUE(has(good.out, "the advertised address answers")) << good.out;
  if (!serving_) return;
  const auto wrong = adbrook(scratch_, {"doctor", "--kafka", serving_->url().substr(7)});
  EXPECT_EQ(wrong.code, 1);
  EXPECT_TRUE(has(wrong.out, "ApiVersions")) << wrong.out;
}

TEST_F(KafkaCommands, mistakes_have_their_exit_codes_and_say_what_to_do) {
  const std::string topic = topic_with("mistakes", 1, 0);
  const auto typo = run_command({"consume", topic + "x", "--once"});
  EXPECT_EQ(typo.code, 1);
  EXPECT_TRUE(has(typo.err, "did you mean '" + topic + "'")) << typo.err;
  EXPECT_EQ(run_command({"consume", topic, "-f", "%q"}).code, 2);
  EXPECT_EQ(run_command({"consume", topic, "-o", "begining"}).code, 2);
  EXPECT_EQ(run_command({"consume", topic, "-p", "9", "--once"}).code, 1);
  EXPECT_EQ(run_command({"topics", "create", "bad name"}).code, 2);
  EXPECT_EQ(run_command({"topics", "create", named("x"), "--config", "no.such=1"}).code, 2);
  EXPECT_EQ(run_command({"topics", "alter", topic}).code, 2);
  EXPECT_EQ(run_command({"topics", "list", "-X", "security.protcol=SSL"}).code, 2);
  EXPECT_EQ(run_command({"groups", "describe", named("nobody")}).code, 1);
  const auto nobody =
      adbrook(scratch_, {"topics", "list", "--bootstrap", "127.0.0.1:1", "--timeout", "1s"});
  EXPECT_EQ(nobody.code, 3);
  EXPECT_TRUE(has(nobody.err, "doctor --kafka")) << nobody.err;
}

}  // namespace
}  // namespace adbrook::test
