// `dead-letters redrive` as a user has it, against a running engine.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>

#include "test/program.h"

namespace adbrook::test {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class DeadLetters : public ::testing::Test {
 protected:
  DeadLetters() : serving_(scratch_, scratch_ / "data") {
    EXPECT_TRUE(serving_.ready()) << serving_.program().err();
  }

  Outcome command(std::vector<std::string> words) {
    words.insert(words.end(), {"--server", serving_.url()});
    return adbrook(scratch_, std::move(words));
  }
  Outcome redrive(std::vector<std::string> words) {
    words.insert(words.begin(), {"dead-letters", "redrive"});
    return command(std::move(words));
  }
  // Impressions that no campaign has; `count` different ones.
  void send_wrong(int count, const std::string& query = "campaignId=x&pubId=3") {
    for (int i = 0; i < count; ++i)
      EXPECT_EQ(
          run(scratch_, {"curl", "-sf", "-o", "/dev/null",
                         serving_.url() + "/v1/pixel.gif?" + query + "&city=c" + std::to_string(i)})
              .code,
          0);
  }
  // Of the letters, newest first.
  boost::json::array letters() {
    const auto shown = command({"dead-letters", "show", "--json", "--limit", "1000"});
    EXPECT_EQ(shown.code, 0) << shown.err;
    return boost::json::parse(shown.out).at("dead_letters").as_array();
  }
  std::ptrdiff_t waiting() {
    return std::ranges::count_if(
        letters(), [](const auto& letter) { return letter.at("sent_again").is_null(); });
  }
  std::string impressions(const std::string& campaign) {
    return command({"report", "click-through", "--bucket", "all", "--format", "csv", "--where",
                    "campaign_id=" + campaign})
        .out;
  }

  const Scratch scratch_;
  Serving serving_;
};

TEST_F(DeadLetters, a_dry_run_keeps_nothing_and_a_run_marks_what_was_taken) {
  send_wrong(5);
  const auto tried = redrive({"--reason", "wrong_type", "--set", "campaignId=7", "--dry-run"});
  EXPECT_EQ(tried.code, 0) << tried.err;
  EXPECT_TRUE(has(tried.out, "accepted  5")) << tried.out;
  EXPECT_TRUE(has(tried.err, "nothing was kept")) << tried.err;
  EXPECT_EQ(waiting(), 5);

  const auto sent = redrive({"--reason", "wrong_type", "--set", "campaignId=7", "--json"});
  EXPECT_EQ(sent.code, 0) << sent.err;
  EXPECT_EQ(boost::json::parse(sent.out).at("accepted"), 5);
  EXPECT_EQ(letters().size(), 5U);  // nothing is deleted
  EXPECT_EQ(waiting(), 0);
  EXPECT_TRUE(has(impressions("7"), "all,5,")) << impressions("7");
  // Once more: nothing waits, and nothing is counted twice.
  EXPECT_EQ(redrive({"--reason", "wrong_type", "--set", "campaignId=7"}).code, 0);
  EXPECT_EQ(redrive({letters()[0].at("id").as_string().c_str(), "--set", "campaignId=7"}).code, 0);
  EXPECT_TRUE(has(impressions("7"), "all,5,")) << impressions("7");
}

TEST_F(DeadLetters, what_stays_wrong_is_refused_with_its_reason_and_waits_on) {
  send_wrong(2);
  send_wrong(1, "campaignId=x&pubId=-1");
  const auto unchanged = redrive({"--all"});
  EXPECT_EQ(unchanged.code, 1);
  EXPECT_TRUE(has(unchanged.out, "refused   3")) << unchanged.out;
  const auto changed = redrive({"--all", "--set", "campaignId=7"});
  EXPECT_EQ(changed.code, 1);
  EXPECT_TRUE(has(changed.out, "pubId")) << changed.out;
  EXPECT_EQ(waiting(), 1);
}

TEST_F(DeadLetters, of_many_refusals_the_first_are_shown_and_json_has_more) {
  send_wrong(25);
  const auto lines = [](const std::string& text) { return std::ranges::count(text, '\n'); };
  const auto shown = redrive({"--all", "--dry-run"});
  EXPECT_EQ(shown.code, 1);
  EXPECT_TRUE(has(shown.out, "refused   25")) << shown.out;
  EXPECT_LT(lines(shown.out), 30) << shown.out;
  EXPECT_TRUE(has(shown.err, "the first 20 of 25")) << shown.err;
  const auto listed = redrive({"--all", "--dry-run", "--json"});
  EXPECT_EQ(boost::json::parse(listed.out).at("refusals").as_array().size(), 25U);
}

TEST_F(DeadLetters, bytes_that_are_no_text_are_sent_again_as_they_are_or_from_a_file) {
  // Avro impressions that are cut off, so the engine refuses them when it reads them.
  const auto produce = [&](const std::string& value) {
    write_file(scratch_ / "value", value);
    const std::string out = serving_.program().out();
    const auto at = out.find("kafka://") + 8;
    const auto sent = run(scratch_, {"sh", "-c",
                                     std::string(ADBROOK_BINARY) + " produce impressions -b " +
                                         out.substr(at, out.find_first_of(", \n", at) - at) +
                                         " < " + (scratch_ / "value")});
    EXPECT_EQ(sent.code, 0) << sent.err;
  };
  const std::string header("\0\0\0\0\1", 5);
  constexpr int kLetterCount = 6;  // of several partitions
  for (int i = 0; i < kLetterCount; ++i) produce(header + "\xffonly a piece");
  command({"audit", "--wait", "20s"});
  const auto all = letters();
  ASSERT_EQ(all.size(), static_cast<std::size_t>(kLetterCount));
  EXPECT_EQ(redrive({"--all"}).code, 1);
  // uuid, timestamp 1700000000000, campaign 7, publisher 3, and null for all the rest.
  const std::string time("\x80\xa0\xab\xfe\xf9\x62", 6);
  char uuid = 'a';
  for (const auto& letter : all) {
    EXPECT_EQ(letter.at("hex"), "0000000001ff6f6e6c792061207069656365");
    EXPECT_EQ(letter.at("as"), "impressions");
    const std::string id = letter.at("id").as_string().c_str();
    const auto no_field = redrive({id, "--set", "campaignId=7"});
    EXPECT_EQ(no_field.code, 1);
    EXPECT_TRUE(has(no_field.out, "no JSON object")) << no_field.out;
    write_file(scratch_ / "right",
               header + std::string(16, uuid++) + time + "\x0e\x06" + std::string(16, '\0'));
    const auto sent = redrive({id, "--with", scratch_ / "right"});
    EXPECT_EQ(sent.code, 0) << sent.out << sent.err;
  }
  EXPECT_EQ(waiting(), 0);
  EXPECT_TRUE(has(impressions("7"), "all,6,")) << impressions("7");
}

TEST_F(DeadLetters, forged_clicks_are_sent_only_when_they_are_named) {
  const auto forged =
      run(scratch_, {"curl", "-s", "-o", "/dev/null",
                     serving_.url() + "/v1/click?campaignId=7&pubId=3&to=http://a&sig=x"});
  EXPECT_EQ(forged.code, 0);
  const auto all = redrive({"--all"});
  EXPECT_EQ(all.code, 0) << all.err;
  EXPECT_TRUE(has(all.err, "left out: 1 with")) << all.err;
  EXPECT_EQ(waiting(), 1);
  EXPECT_EQ(redrive({"--reason", "bad_signature"}).code, 0);
  EXPECT_EQ(waiting(), 0);
}

TEST_F(DeadLetters, mistakes_have_their_exit_codes_and_say_what_to_do) {
  EXPECT_EQ(redrive({}).code, 2);
  EXPECT_EQ(redrive({"--all", "--reason", "x"}).code, 2);
  EXPECT_EQ(redrive({"--all", "--set", "campaignId"}).code, 2);
  EXPECT_EQ(redrive({"--all", "--with", "x"}).code, 2);
  EXPECT_EQ(redrive({"nonsense"}).code, 2);
  const auto absent = redrive({"4f0d9a36-1f0e-4d0f-9a2f-000000000001"});
  EXPECT_EQ(absent.code, 1);
  EXPECT_TRUE(has(absent.err, "dead-letters list")) << absent.err;
  send_wrong(1);
  const auto unknown = redrive({"--reason", "wrong_typ"});
  EXPECT_EQ(unknown.code, 1);
  EXPECT_TRUE(has(unknown.err, "wrong_type")) << unknown.err;
  EXPECT_EQ(
      adbrook(scratch_, {"dead-letters", "redrive", "--all", "--server", "http://127.0.0.1:1"})
          .code,
      3);
}

}  // namespace
}  // namespace adbrook::test
